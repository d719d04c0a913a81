/** @file `training.optimizer` of an experiment file. */
import * as z from 'zod';
import { fraction } from './values.ts';

const learningRate = z
  .number()
  .positive()
  .describe(
    'Step size of the optimizer, at the start of training. DeepTwist paper: SGD with 2.0 (pruning) and 2.6 (low rank) for the medium LSTM, ' +
      '1.0 and 0.6 to 1.4 for the large one, both pre-trained with 1.0; a higher rank wants a lower one.',
  );
const weightDecay = z.number().min(0).default(0);
const gradientWeightDecay = weightDecay.describe('L2: `weightDecay * w` is added to the gradient.');
const momentum = fraction.default(0).describe('Part of the last update that is kept in the next, 0 to 1.');
const epsilon = z.number().positive().default(1e-7);
const adamEpsilon = epsilon.describe(
  'Added to the root in the denominator of the update. A larger one, 1e-3, keeps Adam from moving weights of small gradient by ' +
    'the full learning rate; for LeNet-300-100 it was better with masks and with DeepTwist.',
);
const rootEpsilon = epsilon.describe(
  'Added to the mean or sum of the squares inside the root, as in TensorFlow: 1e-7 acts like 3e-4 outside of it.',
);

export const optimizer = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        type: z.literal('sgd'),
        learningRate: learningRate.meta({ examples: [1] }),
        momentum,
        nesterov: z.boolean().default(false).describe('Take the gradient where the momentum leads to (Nesterov 1983).'),
        weightDecay: gradientWeightDecay,
      })
      .describe('Stochastic gradient descent: the LSTM language models of the DeepTwist paper are trained by it.'),
    z
      .strictObject({
        type: z.literal('adam'),
        learningRate: learningRate.default(1e-3),
        beta1: fraction.default(0.9).describe('Decay of the mean of the gradients, a step.'),
        beta2: fraction.default(0.999).describe('Decay of the mean of their squares, a step.'),
        epsilon: adamEpsilon,
        weightDecay: weightDecay.describe('Decoupled (AdamW): `learningRate * weightDecay * w` is subtracted.'),
      })
      .describe('Adam (Kingma & Ba 2015): the LeNets of the DeepTwist paper are trained by it.'),
    z
      .strictObject({
        type: z.literal('rmsprop'),
        learningRate: learningRate.default(1e-3),
        decay: fraction.default(0.9).describe('Decay of the mean of squared gradients, a step.'),
        momentum,
        epsilon: rootEpsilon,
        centered: z
          .boolean()
          .default(false)
          .describe('Divide by the variance of the gradients, not by their mean square.'),
        weightDecay: gradientWeightDecay,
      })
      .describe('RMSProp (Tieleman & Hinton 2012).'),
    z
      .strictObject({
        type: z.literal('adagrad'),
        learningRate: learningRate.meta({ examples: [0.01] }),
        initialAccumulator: z.number().min(0).default(0.1).describe('Sum of squared gradients to begin with.'),
        epsilon: rootEpsilon,
        weightDecay: gradientWeightDecay,
      })
      .describe('Adagrad (Duchi et al. 2011).'),
  ])
  .describe(
    'The training algorithm. DeepTwist leaves it as it is: only the weights are distorted, between two of its steps.',
  )
  .meta({ examples: [{ type: 'adam', learningRate: 1e-3 }] });
