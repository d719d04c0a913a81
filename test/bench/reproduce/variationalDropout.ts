/** @file Sparse variational dropout (Molchanov et al. 2017) on the networks of Table 1 of the DeepTwist paper. */
import { VALIDATION } from './mnistPruning.ts';
import type { Case, Rival, Study } from './study.ts';

const LEARNING_RATES = [5e-4, 1e-3, 2e-3];
/** Natural logarithms of the variances that the weights begin with. */
const LOG_VARIANCES = [-8, -6];

/** The steps and the batches of the other methods: 18 epochs. */
const SAME_STEPS: Rival = {
  name: '20,000 steps of 50 images, as the others',
  overrides: [
    'training.batchSize=50',
    'training.steps=20000',
    'training.learningRateSchedule.every=14000',
    'compression.schedule.to=5000',
  ],
};
/** 131 epochs: the paper has 200 and more. */
const LONG: Rival = {
  name: '72,000 steps of 100 images',
  overrides: ['training.steps=72000', 'training.learningRateSchedule.every=48000'],
};

const workOf = (network: string, model: readonly string[]): Case => ({
  name: `Sparse variational dropout of ${network}`,
  file: 'examples/mnist/lenet-300-100-variational.deeptwist.jsonc',
  overrides: [...model, `data.validation=${VALIDATION}`],
  rivals: [SAME_STEPS, LONG],
  tries: LEARNING_RATES.flatMap((rate) =>
    LOG_VARIANCES.map((variance) => [
      `training.optimizer.learningRate=${rate}`,
      `compression.variationalDropout.logVariance=${variance}`,
    ]),
  ),
  chooses: 'ratio',
  published: [],
});

export const variationalDropout: Study = {
  name: 'variational-dropout',
  title: 'Sparse variational dropout on MNIST',
  introduction: [
    'The other rival of Table 1 of the DeepTwist paper. Training finds by itself how many weights become zero, so that a run has a ratio of its own: of the tries, that with the highest ratio is taken ' +
      'among those whose accuracy on the validation split is at most 0.1 points below the best. As many tries as in [mnist-pruning](mnist-pruning.md): three learning rates, two variances to begin with.',
  ],
  cases: [
    {
      ...workOf('LeNet-300-100', []),
      published: ['Published: 98.08% at 68x (Molchanov et al. 2017), by many more epochs.'],
    },
    {
      ...workOf('LeNet-5', ['model=builtin:lenet-5']),
      published: ['Published: 99.25% at 280x (Molchanov et al. 2017), by many more epochs.'],
    },
  ],
};
