import { expect, test } from 'vitest';
import { prunedCount, pruningRateAt } from '../../../../../server/compression/methods/prune/rate.ts';

const lenet5 = { initialRate: 0.25, from: 8000, to: 12000, exponent: 7 };

// Values of equation (1) computed in double precision for the paper's LeNet-5 setting, printed to 6 digits.
test.each([
  [8000, 0.25],
  [8500, 0.699405],
  [9000, 0.891222],
  [10000, 0.984219],
  [11000, 0.989955],
  [12000, 0.99],
])('the pruning rate of the LeNet-5 schedule at step %i is %f', (step, rate) => {
  expect(pruningRateAt(lenet5, 0.99, step)).toBeCloseTo(rate, 6);
});

test('nothing is pruned before the schedule, and the target rate is kept after it', () => {
  expect(pruningRateAt(lenet5, 0.99, 7999)).toBe(0);
  expect(pruningRateAt(lenet5, 0.99, 20000)).toBe(0.99);
});

test('without a schedule the target rate holds at every step', () => {
  expect(pruningRateAt(undefined, 0.8, 0)).toBe(0.8);
});

test('a schedule that ends where it starts is a jump to the target', () => {
  const jump = { ...lenet5, from: 5, to: 5 };
  expect([4, 5].map((step) => pruningRateAt(jump, 0.9, step))).toEqual([0, 0.9]);
});

test('as many weights are pruned as the written rate says, for every rate of four decimals', () => {
  for (let rate = 0; rate < 10_000; rate++) {
    for (const size of [1, 7, 50, 100, 300, 30_000, 235_200]) {
      // In whole numbers there is nothing to round.
      expect(prunedCount(rate / 10_000, size)).toBe(Number((BigInt(rate) * BigInt(size)) / 10_000n));
    }
  }
  expect([prunedCount(0.29, 100), prunedCount(0.57, 100), prunedCount(0.58, 50)]).toEqual([29, 57, 29]);
});
