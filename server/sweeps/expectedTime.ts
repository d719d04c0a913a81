/** @file How long a run takes, by those that are there. */
import { secondsOf } from '../protocol/run/runSeconds.ts';
import { newestFinished } from '../runs/findRun.ts';
import { readSummary } from '../runs/log/readEvents.ts';

/** Runs that are looked at. */
const MOST_LOOKED_AT = 50;

/**
 * Seconds of the newest finished run of an experiment; undefined where there is none.
 * @param folder of the runs
 * @param name of the experiment
 */
export async function secondsOfLastRun(folder: string, name: string): Promise<number | undefined> {
  for await (const run of newestFinished(folder, MOST_LOOKED_AT)) {
    if (run.record.name !== name) continue;
    const summary = await readSummary(run).catch(() => undefined);
    if (summary) return secondsOf(summary);
  }
  return undefined;
}
