/** @file Facts of `group-lasso`: proximal steps on the norms of output units (Alvarez & Salzmann 2016 and 2017). */
import { formatNumber } from '../../formatQuantity.ts';
import type { MethodFacts } from './facts.ts';

export const groupLasso: MethodFacts = {
  title: 'Neurons and filters shrink while weights train, until many are zero',
  choice: {
    label: 'Group Lasso',
    detail: 'Training finds how many neurons and filters a layer needs: the others become 0.',
    comment:
      'Trains for few neurons and filters: after each epoch all are shrunk by a threshold, so that many become 0 as a whole.',
  },
  parameters: {
    lambda: {
      unit: 'strength',
      texts: { full: 'lambda {0}', short: 'lambda {0}' },
      comment: 'Learning rate x lambda x the root of its size is cut from the norm of each neuron or filter.',
      setsZeros: true,
      smallerModel: 'greater values',
      range: () => ({ lowest: 0, highest: 10, step: 0.05 }),
      // In a first experiment, LeNet-300-100 on MNIST comes to 112 of 300 and 79 of 100 neurons within its 10 epochs.
      first: () => 0.5,
      proposed: () => [0.1, 0.2, 0.5, 1],
    },
  },
  required: {},
  leaves: 'zero units',
  follows: ['low rank'],
  distortEvery: { text: 1, others: 1, unit: 'epochs' },
  spectrumAtEachObservation: false,
  hasLevels: false,
  proximal: {
    strength: 'lambda',
    cuts(threshold, { alpha }) {
      const ofNumbers = typeof alpha === 'number' ? alpha : 0;
      const units = `cuts ${formatNumber((1 - ofNumbers) * threshold)} √P from each unit's norm`;
      return ofNumbers === 0 ? units : `${units}, ${formatNumber(ofNumbers * threshold)} from each number`;
    },
  },
  refuses: {
    depthwise_kernel: 'a depthwise kernel filters each channel by itself, and has no unit that takes part of its input',
    embeddings: 'the rows of embeddings are words, and no output units of a layer',
  },
  changeable: ['strengths'],
};
