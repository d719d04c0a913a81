/** @file Table 4 of the DeepTwist paper: an LSTM language model of one layer, quantized to binary codes, on the Penn Treebank. */
import {
  atOnce,
  experiment,
  FURTHER,
  furtherCase,
  learningRates,
  ofLayers,
  pretrainingCase,
  startOf,
  type Scale,
} from './pennTreebank.ts';
import type { Case, Rival, Study } from './study.ts';
import type { Side } from './verdict.ts';

const algorithm = (name: string) => ofLayers({ algorithm: name });
export const ALTERNATING: Rival = { name: 'DeepTwist, alternating', overrides: algorithm('alternating') };
export const GREEDY: Rival = { name: 'DeepTwist, greedy', overrides: algorithm('greedy') };
export const EVERY_STEP: Rival = {
  name: 'alternating at every step, straight-through',
  overrides: [...algorithm('alternating'), 'compression.policy=straight-through', 'compression.distortEvery=1'],
};

const triesOf = (scale: Scale) => learningRates(scale.learningRates.codes);

/** Test perplexities that Xu et al. 2018 give, by the number of bits. */
const PUBLISHED: Readonly<Record<number, string>> = { 2: '95.8', 3: '87.9' };

const quantizedCase = (scale: Scale, bits: number): Case => ({
  name: `${scale.oneLayer.name}, ${bits} ${bits === 1 ? 'bit' : 'bits'}`,
  file: experiment('one-layer-quantize'),
  overrides: [
    ...scale.oneLayer.overrides,
    `compression.distortEvery=${scale.distortEvery.codes}`,
    ...ofLayers({ bits }),
  ],
  start: startOf(scale.oneLayer),
  // With one bit, both algorithms are the same.
  rivals: [
    ALTERNATING,
    ...(bits > 1 ? [GREEDY] : []),
    EVERY_STEP,
    atOnce('alternating at once, no retraining', algorithm('alternating')),
  ],
  tries: triesOf(scale),
  published:
    bits in PUBLISHED && scale.oneLayer.published.length > 0
      ? [
          `Published: ${PUBLISHED[bits]} with activations of as many bits, alternating and straight-through (Xu et al. 2018, as remembered; it was not looked up for this page).`,
        ]
      : [],
});

const furtherOf = (scale: Scale) => furtherCase(scale.oneLayer, 'one-layer-quantize', triesOf(scale), 'codes');

export const furtherFullPrecisionSide = (scale: Scale): Side => ({ case: furtherOf(scale).name, rival: FURTHER.name });
export const quantizedSide = (scale: Scale, bits: number, { name }: Rival): Side => ({
  case: quantizedCase(scale, bits).name,
  rival: name,
});

/** The name of the page of codes at a scale. */
export const quantizationPage = ({ name }: Scale) => `${name}-quantization`;

export function pennTreebankQuantization(scale: Scale): Study {
  return {
    name: quantizationPage(scale),
    title: `A language model in binary codes ${scale.title}`,
    introduction: [
      `Table 4 of the DeepTwist paper: one LSTM layer of 300 units, pre-trained for 20 epochs and retrained for 20; embedding, LSTM and softmax have 1 to 3 bits, \`S_D\` is ${scale.distortEvery.codes}. Beside it the quantization at every step that ` +
        'the paper compares with, and the same retraining without quantization. Tried are three learning rates for each. The values of the table in the paper are not known to us.',
      ...scale.introduction,
    ],
    cases: [pretrainingCase(scale.oneLayer), furtherOf(scale), ...scale.bits.map((bits) => quantizedCase(scale, bits))],
  };
}
