/** @file Runs that differ in their seed alone, taken together: means of their results, and differences between such groups. */
import { formatBytes, formatMargin, formatNumber } from '../formatQuantity.ts';
import { compressedSize } from './compressedSize.ts';
import type { Summary } from './events.ts';
import { testMetric } from './testMetric.ts';
import { sampleDifference, sampleStatistics, type Difference, type SampleStatistics } from './sampleStatistics.ts';

/** What is compared of finished runs, in the order of tables. */
export type MeasureName = 'test' | 'validation' | 'bytes';

const SEED = 'training.seed';

/** Settings by their names, without the seed, and without those that change no result. */
export function withoutSeed(settings: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...settings].filter(([name]) => !isSeed(name) && !name.startsWith('logging.')));
}

/** True for the name of the setting that is the seed. */
export function isSeed(name: string): boolean {
  return name === SEED;
}

/** A text that runs which differ in their seed alone have in common. @param settings by their names, in any order */
export function seedGroupKey(settings: ReadonlyMap<string, string>): string {
  return JSON.stringify([...withoutSeed(settings)].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The seed among settings by their names; undefined where it is not there. */
export function seedOf(settings: ReadonlyMap<string, string>): string | undefined {
  return settings.get(SEED);
}

/** The part of a run's summary that is compared. */
export type MeasuredSummary = Pick<
  Summary,
  'metric' | 'test' | 'validation' | 'bytes' | 'bytesKept' | 'byteRatio' | 'fileBytes'
>;

/** A finished run. */
export interface SeededResult {
  /** `training.seed` */
  readonly seed: number;
  readonly summary: MeasuredSummary;
}

/** A result of the runs of a group. */
export interface Measure {
  readonly name: MeasureName;
  /** Name of the metric; absent for the bytes. */
  readonly metric?: string | undefined;
  /** The result of each seed. A seed that was run twice counts once: it gives the same again. */
  readonly bySeed: ReadonlyMap<number, number>;
  readonly statistics: SampleStatistics;
}

/** Runs that differ in the seed alone. */
interface MeasuredGroup {
  readonly measures: readonly Measure[];
}

/** Those results that all runs have; none where there are no runs, and only the bytes where their metrics are not the same. */
export function measuresOf(results: readonly SeededResult[]): Measure[] {
  if (results.length === 0) return [];
  const [metric, ...others] = new Set(results.map(({ summary }) => summary.metric));
  const sameMetric = others.length === 0;
  const values: Record<MeasureName, (summary: MeasuredSummary) => number | undefined> = {
    test: (summary) => (sameMetric ? testMetric(summary) : undefined),
    validation: ({ validation }) => (sameMetric ? validation : undefined),
    bytes: (summary) => compressedSize(summary).bytes,
  };
  return (Object.keys(values) as MeasureName[]).flatMap((name) => {
    const bySeed = new Map<number, number>();
    for (const { seed, summary } of results) {
      const value = values[name](summary);
      if (value === undefined) return [];
      bySeed.set(seed, value);
    }
    return [{ name, ...(name !== 'bytes' && { metric }), bySeed, statistics: sampleStatistics([...bySeed.values()]) }];
  });
}

/** The differences `second - first` of the results that both groups have: those of two metrics are not compared. */
export function differencesOf(first: readonly Measure[], second: readonly Measure[]) {
  return first.flatMap((measure): (Pick<Measure, 'name' | 'metric'> & { difference: Difference })[] => {
    const { name, metric, bySeed } = measure;
    const other = second.find((candidate) => isSameMeasure(candidate, measure));
    return other ? [{ name, metric, difference: sampleDifference(bySeed, other.bySeed) }] : [];
  });
}

/** True for results that can be compared. */
export function isSameMeasure(one: Pick<Measure, 'name' | 'metric'>, other: Pick<Measure, 'name' | 'metric'>): boolean {
  return one.name === other.name && one.metric === other.metric;
}

/** Undefined for a result that not all runs of the group have. */
export function measureOf({ measures }: MeasuredGroup, name: MeasureName): Measure | undefined {
  return measures.find((measure) => measure.name === name);
}

/** The mean of a result with its error; empty where not all runs have it. */
export function meanText(group: MeasuredGroup, name: MeasureName): string {
  const measure = measureOf(group, name);
  return measure ? statisticsText(name, measure.statistics) : '';
}

/** The standard deviation of a result; empty where there is none. */
export function deviationText(group: MeasuredGroup, name: MeasureName): string {
  const deviation = measureOf(group, name)?.statistics.deviation;
  return deviation === undefined ? '' : valueText(name, deviation);
}

/** Explains {@link meanText}; without its full stop. */
export const MARGIN_NOTE = '± is half the 95% interval of the mean, by Student’s t';

/** `test accuracy`, `bytes` */
export function measureTitle(name: MeasureName, metric = ''): string {
  return name === 'bytes' ? 'bytes' : `${name} ${metric}`;
}

/** `0.9841 ± 0.0012`, with two digits of the error; of one run without it. */
function statisticsText(name: MeasureName, { mean, margin }: Pick<SampleStatistics, 'mean' | 'margin'>): string {
  const text = valueText(name, mean);
  if (margin === undefined) return text;
  return `${text} ± ${name === 'bytes' ? valueText(name, margin) : formatMargin(margin)}`;
}

/** A result or a deviation of results, as a quantity. */
export function valueText(name: MeasureName, value: number): string {
  if (name !== 'bytes' || !Number.isFinite(value)) return formatNumber(value);
  return `${value < 0 ? '-' : ''}${formatBytes(Math.abs(value))}`;
}

/** `1-5, 7` */
export function seedsText(seeds: Iterable<number>): string {
  const sorted = [...new Set(seeds)].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const seed of sorted) {
    const last = ranges.at(-1);
    if (last && seed === last[1] + 1) last[1] = seed;
    else ranges.push([seed, seed]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

/** `0.0031 ± 0.0012 in 5 pairs of the same seed: more than noise` */
export function differenceText(name: MeasureName, difference: Difference): string {
  const { pairs } = difference;
  const how = pairs === undefined ? '' : ` in ${pairs} pairs of the same seed`;
  return `${statisticsText(name, difference)}${how}: ${decisionText(difference)}`;
}

function decisionText({ margin, isMoreThanNoise }: Difference): string {
  if (margin === undefined) return 'one run tells nothing of the noise: run more seeds';
  if (isMoreThanNoise === undefined) return 'some results are not finite';
  return isMoreThanNoise ? 'more than noise' : 'no more than noise';
}
