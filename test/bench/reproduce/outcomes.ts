/** @file What the records of runs say of the rivals of a study: what was chosen, and what the chosen came to. Pure but for looking records up. */
import { isGreaterBetter } from '../../../server/protocol/run/metricDirection.ts';
import { sampleStatistics, type SampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';
import type { RunRecord } from './runRecords.ts';
import { scaleOf } from './metricScale.ts';
import { chooserOf, finalsOf, settingsOf, triesOf, type Case, type Rival, type Training } from './study.ts';

/** The results of a rival of a case so far. */
export interface Outcome {
  readonly rival: Rival;
  /** The settings of the best try; undefined before all of them are finished. */
  readonly chosen?: readonly string[] | undefined;
  /** The finished runs with the chosen settings, by seed; those that diverged are left out. */
  readonly runs: ReadonlyMap<number, RunRecord>;
  /** Seeds with which the chosen settings diverged. */
  readonly diverged: readonly number[];
  /** Trainings that are to come, as far as is known. */
  readonly missing: number;
  /** Training time of the tries and of the runs. */
  readonly seconds: number;
}

export type FindRecord = (training: Training) => RunRecord | undefined;

/** @param seeds results are of the seeds 1 to this number */
export function outcomeOf(work: Case, rival: Rival, seeds: number, find: FindRecord): Outcome {
  const tried = triesOf(work, rival).map(find);
  const chosen = chosenOf(work, rival, find);
  const finals = chosen ? finalsOf(work, rival, chosen, seeds) : [];
  const found = finals.flatMap((training) => {
    const record = find(training);
    return record ? [{ seed: training.seed, record }] : [];
  });
  const isDiverged = (record: RunRecord) => record.test === undefined;
  return {
    rival,
    chosen,
    runs: new Map(found.filter(({ record }) => !isDiverged(record)).map(({ seed, record }) => [seed, record])),
    diverged: found.filter(({ record }) => isDiverged(record)).map(({ seed }) => seed),
    missing: tried.filter((record) => !record).length + seeds - found.length,
    seconds: [...tried, ...found.map(({ record }) => record)].reduce((sum, record) => sum + (record?.seconds ?? 0), 0),
  };
}

/** The settings that the tries choose; undefined before all of them are finished, or where all diverged. */
export function chosenOf(where: Case, of: Rival, find: FindRecord): readonly string[] | undefined {
  const { work, rival } = chooserOf(where, of);
  const settings = settingsOf(work, rival);
  if (settings.length < 2) return settings[0];
  const tried = triesOf(work, rival).map(find);
  if (tried.includes(undefined)) return undefined;
  const scored = tried.flatMap((record, index) => {
    if (record?.test === undefined) return [];
    const { run, metric, validation, weightRatio = 1 } = record;
    if (validation === undefined) throw new Error(`There is no validation split: ${run}`);
    return [{ index, score: isGreaterBetter(metric) ? validation : -validation, weightRatio, metric }];
  });
  const best = highest(scored, ({ score }) => score);
  if (!best) return undefined;
  const margin = scaleOf(best.metric).margin(Math.abs(best.score));
  const chosen =
    work.chooses === 'ratio'
      ? highest(
          scored.filter(({ score }) => score >= best.score - margin),
          ({ weightRatio }) => weightRatio,
        )
      : best;
  return chosen && settings[chosen.index];
}

/** The first of those with the highest figure; undefined of none. */
function highest<T>(all: readonly T[], figure: (one: T) => number): T | undefined {
  const most = Math.max(...all.map(figure));
  return all.find((one) => figure(one) === most);
}

/** The outcomes of all cases of a study. */
export class Outcomes {
  readonly #outcomes: ReadonlyMap<string, ReadonlyMap<string, Outcome>>;

  /** @param cases of different names */
  constructor(cases: readonly Case[], seeds: number, find: FindRecord) {
    const names = cases.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new Error(`Two cases have the name ${twice}.`);
    this.#outcomes = new Map(
      cases.map((work) => [
        work.name,
        new Map(work.rivals.map((rival) => [rival.name, outcomeOf(work, rival, seeds, find)])),
      ]),
    );
  }

  of(work: string, rival: string): Outcome {
    const outcome = this.#outcomes.get(work)?.get(rival);
    if (!outcome) throw new Error(`There is no rival ${rival} in a case ${work}.`);
    return outcome;
  }
}

/** A figure of each run, by its seed; runs without it are left out. */
export function figures(
  { runs }: Pick<Outcome, 'runs'>,
  of: (record: RunRecord) => number | undefined = ({ test }) => test,
): Map<number, number> {
  return new Map(
    [...runs].flatMap(([seed, record]): [number, number][] => {
      const value = of(record);
      return value === undefined ? [] : [[seed, value]];
    }),
  );
}

/** Mean and interval of the test metric over the seeds. @param outcome with at least one run */
export function testOf(outcome: Outcome): SampleStatistics {
  return sampleStatistics([...figures(outcome).values()]);
}

/** Weights over weights kept, the mean over the seeds. @param outcome with at least one run */
export function ratioOf(outcome: Outcome): number {
  return sampleStatistics([...figures(outcome, ({ weightRatio }) => weightRatio).values()]).mean;
}
