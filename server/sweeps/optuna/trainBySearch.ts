/**
 * @file A sweep whose plan grows: Optuna is asked for the settings of a run when there is room for one, and told what it came to. A trial that was
 * asked for before a kill becomes a line of the plan, and one that has ended is told of, whichever process comes next.
 */
import { isGreaterBetter } from '../../protocol/run/metricDirection.ts';
import { readSummary } from '../../runs/log/readEvents.ts';
import { lookAt, trainLines, type LineOutcome, type QueueOptions } from '../runQueue.ts';
import type { PlannedRun, Sweep } from '../sweepFolder.ts';
import { combinationOf, type OptunaSearch } from './searchSettings.ts';
import { Study, type Trial } from './study.ts';

/** @returns how each line stands, in the order of the plan */
export async function trainBySearch(sweep: Sweep, search: OptunaSearch, options: QueueOptions): Promise<LineOutcome[]> {
  const { parallel, signal, onEnd } = options;
  const study = await Study.open(sweep, search, parallel);
  try {
    const outcomes = new Map<number, LineOutcome>();
    for (const running of study.running)
      if (!sweep.plan.some(({ trial }) => trial === running.trial))
        await addTrial(sweep, search, () => Promise.resolve(running));
    const left: PlannedRun[] = [];
    for (const planned of sweep.plan) {
      const outcome = await lookAt(sweep, planned);
      if (outcome.state === 'finished') await tell(study, outcome);
      else left.push(planned);
    }
    const work = async () => {
      while (!signal.aborted) {
        const planned = left.shift() ?? (await addTrial(sweep, search, () => study.ask()));
        if (!planned) return;
        for (const outcome of await trainLines(sweep, [planned], { ...options, onEnd: undefined })) {
          await tell(study, outcome);
          outcomes.set(planned.line, outcome);
          onEnd?.(outcome);
        }
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    const all: LineOutcome[] = [];
    for (const planned of sweep.plan) all.push(outcomes.get(planned.line) ?? (await lookAt(sweep, planned)));
    return all;
  } finally {
    study.close();
  }
}

/**
 * Adds the run of a trial to the plan.
 * @param next gives the trial; not called where the plan has its runs
 * @returns the line, or undefined where the plan has its runs, or that of the trial already
 */
export async function addTrial(
  sweep: Sweep,
  search: OptunaSearch,
  next: () => Promise<Trial>,
): Promise<PlannedRun | undefined> {
  const [added] = await sweep.addRuns(async (plan) => {
    if (plan.length >= search.runs) return [];
    const { trial, parameters } = await next();
    // Another process has added it since the study was opened.
    if (plan.some((line) => line.trial === trial)) return [];
    const vary = combinationOf(search, parameters);
    return [{ set: [...sweep.overrides, ...vary], vary, trial }];
  });
  return added;
}

/** The metric on the validation split, where there is one; greater is better unless the study says otherwise. */
async function tell(study: Study, { planned, run, state }: LineOutcome): Promise<void> {
  if (planned.trial === undefined || (state !== 'finished' && state !== 'failed')) return;
  const summary = state === 'finished' && run ? await readSummary(run) : undefined;
  if (!summary) return study.tell(planned.trial, undefined);
  const value = summary.validation ?? summary.test;
  const isBetterWhenGreater = isGreaterBetter(summary.metric);
  const sign = isBetterWhenGreater === study.minimizes ? -1 : 1;
  return study.tell(planned.trial, Number.isFinite(value) ? sign * value : undefined);
}
