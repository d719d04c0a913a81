import { expect, test } from 'vitest';
import { isGreaterBetter } from '../../../../server/protocol/run/metricDirection.ts';

test.each([
  ['accuracy', true],
  ['perplexity', false],
  ['loss', false],
  ['mse', false],
  ['meanSquaredError', false],
  ['precision', true],
])('a greater %s is better: %s', (metric, greater) => {
  expect(isGreaterBetter(metric)).toBe(greater);
});
