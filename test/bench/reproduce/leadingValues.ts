/** @file How large the singular values before the rank become (Figure 3 of the DeepTwist paper), beside the same training without compression. */
import { sampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';
import type { RunRecord } from './runRecords.ts';
import type { Series } from './study.ts';
import { greater, type Side, type Test } from './verdict.ts';

/** The mean of the `rank` largest singular values of each weight, before the last distortion. */
export const leadingSeries =
  (rank: number): Series =>
  (events) => {
    const last = events.findLast((event) => event.type === 'spectrum');
    return {
      leading: (last?.weights ?? []).map(({ singularValues }) => sampleStatistics(singularValues.slice(0, rank)).mean),
    };
  };

const leadingOf = ({ series }: RunRecord) => series?.leading && sampleStatistics(series.leading).mean;

/** The largest singular values of one side are larger than those of another, by more than noise. */
export function leadingAreLarger(ours: Side, theirs: Side): Test {
  return greater(
    ours,
    theirs,
    leadingOf,
    (own, control) =>
      `those before the rank have a mean of ${own.toPrecision(3)} at the end, beside ${control.toPrecision(3)} after the same training without compression; those behind it are set to zero by construction`,
  );
}
