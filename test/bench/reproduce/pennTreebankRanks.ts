/** @file Figure 2 of the DeepTwist paper, with the small model: LSTM layers of low rank on the Penn Treebank. */
import { sampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';
import { isEvaluationInTraining } from '../experiments.ts';
import { atOnce, CORPUS, experiment, furtherCase, FURTHER, learningRates, small, startOf } from './pennTreebank.ts';
import { curve, placeOf } from './pictures.ts';
import type { Case, Rival, Series, Study } from './study.ts';

export const RANKS = [128, 96, 64, 32, 16];
/** The learning rate of pre-training is 1. */
const TRIES = learningRates([0.1, 0.3, 1, 2]);

const shared = (isShared: boolean) => [`compression.layers.lstm*.sharedProjection=${isShared}`];
export const PLAIN: Rival = { name: 'DeepTwist', overrides: shared(false) };
export const SHARED: Rival = { name: 'DeepTwist, shared projection', overrides: shared(true) };
const FACTORS: Rival = {
  name: 'SVD with retraining of the factors',
  overrides: [...shared(false), 'compression.policy=factors'],
};
export const SVD: Rival = atOnce('SVD, no retraining', shared(false));

/** The metric on the validation split after each epoch, with distorted weights. */
const courseSeries: Series = (events) => ({
  course: events.filter(isEvaluationInTraining).map(({ value }) => value),
});

const rankCase = (rank: number): Case => ({
  name: `${small.name}, rank ${rank}`,
  file: experiment('small-low-rank'),
  overrides: [CORPUS, `compression.layers.lstm*.rank=${rank}`],
  start: startOf(small),
  rivals: [PLAIN, SHARED, FACTORS, SVD],
  tries: TRIES,
  series: courseSeries,
  published: [],
});

const further = furtherCase(small, 'small-low-rank', TRIES, 'ranks');
export const furtherRankSide = { case: further.name, rival: FURTHER.name };
export const rankSide = (rank: number, { name }: Rival) => ({ case: rankCase(rank).name, rival: name });

export const pennTreebankRanks: Study = {
  name: 'ptb-ranks',
  title: 'Language models of low rank on the Penn Treebank',
  introduction: [
    'Figure 2 of the DeepTwist paper with the small model (its figure has 2 x 650 units): the LSTM layers have a rank, `S_D` is 100, retraining takes 13 epochs, as many as [pre-training](ptb-pruning.md). Tried are four learning rates ' +
      'for each rank and each way, that of pre-training (1) and its double among them; the control has the same retraining without compression.',
  ],
  cases: [further, ...RANKS.map(rankCase)],
  figures: [
    {
      name: 'ptb-ranks',
      title: 'LSTM of 2 x 200 units: test perplexity over the rank (Figure 2a)',
      content: (outcomes) => {
        const series = [PLAIN, SHARED, FACTORS, SVD].flatMap(({ name }, color) =>
          curve(
            name,
            color,
            RANKS.toReversed().flatMap((rank) => placeOf(outcomes.of(rankCase(rank).name, name), rank)),
          ),
        );
        return series.some(({ x }) => x.length > 1)
          ? { x: { label: 'rank', scale: 'log' }, y: { label: 'test perplexity, mean and 95% interval' }, series }
          : undefined;
      },
    },
    {
      name: 'ptb-ranks-course',
      title: 'DeepTwist: validation perplexity after each epoch of retraining (Figure 2b)',
      content: (outcomes) => {
        const series = RANKS.flatMap((rank, color) => {
          const runs = [...outcomes.of(rankCase(rank).name, PLAIN.name).runs.values()];
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
    },
  ],
};
