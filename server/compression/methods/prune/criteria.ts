/** @file By which number weights are chosen when some are pruned: each criterion a row. */
import type { PruningCriterion } from '../../../protocol/experiment/schema/compression.ts';
import type { GroupScore } from './select/groups.ts';

export interface Criterion {
  /**
   * Adds a training step to the scores of a weight, in place, of its values and gradient; absent where the values alone are the
   * score, by their magnitudes.
   */
  readonly accumulate?: (scores: Float32Array, values: Float32Array, gradient: Float32Array) => void;
  readonly ofGroup: GroupScore;
}

/** What the mean of `taylor` keeps of itself from one step to the next: it is about that of the last 100 steps. */
const TAYLOR_DECAY = 0.99;

export const criteria: { readonly [C in PruningCriterion]: Criterion } = {
  magnitude: { ofGroup: 'root mean square' },
  /** `S <- S - w dL/dw`: what moves away from zero stays (Sanh et al. 2020, section 3). */
  movement: {
    accumulate(scores, values, gradient) {
      for (let i = 0; i < scores.length; i++) scores[i] -= values[i] * gradient[i];
    },
    ofGroup: 'mean',
  },
  /** The change of the loss without the weight, to first order, `|w dL/dw|` (Molchanov et al. 2017, equation (8)), as a moving mean. */
  taylor: {
    accumulate(scores, values, gradient) {
      for (let i = 0; i < scores.length; i++)
        scores[i] += (1 - TAYLOR_DECAY) * (Math.abs(values[i] * gradient[i]) - scores[i]);
    },
    ofGroup: 'mean',
  },
};
