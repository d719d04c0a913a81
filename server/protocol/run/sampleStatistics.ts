/**
 * @file Means of a few values, such as the results of runs that differ in their seed alone, with what is known of their error: intervals by
 * Student's t distribution ("The probable error of a mean", Biometrika 6(1), 1908).
 */

/** Probability with which an interval holds the true mean. */
const CONFIDENCE = 0.95;

export interface SampleStatistics {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation, with `count - 1` in the denominator; absent for one value. */
  readonly deviation?: number;
  /** Half the width of the interval of {@link CONFIDENCE} around the mean; absent for one value. */
  readonly margin?: number;
}

/** @param values at least one; where one of them is not finite, neither is the mean */
export function sampleStatistics(values: readonly number[]): SampleStatistics {
  const count = values.length;
  const mean = meanOf(values);
  if (count < 2) return { count, mean };
  const deviation = Math.sqrt(varianceOf(values));
  return { count, mean, deviation, margin: (studentQuantile(CONFIDENCE, count - 1) * deviation) / Math.sqrt(count) };
}

/** How much greater the values of one sample are than those of another. */
export interface Difference {
  readonly mean: number;
  /** As in {@link SampleStatistics}; absent where it cannot be told. */
  readonly margin?: number;
  /** Number of pairs; undefined for samples that are not compared in pairs. */
  readonly pairs?: number;
  /** True where the interval does not hold 0; undefined without an interval, and for values that are not finite. */
  readonly isMoreThanNoise?: boolean;
}

/**
 * The difference of two samples, `second - first`. Where at least two keys are in both, these are compared in pairs, which leaves out what
 * they have in common; else the samples as wholes, by Welch's test (Biometrika 34(1-2), 1947), its degrees of freedom rounded down.
 * @param first a value by its key, such as a seed; at least one, and so for `second`
 */
export function sampleDifference(first: ReadonlyMap<number, number>, second: ReadonlyMap<number, number>): Difference {
  const differences = [...first].flatMap(([key, value]) => {
    const other = second.get(key);
    return other === undefined ? [] : [other - value];
  });
  if (differences.length >= 2) {
    const { mean, margin } = sampleStatistics(differences);
    return withDecision(mean, margin, differences.length);
  }
  const [a, b] = [[...first.values()], [...second.values()]];
  return withDecision(meanOf(b) - meanOf(a), welchMargin(a, b));
}

function withDecision(mean: number, margin: number | undefined, pairs?: number): Difference {
  return {
    mean,
    ...(margin !== undefined && { margin, ...(!Number.isNaN(margin) && { isMoreThanNoise: Math.abs(mean) > margin }) }),
    ...(pairs !== undefined && { pairs }),
  };
}

function welchMargin(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length < 2 || b.length < 2) return undefined;
  const [ofA, ofB] = [varianceOf(a) / a.length, varianceOf(b) / b.length];
  if (ofA + ofB === 0) return 0;
  // Welch-Satterthwaite; at least the smaller of both degrees of freedom but for rounding.
  const degrees = (ofA + ofB) ** 2 / (ofA ** 2 / (a.length - 1) + ofB ** 2 / (b.length - 1));
  const whole = Math.max(1, Math.floor(degrees + 1e-9));
  return Number.isFinite(degrees) ? studentQuantile(CONFIDENCE, whole) * Math.sqrt(ofA + ofB) : NaN;
}

/**
 * The t for which Student's distribution has the probability `confidence` between -t and t.
 * @param degrees of freedom, a positive integer
 */
export function studentQuantile(confidence: number, degrees: number): number {
  // In the angle, the probability rises from 0 to 1.
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (probabilityWithin(middle, degrees) < confidence) low = middle;
    else high = middle;
  }
  return Math.sqrt(degrees) * Math.tan((low + high) / 2);
}

/**
 * The probability of Student's distribution between -t and t (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4).
 * @param angle atan(t / sqrt(degrees))
 */
function probabilityWithin(angle: number, degrees: number): number {
  const isOdd = degrees % 2 === 1;
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  let term = isOdd ? cosine : 1;
  let sum = 0;
  for (let power = isOdd ? 1 : 0; power <= degrees - 2; power += 2) {
    sum += term;
    term *= (cosine ** 2 * (power + 1)) / (power + 2);
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
