/** @file Facts of `nuclear-norm`: proximal steps on singular values. */
import { formatNumber } from '../../formatQuantity.ts';
import type { MethodFacts } from './facts.ts';

export const nuclearNorm: MethodFacts = {
  title: 'Singular values shrink while weights train, until the rank is low',
  choice: {
    label: 'Nuclear Norm',
    detail: 'Training finds the rank of each matrix: all singular values shrink, and most become 0.',
    comment:
      'Trains for a low rank: after each epoch a threshold is taken off all singular values, so that most become 0.',
  },
  parameters: {
    tau: {
      unit: 'strength',
      texts: { full: 'tau {0}', short: 'tau {0}' },
      comment: 'Learning rate x tau is cut from each singular value.',
      setsZeros: false,
      smallerModel: 'greater values',
      range: () => ({ lowest: 0, highest: 100, step: 0.5 }),
      // A threshold of 0.4 in a first experiment: LeNet-300-100 on MNIST comes to ranks of 32 and 10 within its 10 epochs.
      first: () => 20,
      // The lower ones are for a learning rate of 0.1.
      proposed: () => [1, 5, 10, 20, 50],
    },
  },
  required: {},
  leaves: 'low rank',
  follows: [],
  distortEvery: { text: 1, others: 1, unit: 'epochs' },
  spectrumAtEachObservation: true,
  hasLevels: false,
  proximal: {
    strength: 'tau',
    cuts: (threshold) => `cuts ${formatNumber(threshold)} from each singular value`,
  },
  refuses: {
    depthwise_kernel: 'a depthwise kernel filters each channel by itself, and no two factors take its place',
  },
  changeable: ['strengths'],
};
