/** @file Table 4 of the DeepTwist paper: an LSTM language model of one layer, quantized to binary codes, on the Penn Treebank. */
import {
  atOnce,
  CORPUS,
  experiment,
  FURTHER,
  furtherCase,
  learningRates,
  ofLayers,
  oneLayer,
  pretrainingCase,
  startOf,
} from './pennTreebank.ts';
import type { Case, Rival, Study } from './study.ts';

export const BITS = [1, 2, 3];
/** The first learning rate is that of the paper. */
const TRIES = learningRates([20, 10, 5]);

const algorithm = (name: string) => ofLayers({ algorithm: name });
export const ALTERNATING: Rival = { name: 'DeepTwist, alternating', overrides: algorithm('alternating') };
export const GREEDY: Rival = { name: 'DeepTwist, greedy', overrides: algorithm('greedy') };
export const EVERY_STEP: Rival = {
  name: 'alternating at every step, straight-through',
  overrides: [...algorithm('alternating'), 'compression.policy=straight-through', 'compression.distortEvery=1'],
};

const quantizedCase = (bits: number): Case => ({
  name: `${oneLayer.name}, ${bits} ${bits === 1 ? 'bit' : 'bits'}`,
  file: experiment('one-layer-quantize'),
  overrides: [CORPUS, ...ofLayers({ bits })],
  start: startOf(oneLayer),
  // With one bit, both algorithms are the same.
  rivals: [
    ALTERNATING,
    ...(bits > 1 ? [GREEDY] : []),
    EVERY_STEP,
    atOnce('alternating at once, no retraining', algorithm('alternating')),
  ],
  tries: TRIES,
  published:
    bits === 1
      ? []
      : [
          `Published: ${bits === 2 ? '95.8' : '87.9'} with activations of as many bits, alternating and straight-through (Xu et al. 2018, as remembered; it was not looked up for this page).`,
        ],
});

const pretraining = pretrainingCase(oneLayer);
const further = furtherCase(oneLayer, 'one-layer-quantize', TRIES, 'codes');

export const furtherFullPrecisionSide = { case: further.name, rival: FURTHER.name };
export const quantizedSide = (bits: number, { name }: Rival) => ({ case: quantizedCase(bits).name, rival: name });

export const pennTreebankQuantization: Study = {
  name: 'ptb-quantization',
  title: 'A language model in binary codes on the Penn Treebank',
  introduction: [
    'Table 4 of the DeepTwist paper: one LSTM layer of 300 units, pre-trained for 20 epochs and retrained for 20; embedding, LSTM and softmax have 1 to 3 bits, `S_D` is 2000. Beside it the quantization at every step that ' +
      'the paper compares with, and the same retraining without quantization. Tried are three learning rates for each. The values of the table in the paper are not known to us.',
  ],
  cases: [pretraining, further, ...BITS.map(quantizedCase)],
};
