/** @file Table 3 of the DeepTwist paper, with the small model: pruned LSTM language models on the Penn Treebank. */
import { dropSeries } from './dropSeries.ts';
import { DEEPTWIST, MASKS } from './mnistPruning.ts';
import {
  atOnce,
  experiment,
  FURTHER,
  furtherCase,
  learningRates,
  ofLayers,
  PRETRAINED,
  pretrainingCase,
  startOf,
  type Scale,
} from './pennTreebank.ts';
import { curve, levelOf, placeOf } from './pictures.ts';
import type { Case, Study } from './study.ts';
import type { Side } from './verdict.ts';

const AT_ONCE = atOnce('one-shot, no retraining', ['compression.schedule=null']);
/** Epochs of retraining. */
export const EPOCHS = 13;

const triesOf = (scale: Scale) => learningRates(scale.learningRates.pruning);

const prunedCase = (scale: Scale, rate: number): Case => ({
  name: `${scale.small.name}, ${100 * rate}% pruned`,
  file: experiment('small-prune'),
  overrides: [
    ...scale.small.overrides,
    `compression.distortEvery=${scale.distortEvery.pruning}`,
    ...ofLayers({ rate }),
  ],
  start: startOf(scale.small),
  rivals: [DEEPTWIST, MASKS, AT_ONCE],
  tries: triesOf(scale),
  series: dropSeries({ from: 0, span: scale.stepsPerEpoch, to: EPOCHS * scale.stepsPerEpoch }),
  published: [],
});

const furtherOf = (scale: Scale) => furtherCase(scale.small, 'small-prune', triesOf(scale), 'pruning');

export const pretrainedSide = ({ small }: Scale): Side => ({
  case: pretrainingCase(small).name,
  rival: PRETRAINED.name,
});
export const furtherSide = (scale: Scale): Side => ({ case: furtherOf(scale).name, rival: FURTHER.name });
export const prunedSide = (scale: Scale, rate: number, rival: string): Side => ({
  case: prunedCase(scale, rate).name,
  rival,
});

/** The name of the page of pruning at a scale. */
export const pruningPage = ({ name }: Scale) => `${name}-pruning`;

export function pennTreebankPruning(scale: Scale): Study {
  const { small, pruningRates } = scale;
  return {
    name: pruningPage(scale),
    title: `Pruned language models ${scale.title}`,
    introduction: [
      'Table 3 of the DeepTwist paper with the small model of Zaremba et al. 2014: pre-trained for 13 epochs, then 13 epochs of retraining, in which the rate of embedding, LSTM and softmax rises for three ' +
        `(\`S_D\` ${scale.distortEvery.pruning}). Tried are ${triesOf(scale).length} learning rates of retraining, for DeepTwist, for masks, and for the control: the same retraining without compression. ` +
        'Each seed has a pre-training of its own. The values of the table in the paper are not known to us.',
      ...scale.introduction,
      "In the commands, `PTB` is the absolute path of a folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt of Mikolov's form of the corpus, which is not part of this repository.",
    ],
    cases: [pretrainingCase(small), furtherOf(scale), ...pruningRates.map((rate) => prunedCase(scale, rate))],
    figures: [
      {
        name: pruningPage(scale),
        title: `${small.name}: perplexity over the rate`,
        content: (outcomes) => {
          const outcomeOf = (side: Side) => outcomes.of(side.case, side.rival);
          const series = [DEEPTWIST, MASKS].flatMap(({ name }, color) =>
            curve(
              name,
              color,
              pruningRates.flatMap((rate) => placeOf(outcomeOf(prunedSide(scale, rate, name)), 100 * rate)),
            ),
          );
          if (!series.some(({ x }) => x.length > 1)) return undefined;
          return {
            x: { label: 'pruning rate (%)' },
            y: { label: 'test perplexity, mean and 95% interval' },
            series,
            references: [pretrainedSide(scale), furtherSide(scale)].flatMap((side) => levelOf(outcomeOf(side))),
          };
        },
      },
    ],
  };
}
