/** @file How large the singular values before the rank become (Figure 3 of the DeepTwist paper), beside the same training without compression. */
import { sampleDifference, sampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';
import { figures } from './outcomes.ts';
import type { RunRecord } from './runRecords.ts';
import type { Series } from './study.ts';
import { tooFew, LEAST_SEEDS, type Side, type Test } from './verdict.ts';

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
  return (outcomes) => {
    const sides = [ours, theirs].map((side) => outcomes.of(side.case, side.rival));
    const [own, other] = sides.map((outcome) => figures(outcome, leadingOf));
    if (Math.min(own.size, other.size) < LEAST_SEEDS) return tooFew(...sides);
    const { mean, isMoreThanNoise } = sampleDifference(other, own);
    const [mine, control] = [own, other].map((values) => sampleStatistics([...values.values()]).mean);
    return {
      verdict: mean > 0 && isMoreThanNoise === true ? 'seen' : 'not seen',
      value: `those before the rank have a mean of ${mine.toPrecision(3)} at the end, beside ${control.toPrecision(3)} after the same training without compression; those behind it are set to zero by construction`,
    };
  };
}
