import { expect, test } from 'vitest';
import { stepsPerEpoch } from '../../../../server/data/text/tokenStreams.ts';

// 929,589 words in 20 streams of 46,479, of which the first is no target.
test.each([
  [30, 1549],
  [35, 1327],
])('batches of 20 x %i time steps are %i of the Penn Treebank', (timeSteps, steps) => {
  expect(stepsPerEpoch(929_589, 20, timeSteps)).toBe(steps);
});
