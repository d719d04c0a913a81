/** @file What the studies on the Penn Treebank share: pre-trained models, layers, and the controls. */
import type { Case, Rival } from './study.ts';

export const FOLDER = 'examples/language-model';
export const experiment = (name: string) => `${FOLDER}/${name}.deeptwist.jsonc`;
/** The corpus of the command's `--ptb`. */
export const CORPUS = 'data.path=$PTB';
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
  readonly published: string;
}

export const startOf = ({ file }: Pretrained) => ({ name: file, file: experiment(file), overrides: [CORPUS] });

export const PRETRAINED: Rival = { name: 'pre-trained', overrides: [] };
export const FURTHER: Rival = { name: 'trained further', overrides: ['compression=null'] };

/** The pre-trained model by itself. */
export const pretrainingCase = (model: Pretrained): Case => ({
  name: `${model.name}, pre-training`,
  file: experiment(model.file),
  overrides: [CORPUS],
  rivals: [PRETRAINED],
  tries: [[]],
  published: [model.published],
});

/**
 * The dense control: the retraining of the others without their compression.
 * @param retraining name of the experiment of the others
 */
export const furtherCase = (model: Pretrained, retraining: string, tries: Case['tries'], of: string): Case => ({
  name: `${model.name}, control of ${of}`,
  file: experiment(retraining),
  overrides: [CORPUS],
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

export const small: Pretrained = {
  name: 'LSTM of 2 x 200 units',
  file: 'small-pretrain',
  published: 'Published: 114.5, validation 120.7 (Zaremba et al. 2014, the same model without dropout).',
};

export const oneLayer: Pretrained = {
  name: 'LSTM of 300 units',
  file: 'one-layer-pretrain',
  published: 'Published: 89.8 (Xu et al. 2018, up to 80 epochs; here 20).',
};
