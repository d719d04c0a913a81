/** @file Table 1 of the DeepTwist paper: pruned LeNets on MNIST, by DeepTwist and by the methods it is compared with. */
import { dropSeries, riseCurve } from './dropSeries.ts';
import type { Case, Rival, Study } from './study.ts';

/** Training images that are kept apart: settings are chosen on them. */
export const VALIDATION = 5000;
const EPSILONS = [1e-3, 1e-7];

export interface Network {
  readonly name: string;
  readonly file: string;
  /** Step at which pruning begins, as in the experiment file. */
  readonly from: number;
  readonly learningRates: readonly number[];
  readonly published: string;
}

export type Rates = Readonly<Record<string, number>>;

export const lenet300: Network = {
  name: 'LeNet-300-100',
  file: 'examples/mnist/lenet-300-100-prune.deeptwist.jsonc',
  from: 8000,
  learningRates: [1e-3, 2e-3, 4e-3],
  published:
    'Published: Dynamic Network Surgery 98.01% at 56x (Guo et al. 2016), sparse variational dropout 98.08% at 68x (Molchanov et al. 2017).',
};

export const lenet5: Network = {
  name: 'LeNet-5',
  file: 'examples/mnist/lenet-5-prune.deeptwist.jsonc',
  from: 8000,
  learningRates: [5e-4, 1e-3, 2e-3],
  published:
    'Published: Dynamic Network Surgery 99.09% at 108x (Guo et al. 2016), sparse variational dropout 99.25% at 280x (Molchanov et al. 2017).',
};

export const DEEPTWIST: Rival = { name: 'DeepTwist', overrides: [] };
export const MASKS: Rival = { name: 'gradual masks', overrides: ['compression.policy=gradual-mask'] };
export const SURGERY: Rival = { name: 'dynamic network surgery', overrides: ['compression.policy=dynamic-surgery'] };
export const DENSE: Rival = { name: 'no compression', overrides: ['compression=null'] };

/** All of the rate at once, and the masks stay while the rest is trained further. */
const oneShot = ({ from }: Network): Rival => ({
  name: 'one-shot with retraining',
  overrides: ['compression.policy=gradual-mask', `compression.schedule.to=${from + 1}`],
});

const triesOf = ({ learningRates }: Network) =>
  learningRates.flatMap((rate) =>
    EPSILONS.map((epsilon) => [`training.optimizer.learningRate=${rate}`, `training.optimizer.epsilon=${epsilon}`]),
  );

/** A network at rates that are the same for all rivals, which begin with the same steps of plain training. */
export function prunedCase(
  network: Network,
  ratio: string,
  rates: Rates,
  { rivals, tries = triesOf(network) }: { readonly rivals: readonly Rival[]; readonly tries?: Case['tries'] },
): Case {
  return {
    name: `${network.name} at ${ratio}`,
    file: network.file,
    overrides: [
      `data.validation=${VALIDATION}`,
      ...Object.entries(rates).map(([layer, rate]) => `compression.layers.${layer}.rate=${rate}`),
    ],
    rivals,
    tries,
    series: dropSeries({ from: network.from, span: 1000, to: 20_000 }),
    published: [network.published],
  };
}

/** The dense control: as many steps, as many tries. */
export const denseCase = (network: Network): Case => ({
  name: `${network.name} without compression`,
  file: network.file,
  overrides: [`data.validation=${VALIDATION}`],
  rivals: [DENSE],
  tries: triesOf(network),
  published: [],
});

const rivalsOf = (network: Network) => [DEEPTWIST, MASKS, SURGERY, oneShot(network)];

/** Rates of the experiment files, at about the ratios of the paper's rivals: settings of other studies are chosen there. */
export const RATES_OF_LENET300: Rates = { fc1: 0.987, fc2: 0.972, fc3: 0.62 };
export const RATES_OF_LENET5: Rates = { conv1: 0.6, conv2: 0.96, fc1: 0.9938, fc2: 0.94 };
export const lenet300At62 = prunedCase(lenet300, '62x', RATES_OF_LENET300, { rivals: rivalsOf(lenet300) });
export const lenet5At108 = prunedCase(lenet5, '108x', RATES_OF_LENET5, { rivals: rivalsOf(lenet5) });

export const mnistPruning: Study = {
  name: 'mnist-pruning',
  title: 'Pruning on MNIST: DeepTwist beside masks, surgery and one-shot pruning',
  introduction: [
    'Table 1 of the DeepTwist paper: each network is trained for 20,000 steps of 50 images, the first 8,000 without compression; the rates of the ' +
      `layers are the same for all. ${VALIDATION} of the training images are kept apart. Tried are three learning rates, with Adam's epsilon at 1e-3 and at 1e-7.`,
  ],
  cases: [
    lenet300At62,
    prunedCase(lenet300, '10x', { fc1: 0.9, fc2: 0.9, fc3: 0.9 }, { rivals: rivalsOf(lenet300) }),
    denseCase(lenet300),
    lenet5At108,
    prunedCase(lenet5, '10x', { conv1: 0.5, conv2: 0.88, fc1: 0.91, fc2: 0.81 }, { rivals: rivalsOf(lenet5) }),
    denseCase(lenet5),
  ],
  figures: [
    {
      name: 'mnist-pruning-drop',
      title: 'DeepTwist: how much the loss of a batch rises at a distortion',
      content: (outcomes) => {
        const series = [lenet300At62, lenet5At108].flatMap(({ name }, color) =>
          riseCurve(name, color, outcomes.of(name, DEEPTWIST.name)),
        );
        return series.length > 0
          ? { x: { label: 'step' }, y: { label: 'rise of the loss, mean of 1,000 steps and 95% interval' }, series }
          : undefined;
      },
    },
  ],
};
