/** @file Figure 2 of the DeepTwist paper, with the small model: LSTM layers of low rank on the Penn Treebank. */
import { sampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';
import { isEvaluationInTraining } from '../experiments.ts';
import { atOnce, experiment, furtherCase, FURTHER, learningRates, startOf, type Scale } from './pennTreebank.ts';
import { leadingSeries } from './leadingValues.ts';
import { EPOCHS, pretrainedSide, pruningPage } from './pennTreebankPruning.ts';
import { curve, levelOf, placeOf } from './pictures.ts';
import type { Case, Figure, Rival, Series, Study } from './study.ts';
import type { Side } from './verdict.ts';

const shared = (isShared: boolean) => [`compression.layers.lstm*.sharedProjection=${isShared}`];
export const PLAIN: Rival = { name: 'DeepTwist', overrides: shared(false) };
export const SHARED: Rival = { name: 'DeepTwist, shared projection', overrides: shared(true) };
const FACTORS: Rival = {
  name: 'SVD with retraining of the factors',
  overrides: [...shared(false), 'compression.policy=factors'],
};
export const SVD: Rival = atOnce('SVD, no retraining', shared(false));

/** The metric on the validation split after each epoch, with distorted weights; and the largest singular values at the end. */
const seriesOf =
  (rank: number): Series =>
  (events) => ({
    course: events.filter(isEvaluationInTraining).map(({ value }) => value),
    ...leadingSeries(rank)(events),
  });

const triesOf = (scale: Scale) => learningRates(scale.learningRates.ranks);

const rankCase = (scale: Scale, rank: number): Case => ({
  name: `${scale.small.name}, rank ${rank}`,
  file: experiment('small-low-rank'),
  overrides: [
    ...scale.small.overrides,
    `compression.distortEvery=${scale.distortEvery.ranks}`,
    `compression.layers.lstm*.rank=${rank}`,
  ],
  start: startOf(scale.small),
  rivals: [PLAIN, SHARED, FACTORS, SVD],
  tries: triesOf(scale),
  series: seriesOf(rank),
  published: [],
});

const furtherOf = (scale: Scale) => furtherCase(scale.small, 'small-low-rank', triesOf(scale), 'ranks');

/** The only distortion is behind the last step, and cuts nothing: its spectra are those of training without compression. */
const uncut = ({ stepsPerEpoch, small }: Scale): Rival => ({
  name: 'trained further, with the same learning rate',
  overrides: [
    ...shared(false),
    `compression.distortEvery=${EPOCHS * stepsPerEpoch}`,
    `compression.layers.lstm*.rank=${small.units}`,
  ],
});

/** The control of Figure 3. */
const spectraCase = (scale: Scale): Case => ({
  ...rankCase(scale, scale.lowRank),
  name: `${scale.small.name}, control of the spectra at rank ${scale.lowRank}`,
  rivals: [uncut(scale)],
  tries: { of: rankCase(scale, scale.lowRank), rival: PLAIN.name },
});

export const uncutSide = (scale: Scale): Side => ({ case: spectraCase(scale).name, rival: uncut(scale).name });
export const furtherRankSide = (scale: Scale): Side => ({ case: furtherOf(scale).name, rival: FURTHER.name });
export const rankSide = (scale: Scale, rank: number, { name }: Rival): Side => ({
  case: rankCase(scale, rank).name,
  rival: name,
});

/** The name of the page of ranks at a scale. */
export const ranksPage = ({ name }: Scale) => `${name}-ranks`;

export function pennTreebankRanks(scale: Scale): Study {
  return {
    name: ranksPage(scale),
    title: `Language models of low rank ${scale.title}`,
    introduction: [
      `Figure 2 of the DeepTwist paper with the small model (its figure has 2 x 650 units): the LSTM layers have a rank, \`S_D\` is ${scale.distortEvery.ranks}, retraining takes 13 epochs, as many as [pre-training](${pruningPage(scale)}.md). Tried are four learning rates ` +
        'for each rank and each way, that of pre-training (1) and its double among them; the control has the same retraining without compression.',
      ...scale.introduction,
    ],
    cases: [furtherOf(scale), ...scale.ranks.map((rank) => rankCase(scale, rank)), spectraCase(scale)],
    figures: [overTheRank(scale), overTheEpochs(scale)],
  };
}

const overTheRank = (scale: Scale): Figure => ({
  name: ranksPage(scale),
  title: `${scale.small.name}: perplexity over the rank`,
  content: (outcomes) => {
    const series = [PLAIN, SHARED, FACTORS, SVD].flatMap(({ name }, color) =>
      curve(
        name,
        color,
        scale.ranks.toReversed().flatMap((rank) => placeOf(outcomes.of(rankCase(scale, rank).name, name), rank)),
      ),
    );
    if (!series.some(({ x }) => x.length > 1)) return undefined;
    return {
      x: { label: 'rank', scale: 'log' },
      y: { label: 'test perplexity, mean and 95% interval' },
      series,
      references: [pretrainedSide(scale), furtherRankSide(scale)].flatMap((side) =>
        levelOf(outcomes.of(side.case, side.rival)),
      ),
    };
  },
});

const overTheEpochs = (scale: Scale): Figure => ({
  name: `${ranksPage(scale)}-course`,
  title: 'DeepTwist: perplexity after each epoch of retraining (Figure 2b)',
  content: (outcomes) => {
    const series = scale.ranks.flatMap((rank, color) => {
      const runs = [...outcomes.of(rankCase(scale, rank).name, PLAIN.name).runs.values()];
      const courses = runs.flatMap(({ series: own }) => (own?.course ? [own.course] : []));
      const epochs = courses[0]?.length ?? 0;
      return curve(
        `rank ${rank}`,
        color,
        Array.from({ length: epochs }, (_, index) => ({
          x: index + 1,
          ...sampleStatistics(courses.map((course) => course[index])),
        })),
      );
    });
    return series.some(({ x }) => x.length > 1)
      ? { x: { label: 'epoch' }, y: { label: 'validation perplexity, mean and 95% interval' }, series }
      : undefined;
  },
});
