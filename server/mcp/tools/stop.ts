/** @file Tool: stopping a run or a sweep. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../protocol/userError.ts';
import { holderOf } from '../../runs/lockFile.ts';
import { isUnderWay } from '../../runs/run.ts';
import { askToStop } from '../../sidecarClient/endRun.ts';
import { readSweep } from '../../sweeps/runQueue.ts';
import { SEARCHING_FILE } from '../../sweeps/searchState.ts';
import type { Sweep } from '../../sweeps/sweepFolder.ts';
import { defineTool, runReference } from '../tool.ts';

export const stop = defineTool({
  name: 'stop',
  title: 'Stop a run or a sweep',
  description:
    'Asks a run to stop after its step, or the runs of a sweep, and starts no more of it. Everything is saved: resume_run, or start_sweep or start_search with the id, goes on exactly where it stopped.',
  effect: 'writes',
  input: z.strictObject({
    id: runReference.describe(
      'A run, or the id of a sweep or a search; "last" is the newest run, or the sweep that it belongs to.',
    ),
  }),
  output: z.object({
    asked: z.array(z.string()).describe('Ids of the runs that were asked to stop.'),
    isSweep: z.boolean(),
  }),
  async run({ id }, { workspace }) {
    const newest = id === 'last' ? await workspace.findRun(id) : undefined;
    const ofSweep = newest ? newest.record.sweep : id;
    const sweep = ofSweep === undefined ? undefined : await workspace.findSweep(ofSweep);
    if (sweep) return { asked: await stopSweep(sweep), isSweep: true };
    const run = newest ?? (await workspace.findRun(id));
    const state = run.observedState();
    if (!isUnderWay(state))
      throw new UserError(`The run ${run.id} does not train: it is ${state}.`, { remedy: 'See list_runs.' });
    if (!(await askToStop(run)))
      throw new UserError(`The process of the run ${run.id} was started in a terminal, or on another machine.`, {
        remedy: 'Stop it there, with Ctrl-C.',
      });
    return { asked: [run.id], isSweep: false };
  },
});

/**
 * Stops the processes that see to lines of the plan, so that no more runs begin, and then the runs.
 * @throws UserError where none of it is under way
 */
async function stopSweep(sweep: Sweep): Promise<string[]> {
  const pids = new Set<number>();
  for (const planned of sweep.plan) {
    const holder = await sweep.claimant(planned);
    if (holder?.host === hostname()) pids.add(holder.pid);
  }
  // The process of a search measures between its runs, and has no line of the plan then.
  const searching = await holderOf(join(sweep.path, SEARCHING_FILE));
  if (searching?.host === hostname()) pids.add(searching.pid);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It has ended meanwhile.
    }
  }
  const asked: string[] = [];
  for (const { run } of await readSweep(sweep))
    if (run && isUnderWay(run.observedState()) && (await askToStop(run))) asked.push(run.id);
  if (asked.length === 0 && pids.size === 0)
    throw new UserError(`Nothing of the sweep ${sweep.id} trains on this machine.`, { remedy: 'See follow_sweep.' });
  return asked;
}
