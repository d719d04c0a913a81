import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  sampleDifference,
  sampleStatistics,
  studentQuantile,
} from '../../../../server/protocol/run/sampleStatistics.ts';

// Two-sided 95% and 99%: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, three decimal places.
test.each([
  [1, 12.706, 63.657],
  [2, 4.303, 9.925],
  [3, 3.182, 5.841],
  [4, 2.776, 4.604],
  [5, 2.571, 4.032],
  [9, 2.262, 3.25],
  [10, 2.228, 3.169],
  [29, 2.045, 2.756],
  [30, 2.042, 2.75],
  [100, 1.984, 2.626],
])('quantiles of %i degrees of freedom are those of a table', (degrees, at95, at99) => {
  expect(Math.abs(studentQuantile(0.95, degrees) - at95)).toBeLessThan(0.0005 + 1e-9);
  expect(Math.abs(studentQuantile(0.99, degrees) - at99)).toBeLessThan(0.0005 + 1e-9);
});

test('quantiles of one, two and four degrees of freedom are those of the closed forms', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 0.999, noNaN: true }), (confidence) => {
      // Shaw, "Sampling Student's t distribution", J. Comput. Finance 9(4), 2006, section 2.2.
      const a = 1 - confidence ** 2;
      const expected = [
        [1, Math.tan((Math.PI * confidence) / 2)],
        [2, confidence * Math.sqrt(2 / a)],
        [4, 2 * Math.sqrt(Math.cos(Math.acos(Math.sqrt(a)) / 3) / Math.sqrt(a) - 1)],
      ] as const;
      // The rounding of 1 - confidence^2, which the greatest quantiles enlarge.
      for (const [degrees, value] of expected)
        expect(Math.abs(studentQuantile(confidence, degrees) / value - 1)).toBeLessThan(1e-9);
    }),
  );
});

// Student 1908: additional hours of sleep with two drugs, ten patients. Intervals: R 4.3, t.test(..., paired = TRUE) and t.test(...).
const dextro = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
const laevo = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
const byPatient = (values: readonly number[], from = 0) => new Map(values.map((value, i) => [from + i, value]));

test('the mean, the deviation and the interval of a sample are those of R', () => {
  const { count, mean, deviation, margin } = sampleStatistics(laevo.map((value, i) => value - dextro[i]));
  expect(count).toBe(10);
  expect(mean).toBeCloseTo(1.58, 12);
  expect(deviation).toBeCloseTo(1.2299955, 6);
  expect(margin).toBeCloseTo((2.4598858 - 0.7001142) / 2, 6);
});

test('of one value there is no interval, and no decision of a difference', () => {
  expect(sampleStatistics([0.5])).toEqual({ count: 1, mean: 0.5 });
  expect(sampleDifference(new Map([[1, 0.5]]), new Map([[1, 0.75]]))).toEqual({ mean: 0.25 });
});

test('samples with the same keys are compared in pairs, which finds what they hide as wholes', () => {
  const paired = sampleDifference(byPatient(dextro), byPatient(laevo));
  expect(paired).toMatchObject({ pairs: 10, isMoreThanNoise: true });
  expect(paired.margin).toBeCloseTo(0.8798858, 6);
  const unpaired = sampleDifference(byPatient(dextro), byPatient(laevo, 100));
  expect(unpaired.pairs).toBeUndefined();
  expect(unpaired.isMoreThanNoise).toBe(false);
  // R takes 17.776 degrees of freedom, for which the interval is 1.7854832 to each side; 17 make it 0.4% wider.
  expect(unpaired.margin! / 1.7854832).toBeGreaterThan(1);
  expect(unpaired.margin! / 1.7854832).toBeLessThan(1.004);
});

test('only the keys that both have are pairs', () => {
  const [few, many] = [byPatient(dextro.slice(0, 3)), byPatient(laevo)];
  expect(sampleDifference(few, many)).toEqual(sampleDifference(few, byPatient(laevo.slice(0, 3))));
});

test('a difference that is the same in each pair is more than noise, and none is not', () => {
  const shifted = sampleDifference(new Map([[1, 2], [2, 5]]), new Map([[1, 3], [2, 6]])); // prettier-ignore
  expect(shifted).toEqual({ mean: 1, margin: 0, pairs: 2, isMoreThanNoise: true });
  const equal = sampleDifference(byPatient(dextro), byPatient(dextro));
  expect(equal).toEqual({ mean: 0, margin: 0, pairs: 10, isMoreThanNoise: false });
});

test('the interval of the mean holds the mean of normal numbers 95 times of 100', () => {
  // Box-Muller from a fixed sequence (Numerical Recipes' `ranqd1`): 4,000 samples; 3.5 standard errors of their share are 0.0121.
  let state = 1;
  const uniform = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const samples = Array.from({ length: 4000 }, () => sampleStatistics(Array.from({ length: 5 }, normal)));
  const holding = samples.filter(({ mean, margin }) => Math.abs(mean) <= margin!).length;
  expect(Math.abs(holding / 4000 - 0.95)).toBeLessThan(0.0121);
});
