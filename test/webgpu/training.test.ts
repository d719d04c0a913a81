/** @file Training steps on a graphics processor, or on the software in its place, held to those on the processor. */
import { describe, expect, test } from 'vitest';
import { softwareVulkan } from '../../scripts/softwareVulkan.js';
import { missingAdapter } from './adapter.ts';
import { networks } from './networks.ts';
import { largestDifference, train } from './train.ts';

const missing = await missingAdapter();

test.runIf('VK_ICD_FILENAMES' in softwareVulkan())('the software that a browser brings is a graphics processor', () => {
  expect(missing).toBeUndefined();
});

const STEPS = 50;
/** The devices add up in other orders; differences grow from step to step. A wrong kernel is wrong by more at once. */
const TOLERANCE = 1e-3;
/** Bytes of the loss and of the numbers that an optimizer gets, at most. */
const SCALARS = 64;

describe.skipIf(missing)(missing ?? 'after 50 steps on the graphics processor', () => {
  test.each(Object.entries(networks))(
    'the weights of %s are those of the processor, and none has left it',
    async (_, create) => {
      const network = create('small');
      const onProcessor = await train(network, { device: 'cpu', keepsWeights: false, steps: STEPS });
      const onDevice = await train(network, { device: 'webgpu', keepsWeights: true, steps: STEPS });
      expect(largestDifference(onProcessor, onDevice)).toBeLessThan(TOLERANCE);

      const [first, ...later] = onDevice.traffic;
      const moved = Math.max(...later);
      // States and the indices of an embedding come back, besides the loss.
      expect(moved).toBeLessThanOrEqual(2 * onDevice.batch + SCALARS);
      expect(first - moved).toBe(onDevice.kept);
    },
  );
});
