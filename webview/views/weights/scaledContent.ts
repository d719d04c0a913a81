/** @file The chart of levels that all buckets of a weight share, over the histogram of its weights between the ends of their buckets. Pure. */
import * as l10n from '@vscode/l10n';
import type { WeightDistortion } from '../../../server/protocol/run/runHistory.ts';
import type { ChartContent } from '../../charts/model/content.ts';
import { edges } from './bins.ts';
import { countAxis, levelLines, levelNote } from './histogramContent.ts';

/**
 * Counts are on a linear axis: the weights of a bucket spread over its range, so that none hides the others.
 * @param all recordings of the weight, so that the x axis stays while the slider moves
 * @returns undefined where buckets share no levels
 */
export function scaledContent(
  { scaledLevels }: WeightDistortion,
  color: number,
  all: readonly WeightDistortion[],
): ChartContent | undefined {
  if (!scaledLevels) return undefined;
  const { levels, counts } = scaledLevels;
  const recorded = all.flatMap((distortion) => distortion.scaledLevels?.levels ?? []);
  return {
    x: {
      label: l10n.t('place between the ends of the bucket'),
      column: 'place in bucket',
      minimum: recorded.reduce((least, level) => Math.min(least, level), 0),
      maximum: recorded.reduce((most, level) => Math.max(most, level), 1),
    },
    y: countAxis('linear'),
    series: [
      {
        id: 'scaled',
        label: l10n.t('weights'),
        column: 'weights',
        color,
        x: edges({ minimum: 0, maximum: 1, count: counts.length }),
        y: counts,
        mark: 'bins',
      },
    ],
    references: levelLines(levels),
    summary: [l10n.t('0 is the smallest number of a bucket, 1 its greatest'), levelNote(levels)].join('. '),
    empty: l10n.t('The histogram is empty: no weight has a finite value.'),
  };
}
