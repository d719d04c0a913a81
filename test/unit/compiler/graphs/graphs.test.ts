import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { judgeModel, type Verdict } from './judgeModel.ts';
import { recipes } from './randomModel.ts';

/** `npm run bench -- graphs` tries thousands. */
const MODELS = 150;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('Random models', () => {
  it('have the losses, gradients and evaluations of the cpu backend, or it is told why they are not compiled', async () => {
    const verdicts: Verdict['kind'][] = [];
    await fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        const { kind, reason, text } = await judgeModel(recipe);
        verdicts.push(kind);
        expect(kind, `${reason}\n${text}`).not.toBe('failed');
      }),
      { seed: 1, numRuns: MODELS },
    );
    // Most are compiled, or nothing is shown.
    expect(verdicts.filter((kind) => kind === 'agreed').length).toBeGreaterThan(MODELS / 2);
  }, 180_000);
});
