/** @file What tells how good a finished run is: its metric on the test split, or on the validation split where it left that one alone. */

/** Null and NaN stand for what is not finite, or was not measured. */
export interface MeasuredMetrics {
  readonly test: number | null;
  readonly validation?: number | null | undefined;
}

/** True for a run with `"testAtEnd": false`. */
export function leftTestAlone({ test, validation }: MeasuredMetrics): boolean {
  return !Number.isFinite(test) && Number.isFinite(validation);
}

/** The metric on the test split; NaN where it is not finite, undefined for a run that left that split alone. */
export function testMetric(metrics: MeasuredMetrics): number | undefined {
  return leftTestAlone(metrics) ? undefined : (metrics.test ?? NaN);
}

/** The split that {@link shownMetric} is of. */
export function shownSplit(metrics: MeasuredMetrics): 'test' | 'validation' {
  return leftTestAlone(metrics) ? 'validation' : 'test';
}

/** The metric that a list shows; NaN where it is not finite. */
export function shownMetric(metrics: MeasuredMetrics): number {
  return (leftTestAlone(metrics) ? metrics.validation : metrics.test) ?? NaN;
}
