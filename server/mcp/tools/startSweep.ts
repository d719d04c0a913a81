/** @file Tool: starting many runs of an experiment in the background, or going on with them. */
import { statSync } from 'node:fs';
import * as z from 'zod';
import { formatCount, formatDuration } from '../../protocol/formatQuantity.ts';
import { UserError } from '../../protocol/userError.ts';
import { runsFolder } from '../../runs/experimentOf.ts';
import { experimentName } from '../../runs/run.ts';
import { secondsOfLastRun } from '../../sweeps/expectedTime.ts';
import { isSearch } from '../../sweeps/searchState.ts';
import { plannedRuns, seededRuns } from '../../sweeps/plannedRuns.ts';
import { createSweep } from '../../sweeps/sweepFolder.ts';
import { workOn } from '../backgroundWork.ts';
import { confirmInput, defineTool, overridesInput, pathInput, type Call } from '../tool.ts';
import { parallelInput } from './startRun.ts';

export const startSweep = defineTool({
  name: 'start_sweep',
  title: 'Start a sweep',
  description:
    'Trains the runs of "sweep" in an experiment file, or a run for each of "seeds", in the background; or continues a sweep that was stopped. Answers at once with its id, for follow_sweep. All combinations are checked before any run begins. It goes on when this server ends; "stop" stops it. The user confirms it, with the number of runs and the time that they take as far as that is known.',
  effect: 'runs code',
  input: z.strictObject({
    of: pathInput.describe('Path of the experiment file, or id of a sweep to go on with.'),
    set: overridesInput,
    seeds: z
      .array(z.int().min(0))
      .min(1)
      .max(1000)
      .optional()
      .describe('A run for each, in place of the "sweep" of the file.'),
    parallel: parallelInput,
    retryFailed: z.boolean().default(false).describe('When a sweep is continued: train its failed runs again, too.'),
    ...confirmInput,
  }),
  output: z.object({
    sweep: z.string().describe('Its id, for follow_sweep, compare_runs and stop.'),
    folder: z.string(),
    runs: z.int(),
    warnings: z.array(z.string()),
  }),
  async run(input, call) {
    const { of, set, seeds, parallel, retryFailed } = input;
    const { workspace } = call;
    const existing = isFile(of, call) ? undefined : await workspace.findSweep(of);
    if (existing && isSearch(existing))
      throw new UserError(`${existing.id} is a search.`, { remedy: 'Go on with it by start_search.' });
    if (existing) {
      if (set.length > 0 || seeds)
        throw new UserError(`${existing.id} already exists as a sweep.`, {
          remedy: 'Leave "set" and "seeds" out, or give the path of an experiment file for a new one.',
        });
      call.confirm(
        `Goes on with the sweep ${existing.id} of ${formatCount(existing.plan.length)} runs, in the background.`,
      );
      await workOn('sweep', existing, parallel, retryFailed ? ['--retry-failed'] : [], call);
      return { sweep: existing.id, folder: workspace.shown(existing.path), runs: existing.plan.length, warnings: [] };
    }
    const file = workspace.resolve(of);
    const planned = seeds ? await seededRuns(file, set, seeds) : await plannedRuns(file, set);
    const count = planned.combinations.length;
    call.confirm(
      `Trains ${formatCount(count)} ${count === 1 ? 'run' : 'runs'} of ${workspace.shown(file)} on this machine, in the background, ${formatCount(parallel)} at a time. ${await expectedTime(file, count / parallel)}`,
    );
    const sweep = await createSweep({ experiment: file, ...planned });
    await workOn('sweep', sweep, parallel, [], call);
    return { sweep: sweep.id, folder: workspace.shown(sweep.path), runs: count, warnings: [...planned.warnings] };
  },
});

export function isFile(path: string, { workspace }: Call): boolean {
  return statSync(workspace.resolve(path), { throwIfNoEntry: false })?.isFile() === true;
}

/** @param rounds runs one after the other */
export async function expectedTime(file: string, rounds: number): Promise<string> {
  const seconds = await secondsOfLastRun(runsFolder(file), experimentName(file));
  if (seconds === undefined) return 'How long one takes is not known: none has finished yet.';
  return `They take about ${formatDuration(seconds * rounds)} if each takes as long as the last one, ${formatDuration(seconds)}.`;
}
