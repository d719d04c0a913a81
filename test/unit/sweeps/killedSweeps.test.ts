/** @file Sweeps in real processes: killed at random moments, stopped, and gone on with. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { listRuns } from '../../../server/runs/findRun.ts';
import { openRun } from '../../../server/runs/run.ts';
import { endOf } from '../../endOf.ts';
import { until } from '../../until.ts';
import { useInstallation } from '../installation.ts';
import { useOwnQueue } from '../ownQueue.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { workspace, type Workspace } from '../training/workspace.ts';
import { trainingProcesses } from '../trainingProcesses.ts';
import {
  faultOf,
  killSweeps,
  metricSteps,
  plan,
  settings,
  sweepToTheEnd,
  weightsOf,
  type WholeSweep,
} from './killing.ts';

const installation = useInstallation();
useOwnQueue();

const children = new Set<ChildProcess>();
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  const left = trainingProcesses();
  for (const pid of left) process.kill(pid, 'SIGKILL');
  await until(() => trainingProcesses().length === 0);
  expect(left, 'processes that the test left').toEqual([]);
});

const file = 'blobs.deeptwist.jsonc';

function start({ folder }: Workspace, ...args: string[]) {
  const child = spawn(process.execPath, [join(installation(), 'bin', 'deeptwist.js'), ...args], { cwd: folder });
  children.add(child.once('exit', () => children.delete(child)));
  return { child, ended: endOf(child) };
}

function sweepOf({ folder }: Workspace): string | undefined {
  const sweeps = join(folder, '.deeptwist', 'sweeps');
  return existsSync(sweeps) ? readdirSync(sweeps).find((id) => existsSync(join(sweeps, id, 'sweep.json'))) : undefined;
}

let whole: Awaited<ReturnType<typeof sweepToTheEnd>> | undefined;
const reference = async () => (whole ??= await sweepToTheEnd(installation(), await temporaryFolder()));

/** Long enough to be interrupted while it trains, also where the test is slow to see that. */
const long = { ...settings, training: { ...settings.training, steps: 4000, checkpointEvery: 500 } };
let longRuns: WholeSweep | undefined;

/** The same runs as a sweep of {@link long} makes, trained one by one in this process. */
async function longReference(): Promise<WholeSweep> {
  if (longRuns) return longRuns;
  const place = await workspace(long);
  const trained = [];
  for (const overrides of plan) trained.push(await place.run({ overrides }));
  return (longRuns = { weights: trained.map(({ run }) => weightsOf(run)), steps: metricSteps(trained[0].events) });
}

async function expectWhole({ folder }: Workspace, expected?: WholeSweep): Promise<void> {
  expect(await faultOf(folder, expected ?? (await reference()))).toBeUndefined();
}

test('a sweep makes a plain run of each combination, and sorts them', async () => {
  const { weights } = await reference();
  expect(weights).toHaveLength(plan.length);
  // The same as by hand.
  const place = await workspace(settings);
  const { run } = await place.run({ overrides: plan[1] });
  expect(weightsOf(run).equals(weights[1])).toBe(true);
});

// `npm run bench -- sweep-kills` does it 20 times.
test('a sweep that is killed, with runs of it or without, at any moment ends, gone on with, as one that is not', async () => {
  const seed = Math.floor(1e6 * Math.random());
  const sweeps = await killSweeps({
    installation: installation(),
    newFolder: temporaryFolder,
    whole: await reference(),
    kills: 1,
    seed,
  });
  expect(sweeps.flatMap(({ fault }) => fault ?? []), `seed ${seed}`).toEqual([]); // prettier-ignore
}, 400_000);

test('a run that is killed behind its first checkpoint goes on from there while the sweep trains', async () => {
  const place = await workspace(long);
  const { ended } = start(place, 'sweep', file);
  const killed = await until(async () => {
    const [run] = (await listRuns(place.folder)).runs;
    if (run === undefined || !readdirSync(run.checkpointsFolder).some((name) => name.endsWith('.json'))) return false;
    const { process: trainer } = run.record;
    if (!trainer || run.observedState() !== 'running') return false;
    process.kill(trainer.pid, 'SIGKILL');
    return true;
  });
  expect(killed).toBe(true);
  const { code, stdout } = await ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\[1\/4\] resumed /m);
  await expectWhole(place, await longReference());
});

test('stops its runs at Ctrl-C, with checkpoints, says how to go on, and goes on', async () => {
  const place = await workspace(long);
  const { child, ended } = start(place, 'sweep', file, '--parallel', '2');
  await until(async () => {
    const { runs } = await listRuns(place.folder);
    return runs.some((run) => existsSync(run.eventsFile) && /"metrics"/.test(readFileSync(run.eventsFile, 'utf8')));
  });
  child.kill('SIGINT');
  const stopped = await ended;
  expect(stopped).toMatchObject({ code: 130 });
  expect(trainingProcesses()).toEqual([]);
  const states = (await listRuns(place.folder)).runs.map((run) => run.observedState());
  expect(states).toContain('stopped');
  const [, id] = /Go on with: deeptwist sweep (\S+)/.exec(stopped.stdout)!;
  const goneOn = await start(place, 'sweep', id, '--parallel', '2', '--json').ended;
  expect(goneOn.code).toBe(0);
  const lines = goneOn.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  expect(lines.map(({ type }) => type)).toEqual([...Array<string>(plan.length).fill('run'), 'sweep']);
  await expectWhole(place, await longReference());
});

test('a command for each run does the same, each in its own process, at the same time', async () => {
  const place = await workspace(settings);
  const printed = await start(place, 'sweep', file, '--print').ended;
  const commands = printed.stdout.trimEnd().split('\n').map((line) => line.split(' ').slice(1)); // prettier-ignore
  expect(commands).toHaveLength(plan.length);
  // One of them twice: the second is refused, or finds it finished.
  const codes = await Promise.all([...commands, commands[0]].map(async (args) => (await start(place, ...args).ended).code)); // prettier-ignore
  expect(codes.filter((code) => code === 0).length).toBeGreaterThanOrEqual(plan.length);
  await expectWhole(place);
  const results = await start(place, 'sweep', 'last').ended;
  expect(results.stdout).toMatch(/compression\.layers\.fc1\.rate +seeds +test accuracy/);
});

test('a run that has failed is gone on with where the user says so', async () => {
  const place = await workspace({ ...settings, sweep: { vary: { 'data.train.targets': ['train-labels.npy', 'later.npy'] } } }); // prettier-ignore
  const first = await start(place, 'sweep', file).ended;
  expect(first.code).toBe(1);
  expect(first.stdout).toContain('1 run is not finished, 1 of them has failed.');
  const id = sweepOf(place)!;
  const again = await start(place, 'sweep', id).ended;
  expect(again).toMatchObject({ code: 1 });
  await place.write('later.npy', readFileSync(join(place.folder, 'train-labels.npy')));
  const retried = await start(place, 'sweep', id, '--retry-failed').ended;
  expect(retried).toMatchObject({ code: 0 });
  const { runs } = await listRuns(place.folder);
  expect(runs).toHaveLength(2);
  for (const { path } of runs) expect((await openRun(path)).record.state).toBe('finished');
});
