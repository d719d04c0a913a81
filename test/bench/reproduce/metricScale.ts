/** @file How a metric and its differences are written in tables: accuracies in percent and points, others as they are. */
import { isShare } from '../../../server/protocol/run/resultText.ts';
import type { SampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';

export interface MetricScale {
  readonly factor: number;
  /** Follows a value. */
  readonly unit: '%' | '';
  /** Follows a difference. */
  readonly points: ' points' | '';
  /** A difference up to which one is as good as the other, for a value of the metric. */
  margin(value: number): number;
}

/** Ten of the 10,000 test images of MNIST. */
const ACCURACY_MARGIN = 0.001;
/** A hundredth of the value: at a perplexity of 100, less than two seeds of one training differ by. */
const RELATIVE_MARGIN = 0.01;

export function scaleOf(metric: string): MetricScale {
  return isShare(metric)
    ? { factor: 100, unit: '%', points: ' points', margin: () => ACCURACY_MARGIN }
    : { factor: 1, unit: '', points: '', margin: (value) => RELATIVE_MARGIN * value };
}

/** `98.07 ± 0.09`, without a unit. */
export function withMargin(
  { mean, margin }: Pick<SampleStatistics, 'mean' | 'margin'>,
  { factor }: MetricScale,
): string {
  return (factor * mean).toFixed(2) + (margin === undefined ? '' : ` ± ${(factor * margin).toFixed(2)}`);
}

/** `+0.77 ± 0.10 points` */
export function differenceText(difference: Pick<SampleStatistics, 'mean' | 'margin'>, scale: MetricScale): string {
  return `${difference.mean >= 0 ? '+' : ''}${withMargin(difference, scale)}${scale.points}`;
}
