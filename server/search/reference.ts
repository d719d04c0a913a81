/** @file The dense model by which drops are measured: a run without the compressions, or what the experiment starts from. */
import { dirname, isAbsolute } from 'node:path';
import { parseExperiment } from '../protocol/experiment/parseExperiment.ts';
import { namesRun } from '../protocol/experiment/runReference.ts';
import type { ExperimentSettings } from '../protocol/experiment/schema.ts';
import { settingChanges } from '../protocol/experiment/settingChanges.ts';
import { changedSources } from '../runs/changedSources.ts';
import { valuesAfter } from '../runs/changedValues.ts';
import type { SourceFile } from '../runs/copySources.ts';
import { newestFinished } from '../runs/findRun.ts';
import type { Run } from '../runs/run.ts';
import { readSummary } from '../runs/log/readEvents.ts';
import { finishedRun } from '../training/finishedRun.ts';

/** Runs that are looked at. */
const MOST_LOOKED_AT = 300;
/** Settings that change nothing of the weights that a run ends with, but how they are kept, watched or computed in what time. */
const WITHOUT_EFFECT =
  /^(observe|sweep|target|training\.(checkpointEvery|keepCheckpoints|keep|evaluateEvery|testAtEnd|threads))\b/;
/** The same settings where the learning rate, or the choice of the best model, goes by the evaluations. */
const BY_EVALUATIONS = /^training\.evaluateEvery\b/;

/**
 * A finished run with the settings of the dense model, and with modules that are as they are now: the newest one.
 * @param settings of the run without compressions
 * @param sources the user's files that it would be made from
 */
export async function denseRun(
  folder: string,
  settings: ExperimentSettings,
  sources: readonly SourceFile[],
): Promise<Run | undefined> {
  for await (const run of newestFinished(folder, MOST_LOOKED_AT)) {
    const own = await settingsOf(run);
    if (!own || !isSame(own, settings)) continue;
    if ((await changedSources(run, sources)).length === 0 && (await validationOf(run)) !== undefined) return run;
  }
  return undefined;
}

async function settingsOf(run: Run): Promise<ExperimentSettings | undefined> {
  try {
    const overrides = valuesAfter(run.record, Infinity);
    return parseExperiment(await run.experimentText(), { file: run.experimentFile, overrides });
  } catch {
    return undefined;
  }
}

function isSame(a: ExperimentSettings, b: ExperimentSettings): boolean {
  const byEvaluations = b.training.keepBest || b.training.learningRateSchedule.type === 'plateau';
  return settingChanges(a, b).every(
    ({ path }) => WITHOUT_EFFECT.test(path) && !(byEvaluations && BY_EVALUATIONS.test(path)),
  );
}

/** Metric on the validation split of the final model of a run; undefined where none is recorded. */
export async function validationOf(run: Run): Promise<{ metric: string; value: number } | undefined> {
  const summary = await readSummary(run).catch(() => undefined);
  const value = summary?.validation;
  return summary && value !== undefined && Number.isFinite(value) ? { metric: summary.metric, value } : undefined;
}

/**
 * The run that an experiment starts from, where that was trained on the same data and told what its metric is: its weights are then the dense model.
 * @param file of the experiment
 */
export async function startRun(file: string, { start, data, model }: ExperimentSettings): Promise<Run | undefined> {
  if (typeof start !== 'string' || !namesRun(start)) return undefined;
  const run = await finishedRun(start, ['start'], { directory: dirname(file), asking: undefined });
  const own = await settingsOf(run);
  if (!own || own.compression !== undefined || settingChanges({ ...own, data, model }, own).length > 0)
    return undefined;
  // Relative paths of data are those of another folder.
  const isOfSame =
    dirname(run.record.experiment) === dirname(file) ||
    ('path' in data && data.path !== undefined && isAbsolute(data.path));
  return isOfSame && (await validationOf(run)) ? run : undefined;
}
