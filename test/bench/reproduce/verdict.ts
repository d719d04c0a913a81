/** @file The rules by which a claim is *seen* or *not seen*, stated in {@link rules} as the pages have them. */
import { isGreaterBetter } from '../../../server/protocol/run/metricDirection.ts';
import { sampleDifference, sampleStatistics, type Difference } from '../../../server/protocol/run/sampleStatistics.ts';
import { differenceText, scaleOf, withMargin } from './metricScale.ts';
import { figures, ratioOf, testOf, type Outcome, type Outcomes } from './outcomes.ts';
import type { RunRecord } from './runRecords.ts';

export type Verdict = 'seen' | 'not seen' | 'not tested';

export interface Finding {
  readonly verdict: Verdict;
  /** The measurement in words; for a claim that was not tested, the reason. */
  readonly value: string;
}

/** Judges a claim by the outcomes of all studies. */
export type Test = (outcomes: Outcomes) => Finding;

/** A rival of a case. */
export interface Side {
  readonly case: string;
  readonly rival: string;
}

/** Seeds that a verdict needs. */
const LEAST_SEEDS = 3;

/** The rules, as Markdown. */
export const rules: readonly string[] = [
  `A verdict needs at least ${LEAST_SEEDS} seeds. Intervals are of 95% (Student's t); two sides that were trained here are compared in pairs of the same seed.`,
  '_Better_ is **seen** where the whole interval of the difference is on the better side of 0.',
  '_As good_ is **seen** where the whole interval is at most 0.1 points of accuracy, or 1% of perplexity, on the worse side: beside another training, or beside a published figure.',
  'What is not seen by these rules is **not seen**: it may be false, or too small for these seeds. What was not trained, or with too few seeds, is **not tested**.',
];

/** The first side is better than the second. */
export function better(ours: Side, theirs: Side): Test {
  return compared(ours, theirs, (gain, margin) => gain - margin > 0);
}

/** The first side is at least as good as the second, but for a margin that is no difference in practice. */
export function asGood(ours: Side, theirs: Side): Test {
  return compared(ours, theirs, (gain, margin, tolerance) => gain - margin >= -tolerance);
}

/** @param holds decides by the gain of the first side, by half the width of its interval, and by the difference that counts as none */
function compared(ours: Side, theirs: Side, holds: (gain: number, margin: number, tolerance: number) => boolean): Test {
  return (outcomes) => {
    const [own, other] = [ours, theirs].map((side) => outcomes.of(side.case, side.rival));
    const difference = pairsOf(own, other);
    if (difference?.margin === undefined || (difference.pairs ?? 0) < LEAST_SEEDS) return tooFew(own, other);
    const [{ metric }] = own.runs.values();
    const scale = scaleOf(metric);
    const [mean, rival] = [own, other].map(testOf);
    const gain = isGreaterBetter(metric) ? difference.mean : -difference.mean;
    return {
      verdict: holds(gain, difference.margin, scale.margin(rival.mean)) ? 'seen' : 'not seen',
      value: `${withMargin(mean, scale)}${scale.unit} beside ${withMargin(rival, scale)}${scale.unit}: ${differenceText(difference, scale)}`,
    };
  };
}

/** How much greater the metric of one outcome is than that of another. */
export function pairsOf(own: Outcome, other: Outcome): Difference | undefined {
  const [first, second] = [figures(other), figures(own)];
  return first.size > 0 && second.size > 0 ? sampleDifference(first, second) : undefined;
}

/** A side is at least as good as a published figure, in the unit of the metric. */
export function reaches(ours: Side, published: number): Test {
  return (outcomes) => {
    const own = outcomes.of(ours.case, ours.rival);
    if (own.runs.size < LEAST_SEEDS) return tooFew(own);
    const [{ metric }] = own.runs.values();
    const scale = scaleOf(metric);
    const statistics = testOf(own);
    const gain = isGreaterBetter(metric) ? statistics.mean - published : published - statistics.mean;
    return {
      verdict: gain - statistics.margin! >= -scale.margin(published) ? 'seen' : 'not seen',
      value: `${withMargin(statistics, scale)}${scale.unit} at ${ratioOf(own).toFixed(1)}x`,
    };
  };
}

/**
 * A figure of the runs of one side is smaller late in training than early, by more than noise.
 * @param text says what was measured, by the means of both
 */
export function falls(
  side: Side,
  [early, late]: readonly [FigureOf, FigureOf],
  text: (early: number, late: number) => string,
): Test {
  return (outcomes) => {
    const outcome = outcomes.of(side.case, side.rival);
    const [first, last] = [early, late].map((figure) => figures(outcome, figure));
    return exceeds(first, last, [outcome], text);
  };
}

/** A figure of the runs of one side is greater than that of another, by more than noise. @param text as for {@link falls}, ours first */
export function greater(
  ours: Side,
  theirs: Side,
  figure: FigureOf,
  text: (ours: number, theirs: number) => string,
): Test {
  return (outcomes) => {
    const sides = [ours, theirs].map((side) => outcomes.of(side.case, side.rival));
    const [own, other] = sides.map((outcome) => figures(outcome, figure));
    return exceeds(own, other, sides, text);
  };
}

type Figures = ReturnType<typeof figures>;

/** The greater figures are seen to be so, in pairs of the same seed. */
function exceeds(
  great: Figures,
  small: Figures,
  of: readonly Outcome[],
  text: (great: number, small: number) => string,
): Finding {
  if (Math.min(great.size, small.size) < LEAST_SEEDS) return tooFew(...of);
  const { mean, isMoreThanNoise } = sampleDifference(small, great);
  const [more, less] = [great, small].map((values) => sampleStatistics([...values.values()]).mean);
  return { verdict: mean > 0 && isMoreThanNoise === true ? 'seen' : 'not seen', value: text(more, less) };
}

type FigureOf = (record: RunRecord) => number | undefined;

/** Each of several is seen. */
export function each(tests: Readonly<Record<string, Test>>): Test {
  return (outcomes) => {
    const findings = Object.entries(tests).map(([name, test]) => ({ name, ...test(outcomes) }));
    const verdicts = findings.map(({ verdict }) => verdict);
    const verdict = verdicts.includes('not seen')
      ? 'not seen'
      : verdicts.includes('not tested')
        ? 'not tested'
        : 'seen';
    const values = new Set(findings.map(({ value }) => value));
    return {
      verdict,
      value: values.size === 1 ? findings[0].value : findings.map(({ name, value }) => `${name}: ${value}`).join('; '),
    };
  };
}

/** A finding that is known without a training of these studies. */
export function stated(verdict: Verdict, value: string): Test {
  return () => ({ verdict, value });
}

/** A claim for which there are too few runs yet. */
function tooFew(...outcomes: readonly Outcome[]): Finding {
  const least = Math.min(...outcomes.map(({ runs }) => runs.size));
  return {
    verdict: 'not tested',
    value: least === 0 ? 'not trained yet' : `${least} of at least ${LEAST_SEEDS} seeds so far`,
  };
}
