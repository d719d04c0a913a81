/** @file Successive halving in real processes: the same runs are stopped whatever comes in between, and can be gone on with. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listRuns } from '../../../server/runs/findRun.ts';
import { endOf } from '../../endOf.ts';
import { until } from '../../until.ts';
import { useInstallation } from '../installation.ts';
import { useOwnQueue } from '../ownQueue.ts';
import { experiment, finalWeights, workspace, type Workspace } from '../training/workspace.ts';

const installation = useInstallation();
useOwnQueue();

const FILE = 'blobs.deeptwist.jsonc';
/** From a learning rate that learns nothing to a good one. */
const rates = [1e-6, 3e-6, 1e-2, 1e-5, 3e-2];
const settings = {
  training: { ...experiment.training, steps: 150, evaluateEvery: 10, checkpointEvery: 50 },
  sweep: { vary: { 'training.optimizer.learningRate': rates }, halving: { factor: 3, from: 20 } },
};

function start({ folder }: Workspace, ...args: string[]) {
  const child = spawn(process.execPath, [join(installation(), 'bin', 'deeptwist.js'), ...args], { cwd: folder });
  return { child, ended: endOf(child) };
}

const runsOf = async ({ folder }: Workspace) =>
  (await listRuns(folder)).runs.toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** State, and what stopped it, of each run in the order of the plan. */
async function ends(place: Workspace) {
  return (await runsOf(place)).map(({ record: { state, stoppedEarly } }) =>
    stoppedEarly ? `place ${stoppedEarly.place} of ${stoppedEarly.of} at ${stoppedEarly.step}` : state,
  );
}

test('of five runs two go on at the first rung and one at the second, also where the sweep is killed, and one can be gone on with', async () => {
  const place = await workspace(settings);
  const { code, stdout } = await start(place, 'sweep', FILE, '--parallel', '2').ended;
  expect(code, stdout).toBe(0);
  const first = await ends(place);
  expect(first.filter((end) => end === 'finished')).toHaveLength(1);
  expect(first.filter((end) => end.endsWith(' of 5 at 20'))).toHaveLength(3);
  expect(first.filter((end) => end.endsWith(' of 2 at 60'))).toHaveLength(1);
  expect(['finished', 'place 2 of 2 at 60']).toContain(first[2]);
  expect(stdout).toMatch(/stopped early: 5 of 5 at step 20 /);
  expect(stdout).toMatch(/0\.000001 .* stopped early: \d of 5 at step 20$/m);

  // Nothing is left to do for other machines.
  const print = await start(place, 'sweep', 'last', '--print').ended;
  expect(print).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('0 of 5 runs are left') as string }); // prettier-ignore
  const task = await start(place, 'sweep', 'last', '--task', String(1 + first.findIndex((end) => end !== 'finished'))).ended; // prettier-ignore
  expect(task).toMatchObject({ code: 0, stderr: expect.stringContaining('is stopped early') as string });
  expect(await ends(place)).toEqual(first);

  const disturbed = await workspace(settings);
  const killed = start(disturbed, 'sweep', FILE);
  await until(async () => (await runsOf(disturbed)).some(({ record }) => record.stoppedEarly));
  killed.child.kill('SIGKILL');
  await killed.ended;
  const goneOn = await start(disturbed, 'sweep', 'last', '--parallel', '2').ended;
  expect(goneOn.code, goneOn.stdout).toBe(0);
  expect(await ends(disturbed)).toEqual(first);
  const winner = first.indexOf('finished');
  expect(finalWeights((await runsOf(disturbed))[winner])).toEqual(finalWeights((await runsOf(place))[winner]));

  // To its end, as a run that was never stopped.
  const stopped = first.findIndex((end) => end !== 'finished');
  const { id } = (await runsOf(place))[stopped];
  expect((await start(place, 'resume', id).ended).code).toBe(0);
  const whole = await place.run({ overrides: ['sweep=null', `training.optimizer.learningRate=${rates[stopped]}`], out: join(place.folder, 'whole') }); // prettier-ignore
  const [resumed] = (await runsOf(place)).filter((run) => run.id === id);
  expect(resumed.record).not.toHaveProperty('stoppedEarly');
  expect(finalWeights(resumed)).toEqual(finalWeights(whole.run));
}, 300_000);

test('tasks of a cluster stop one another without a process that sees them all', async () => {
  const place = await workspace({ ...settings, sweep: { ...settings.sweep, vary: { 'training.optimizer.learningRate': [1e-2, 1e-6] } } }); // prettier-ignore
  expect((await start(place, 'sweep', FILE, '--print').ended).code).toBe(0);
  const [id] = readdirSync(join(place.folder, '.deeptwist', 'sweeps'));
  for (const line of ['1', '2', '2']) {
    const { code, stderr } = await start(place, 'sweep', id, '--task', line).ended;
    expect(code).toBe(0);
    if (line === '2') expect(stderr).toContain('is stopped early: 2 of 2 at step 20.');
  }
  expect(await ends(place)).toEqual(['finished', 'place 2 of 2 at 20']);
  // Nothing is left to do.
  const { code, stdout } = await start(place, 'sweep', id).ended;
  expect({ code, started: /started|resumed/.test(stdout) }).toEqual({ code: 0, started: false });
}, 300_000);
