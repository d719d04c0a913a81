/** @file Tools: starting a run in the background, and going on with one. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { UserError } from '../../protocol/userError.ts';
import { createRun } from '../../runs/createRun.ts';
import { loadExperiment } from '../../runs/loadExperiment.ts';
import { isUnderWay, type Run } from '../../runs/run.ts';
import { startSidecar } from '../../sidecarClient/startSidecar.ts';
import { namesModule } from '../loadsModules.ts';
import { confirmInput, defineTool, overridesInput, pathInput, runReference, type Call } from '../tool.ts';

export const parallelInput = z
  .int()
  .min(1)
  .max(1024)
  .default(1)
  .describe('Runs that may train at a time on this machine, those of editors included; the others wait.');

const started = z.object({
  run: z.string().describe('Its id, for follow_run.'),
  folder: z.string(),
  state: z.string().describe('"queued" while other runs train.'),
});

export const startRun = defineTool({
  name: 'start_run',
  title: 'Start a run',
  description:
    'Trains and compresses the model of an experiment file, in the background: answers at once with the id of the run, for follow_run. The run goes on when this server or its client ends; "stop" stops it. It takes the machine and executes the modules that the experiment names: the user confirms it.',
  effect: 'runs code',
  input: z.strictObject({
    experiment: pathInput.describe('Path of the experiment file.'),
    set: overridesInput,
    parallel: parallelInput,
    ...confirmInput,
  }),
  output: started,
  async run({ experiment: file, set, parallel }, call) {
    const path = call.workspace.resolve(file);
    const { text, experiment } = await loadExperiment(path, set);
    if (experiment.sweep)
      throw new UserError(`${file} has a "sweep": it is many runs.`, {
        remedy: 'Use start_sweep, or leave the sweep out: "set": ["sweep=null"].',
      });
    const shown = call.workspace.shown(path);
    const changes = set.length === 0 ? '' : ` with ${set.join(', ')}`;
    const modules = namesModule(text, set) ? ', and executes the modules that it names' : '';
    call.confirm(`Trains ${shown}${changes} on this machine, in the background${modules}.`);
    const run = await createRun({ experiment: path, text, overrides: set, state: 'queued' });
    return launch(run, { resume: false, parallel }, call);
  },
});

export const resumeRun = defineTool({
  name: 'resume_run',
  title: 'Go on with a run',
  description:
    'Goes on with a run that was stopped, failed or was killed, from its last checkpoint, in the background: as start_run does. A run keeps its settings: one that diverged fails again, and is to be started anew with other settings.',
  effect: 'runs code',
  input: z.strictObject({ run: runReference, parallel: parallelInput, ...confirmInput }),
  output: started,
  async run({ run: reference, parallel }, call) {
    const run = await call.workspace.findRun(reference);
    const state = run.observedState();
    if (state === 'finished' || isUnderWay(state))
      throw new UserError(`The run ${run.id} is ${state}: there is nothing to go on with.`, {
        remedy: state === 'finished' ? 'Start another one with start_run.' : 'Follow it with follow_run.',
      });
    call.confirm(`Goes on with the run ${run.id}, which executes modules of the workspace.`);
    return launch(run, { resume: true, parallel }, call);
  },
});

/** How often it is looked at whether the process has taken its run. */
const TAKEN_MS = 50;

/** Starts the run's process and waits until it has the run, or has ended. */
async function launch(
  run: Run,
  { resume, parallel }: { resume: boolean; parallel: number },
  { scripts, workspace, signal }: Call,
): Promise<z.input<typeof started>> {
  const { pid, exited } = await startSidecar({
    run,
    node: process.execPath,
    sidecarScript: scripts.sidecar,
    resume,
    parallel,
  });
  const gone = exited.then(() => true);
  for (;;) {
    await run.reload();
    if (run.record.process?.pid === pid || signal.aborted) break;
    if (await Promise.race([gone, sleep(TAKEN_MS, false)])) break;
  }
  await run.reload();
  const { failure } = run.record;
  if (run.record.state === 'failed' && failure)
    throw new UserError(`The run ${run.id} failed at once: ${failure.message}`, { remedy: failure.remedy });
  return { run: run.id, folder: workspace.shown(run.path), state: run.observedState() };
}
