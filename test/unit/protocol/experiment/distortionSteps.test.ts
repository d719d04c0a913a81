import { expect, test } from 'vitest';
import {
  distortionCount,
  firstDistortion,
  isDistortionStep,
} from '../../../../server/protocol/experiment/distortionSteps.ts';

test('the distortions of a run are found as they happen: at the multiples of S_D from t_i on, and after the last step', () => {
  for (const distortEvery of [1, 3, 10])
    for (const from of [0, 1, 9, 10, 11, 40])
      for (const steps of [1, 9, 10, 30, 31]) {
        const happens = (step: number) => step === steps || isDistortionStep(step, { distortEvery, from });
        const distortions = Array.from({ length: steps }, (_, i) => i + 1).filter(happens);
        expect(firstDistortion({ distortEvery, from, steps })).toBe(distortions[0]);
        expect(distortionCount({ distortEvery, from, steps })).toBe(distortions.length);
      }
});
