/** @file Table 3 of the DeepTwist paper, with the small model: pruned LSTM language models on the Penn Treebank. */
import { dropSeries } from './dropSeries.ts';
import { DEEPTWIST, MASKS } from './mnistPruning.ts';
import {
  atOnce,
  CORPUS,
  experiment,
  FURTHER,
  furtherCase,
  learningRates,
  ofLayers,
  PRETRAINED,
  pretrainingCase,
  small,
  startOf,
} from './pennTreebank.ts';
import { curve, levelOf, placeOf } from './pictures.ts';
import type { Case, Study } from './study.ts';

export const RATES = [0.8, 0.85, 0.9, 0.95];
const TRIES = learningRates([0.5, 1, 2]);
const AT_ONCE = atOnce('one-shot, no retraining', ['compression.schedule=null']);
/** An epoch reads the corpus in batches of 20 sequences of 20 words. */
const STEPS_PER_EPOCH = 2323;
const EPOCHS = 13;

const prunedCase = (rate: number): Case => ({
  name: `${small.name}, ${100 * rate}% pruned`,
  file: experiment('small-prune'),
  overrides: [CORPUS, ...ofLayers({ rate })],
  start: startOf(small),
  rivals: [DEEPTWIST, MASKS, AT_ONCE],
  tries: TRIES,
  series: dropSeries({ from: 0, span: STEPS_PER_EPOCH, to: EPOCHS * STEPS_PER_EPOCH }),
  published: [],
});

const pretraining = pretrainingCase(small);
const further = furtherCase(small, 'small-prune', TRIES, 'pruning');

export const pretrainedSide = { case: pretraining.name, rival: PRETRAINED.name };
export const furtherSide = { case: further.name, rival: FURTHER.name };
export const prunedSide = (rate: number, rival: string) => ({ case: prunedCase(rate).name, rival });

export const pennTreebankPruning: Study = {
  name: 'ptb-pruning',
  title: 'Pruned language models on the Penn Treebank',
  introduction: [
    'Table 3 of the DeepTwist paper with the small model of Zaremba et al. 2014: pre-trained for 13 epochs, then 13 epochs of retraining, in which the rate of embedding, LSTM and softmax rises for three (`S_D` 100). ' +
      'Tried are three learning rates of retraining, for DeepTwist, for masks, and for the control: the same retraining without compression. Each seed has a pre-training of its own. The values of the table in the paper are not known to us.',
    "In the commands, `PTB` is the absolute path of a folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt of Mikolov's form of the corpus, which is not part of this repository.",
  ],
  cases: [pretraining, further, ...RATES.map(prunedCase)],
  figures: [
    {
      name: 'ptb-pruning',
      title: 'LSTM of 2 x 200 units: test perplexity over the pruning rate',
      content: (outcomes) => {
        const series = [DEEPTWIST, MASKS].flatMap(({ name }, color) =>
          curve(
            name,
            color,
            RATES.flatMap((rate) => placeOf(outcomes.of(prunedCase(rate).name, name), 100 * rate)),
          ),
        );
        if (!series.some(({ x }) => x.length > 1)) return undefined;
        return {
          x: { label: 'pruning rate (%)' },
          y: { label: 'test perplexity, mean and 95% interval' },
          series,
          references: [pretrainedSide, furtherSide].flatMap((side) => levelOf(outcomes.of(side.case, side.rival))),
        };
      },
    },
  ],
};
