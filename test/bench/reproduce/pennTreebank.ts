/** @file What the studies on the Penn Treebank share: their two scales, pre-trained models, layers, and the controls. */
import type { Case, Rival } from './study.ts';

export const FOLDER = 'examples/language-model';
export const experiment = (name: string) => `${FOLDER}/${name}.deeptwist.jsonc`;
const LAYERS = ['embedding', 'lstm*', 'softmax'];

/** The same settings of all layers with weights. */
export const ofLayers = (settings: Readonly<Record<string, string | number>>) =>
  LAYERS.flatMap((layer) =>
    Object.entries(settings).map(([name, value]) => `compression.layers.${layer}.${name}=${value}`),
  );

export const learningRates = (rates: readonly number[]) =>
  rates.map((rate) => [`training.optimizer.learningRate=${rate}`]);

/** A model that the others start from, with the same seed. */
export interface Pretrained {
  readonly name: string;
  /** Name of its experiment. */
  readonly file: string;
  /** Name of the folder of its run in the commands of those that start from it. */
  readonly folder: string;
  /** Corpus and model, of its retraining too. */
  readonly overrides: readonly string[];
  /** Units of a layer. */
  readonly units: number;
  /** What papers give for it, as lines of Markdown. */
  readonly published: readonly string[];
}

/** The protocol of the paper, or the same with less of everything, for which two cores are enough. */
export interface Scale {
  /** What the names of its pages begin with. */
  readonly name: string;
  /** What the titles of its pages end with. */
  readonly title: string;
  /** What is smaller than in the paper, as paragraphs of Markdown. */
  readonly introduction: readonly string[];
  /** Two LSTM layers: pruning and ranks. */
  readonly small: Pretrained;
  /** One LSTM layer: codes. */
  readonly oneLayer: Pretrained;
  /** Batches of 20 sequences of 20 words in an epoch. */
  readonly stepsPerEpoch: number;
  /** S_D, in steps. */
  readonly distortEvery: { readonly pruning: number; readonly codes: number; readonly ranks: number };
  readonly pruningRates: readonly number[];
  readonly ranks: readonly number[];
  /** The rank at which a model is much smaller and, by the paper, better than the pre-trained one. */
  readonly lowRank: number;
  readonly bits: readonly number[];
  /** Learning rates of retraining that are tried. */
  readonly learningRates: Readonly<Record<'pruning' | 'codes' | 'ranks', readonly number[]>>;
}

const CORPUS = 'data.path=$PTB';

export const FULL: Scale = {
  name: 'ptb',
  title: 'on the Penn Treebank',
  introduction: [],
  small: {
    name: 'LSTM of 2 x 200 units',
    file: 'small-pretrain',
    folder: 'small-pretrain',
    overrides: [CORPUS],
    units: 200,
    published: ['Published: 114.5, validation 120.7 (Zaremba et al. 2014, the same model without dropout).'],
  },
  oneLayer: {
    name: 'LSTM of 300 units',
    file: 'one-layer-pretrain',
    folder: 'one-layer-pretrain',
    overrides: [CORPUS],
    units: 300,
    published: ['Published: 89.8 (Xu et al. 2018, up to 80 epochs; here 20).'],
  },
  stepsPerEpoch: 2323,
  distortEvery: { pruning: 100, codes: 2000, ranks: 100 },
  pruningRates: [0.8, 0.85, 0.9, 0.95],
  ranks: [128, 96, 64, 32, 16],
  lowRank: 32,
  bits: [1, 2, 3],
  // The first learning rate of codes is that of the paper; pre-training has 1 where ranks and pruning are retrained.
  learningRates: { pruning: [0.5, 1, 2], codes: [20, 10, 5], ranks: [0.1, 0.3, 1, 2] },
};

/** The first fifth of the training text, a fifth of the words, half of the units. */
const FIFTH_OF_CORPUS = [CORPUS, 'data.limit.train=8400', 'data.vocabulary.size=2000'];
const lstm = (layers: number, units: number, dropout: number) =>
  `model=${JSON.stringify({ builtin: 'lstm-lm', layers, units, initialRange: 0.1, dropout })}`;

export const FIFTH: Scale = {
  name: 'ptb-fifth',
  title: 'on a fifth of the Penn Treebank',
  introduction: [
    'The protocol of the paper with less of everything, so that two cores train all of it in hours: the first fifth of the training text (186,000 words), the 2,000 most frequent words ' +
      '(a fifth; all others are `<unk>`), half of the units, and a fifth of `S_D`, so that an epoch has as many distortions. The epochs and the rest are those of the full size. As there, the pre-trained model ' +
      'overfits when it is trained further. Perplexities over 2,000 words compare with one another alone.',
  ],
  small: {
    name: 'LSTM of 2 x 100 units, a fifth of the text',
    file: 'small-pretrain',
    folder: 'small-pretrain-fifth',
    overrides: [...FIFTH_OF_CORPUS, lstm(2, 100, 0)],
    units: 100,
    published: [],
  },
  oneLayer: {
    name: 'LSTM of 150 units, a fifth of the text',
    file: 'one-layer-pretrain',
    folder: 'one-layer-pretrain-fifth',
    overrides: [...FIFTH_OF_CORPUS, lstm(1, 150, 0.5)],
    units: 150,
    published: [],
  },
  stepsPerEpoch: 465,
  distortEvery: { pruning: 20, codes: 400, ranks: 20 },
  pruningRates: [0.8, 0.9, 0.95],
  ranks: [48, 16, 8],
  lowRank: 16,
  bits: [1, 2, 3],
  // Without compression the best of 0.1 to 2 was the lowest.
  learningRates: { pruning: [0.03, 0.1, 0.3, 1], codes: [20, 10, 5], ranks: [0.1, 0.3, 1, 2] },
};

export const startOf = ({ file, folder, overrides }: Pretrained) => ({
  name: folder,
  file: experiment(file),
  overrides,
});

export const PRETRAINED: Rival = { name: 'pre-trained', overrides: [] };
export const FURTHER: Rival = { name: 'trained further', overrides: ['compression=null'] };

/** The pre-trained model by itself. */
export const pretrainingCase = (model: Pretrained): Case => ({
  ...startOf(model),
  name: `${model.name}, pre-training`,
  rivals: [PRETRAINED],
  tries: [[]],
  published: model.published,
});

/**
 * The dense control: the retraining of the others without their compression.
 * @param retraining name of the experiment of the others
 */
export const furtherCase = (model: Pretrained, retraining: string, tries: Case['tries'], of: string): Case => ({
  name: `${model.name}, control of ${of}`,
  file: experiment(retraining),
  overrides: model.overrides,
  start: startOf(model),
  rivals: [FURTHER],
  tries,
  published: [],
});

/** A single step, then the distortion. */
export const AT_ONCE = [
  'compression.policy=one-shot',
  'compression.distortEvery=1',
  'training.epochs=null',
  'training.steps=1',
];
/** A learning rate at which a step changes nothing. */
export const WEIGHTS_STAY = 'training.optimizer.learningRate=1e-30';

/** The pre-trained model, compressed at once. */
export const atOnce = (name: string, overrides: readonly string[] = []): Rival => ({
  name,
  overrides: [...overrides, ...AT_ONCE],
  tries: [[WEIGHTS_STAY]],
});
