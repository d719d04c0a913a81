/** @file Table 1 of the DeepTwist paper: pruned LeNets on MNIST, by DeepTwist and by the methods it is compared with. */
import type { Case, Rival, Study } from './study.ts';

/** Training images that are kept apart: settings are chosen on them. */
const VALIDATION = 5000;
const EPSILONS = [1e-3, 1e-7];

interface Network {
  readonly name: string;
  readonly file: string;
  /** As the experiment file has them. */
  readonly from: number;
  readonly learningRates: readonly number[];
  readonly ratios: readonly { readonly ratio: string; readonly rates: Readonly<Record<string, number>> }[];
  readonly published: string;
}

const networks: readonly Network[] = [
  {
    name: 'LeNet-300-100',
    file: 'examples/mnist/lenet-300-100-prune.deeptwist.jsonc',
    from: 8000,
    learningRates: [1e-3, 2e-3, 4e-3],
    ratios: [
      { ratio: '62x', rates: { fc1: 0.987, fc2: 0.972, fc3: 0.62 } },
      { ratio: '10x', rates: { fc1: 0.9, fc2: 0.9, fc3: 0.9 } },
    ],
    published:
      'Published: Dynamic Network Surgery 98.01% at 56x (Guo et al. 2016), sparse variational dropout 98.08% at 68x (Molchanov et al. 2017).',
  },
  {
    name: 'LeNet-5',
    file: 'examples/mnist/lenet-5-prune.deeptwist.jsonc',
    from: 8000,
    learningRates: [5e-4, 1e-3, 2e-3],
    ratios: [
      { ratio: '108x', rates: { conv1: 0.6, conv2: 0.96, fc1: 0.9938, fc2: 0.94 } },
      { ratio: '10x', rates: { conv1: 0.5, conv2: 0.88, fc1: 0.91, fc2: 0.81 } },
    ],
    published:
      'Published: Dynamic Network Surgery 99.09% at 108x (Guo et al. 2016), sparse variational dropout 99.25% at 280x (Molchanov et al. 2017).',
  },
];

/** The policies at rates that are given. All begin with the same steps of plain training. */
function rivalsOf({ from }: Network): Rival[] {
  return [
    { name: 'DeepTwist', overrides: [] },
    { name: 'gradual masks', overrides: ['compression.policy=gradual-mask'] },
    { name: 'dynamic network surgery', overrides: ['compression.policy=dynamic-surgery'] },
    {
      // All of the rate at once, and the masks stay while the rest is trained further.
      name: 'one-shot with retraining',
      overrides: ['compression.policy=gradual-mask', `compression.schedule.to=${from + 1}`],
    },
  ];
}

const casesOf = (network: Network): Case[] =>
  network.ratios.map(({ ratio, rates }) => ({
    name: `${network.name} at ${ratio}`,
    file: network.file,
    overrides: [
      `data.validation=${VALIDATION}`,
      ...Object.entries(rates).map(([layer, rate]) => `compression.layers.${layer}.rate=${rate}`),
    ],
    rivals: rivalsOf(network),
    tries: network.learningRates.flatMap((rate) =>
      EPSILONS.map((epsilon) => [`training.optimizer.learningRate=${rate}`, `training.optimizer.epsilon=${epsilon}`]),
    ),
    published: [network.published],
  }));

export const mnistPruning: Study = {
  title: 'Pruning on MNIST: DeepTwist beside masks, surgery and one-shot pruning',
  introduction: [
    'Table 1 of the DeepTwist paper: each network is trained for 20,000 steps of 50 images, the first 8,000 without compression; the rates of the ' +
      `layers are the same for all. ${VALIDATION} of the training images are kept apart. Tried were three learning rates, with Adam's epsilon at 1e-3 and at 1e-7.`,
  ],
  cases: networks.flatMap(casesOf),
};
