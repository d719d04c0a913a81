/** @file A sweep on a file system that several machines share: real processes, each with the name of its machine. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { listRuns } from '../../../server/runs/findRun.ts';
import { openSweep } from '../../../server/sweeps/sweepFolder.ts';
import { until } from '../../until.ts';
import { useInstallation } from '../installation.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { experiment, recordedEvents, workspace } from '../training/workspace.ts';

const installation = useInstallation();
const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

const FILE = 'blobs.deeptwist.jsonc';
const settings = {
  training: { ...experiment.training, steps: 300, checkpointEvery: 50 },
  sweep: { vary: { 'training.seed': [1, 2, 3, 4] } },
};

/** A machine: its name, and its own folder for temporary files, in which the queue of its runs is. */
async function host(name: string) {
  const temporary = await temporaryFolder();
  const preload = new URL('hostName.mjs', import.meta.url).href;
  return (folder: string, ...args: string[]) => {
    const env = { ...process.env, TMPDIR: temporary, HOST_OF_TEST: name, NODE_OPTIONS: `--import ${preload}` };
    const child = spawn(process.execPath, [join(installation(), 'bin', 'deeptwist.js'), ...args], { cwd: folder, env });
    children.add(child.once('exit', () => children.delete(child)));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
    return {
      child,
      output: () => output,
      ended: once(child, 'close').then(([code]) => ({ code: code as number | null, output })),
    };
  };
}

const sweepIn = (folder: string) => readdirSync(join(folder, '.deeptwist', 'sweeps'))[0];

test('two machines on one sweep train each run once', async () => {
  const { folder } = await workspace(settings);
  const [a, b] = [await host('node-a'), await host('node-b')];
  await a(folder, 'sweep', FILE, '--print').ended;
  const id = sweepIn(folder);
  const both = await Promise.all([a(folder, 'sweep', id).ended, b(folder, 'sweep', id).ended]);
  expect(both.map(({ code }) => code), both.map(({ output }) => output).join('\n')).toEqual([0, 0]); // prettier-ignore
  const started = both.map(({ output }) => output.match(/^\[\d\/4\] started/gm)?.length ?? 0);
  expect(started[0] + started[1]).toBe(4);
  const { runs } = await listRuns(folder);
  expect(runs.map(({ record }) => record.state)).toEqual(Array(4).fill('finished'));
  for (const run of runs) {
    const events = await recordedEvents(run);
    expect(events.filter(({ type }) => type === 'started')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'finished')).toHaveLength(1);
  }
}, 300_000);

test('what a machine that is gone has left is told of with what to delete, and gone on with when that is done', async () => {
  const { folder } = await workspace({ ...settings, sweep: { vary: { 'training.seed': [1, 2] } } });
  const [a, b] = [await host('node-a'), await host('node-b')];
  await a(folder, 'sweep', FILE, '--print').ended;
  const sweep = await openSweep(join(folder, '.deeptwist', 'sweeps', sweepIn(folder)));
  // As a machine leaves it whose power fails.
  const gone = JSON.stringify({ pid: 4711, startTime: 'boot/1', host: 'node-c', holding: '0' });
  const claim = join(sweep.path, 'claims', '1');
  await mkdir(join(sweep.path, 'claims'), { recursive: true });
  await writeFile(claim, gone);
  const run = await sweep.makeRun(sweep.plan[0]);
  await run.update({ state: 'running', process: { pid: 4711, startTime: 'boot/1', host: 'node-c' } });
  await writeFile(run.lockFile, gone);
  const { ended, output } = b(folder, 'sweep', sweep.id);
  await until(() => output().includes(`[1/2] is seen to by process 4711 on node-c. If that machine no longer runs it, delete ${claim}\n`)); // prettier-ignore
  await rm(claim);
  await until(() => output().includes(`trained by process 4711 on node-c. If that machine no longer runs it, delete ${run.lockFile}\n`)); // prettier-ignore
  await rm(run.lockFile);
  expect(await ended).toMatchObject({ code: 0 });
  const { runs } = await listRuns(folder);
  expect(runs.map(({ record }) => record.state)).toEqual(['finished', 'finished']);
}, 300_000);

test('a job that is requeued on another machine takes over what it has left on the first, and no other job does', async () => {
  const { folder } = await workspace({ ...settings, sweep: { vary: { 'training.seed': [1] } } });
  await (
    await host('node-a')
  )(folder, 'sweep', FILE, '--print').ended;
  const sweep = await openSweep(join(folder, '.deeptwist', 'sweeps', sweepIn(folder)));
  const job = { id: 'cluster/17', name: 'deeptwist', restart: 0 };
  const holder = { pid: 4711, startTime: 'boot/1', host: 'node-c', job };
  await mkdir(join(sweep.path, 'claims'), { recursive: true });
  await writeFile(join(sweep.path, 'claims', '1'), JSON.stringify({ ...holder, holding: '0' }));
  const run = await sweep.makeRun(sweep.plan[0]);
  await run.update({ state: 'running', process: holder });
  await writeFile(run.lockFile, JSON.stringify({ ...holder, holding: '1' }));
  const b = await host('node-b');
  const task = (jobId: string, restart: string) => {
    Object.assign(process.env, { SLURM_JOB_ID: jobId, SLURM_CLUSTER_NAME: 'cluster', SLURM_RESTART_COUNT: restart });
    const started = b(folder, 'sweep', sweep.id, '--task', '1');
    for (const name of ['SLURM_JOB_ID', 'SLURM_CLUSTER_NAME', 'SLURM_RESTART_COUNT']) delete process.env[name];
    return started.ended;
  };
  const refused = await task('18', '1');
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.output).toContain('is seen to by process 4711 on node-c.');
  // Two tasks of the same start may be two machines of one job.
  expect(await task('17', '0')).toMatchObject({ code: 1 });
  expect(await task('17', '1')).toMatchObject({ code: 0 });
  expect((await listRuns(folder)).runs[0].record.state).toBe('finished');
}, 300_000);

test('a sweep that was stopped goes on where its project has been moved to, and ends as one that was not', async () => {
  const [still, moving] = [await workspace(settings), await workspace(settings)];
  const a = await host('node-a');
  expect(await a(still.folder, 'sweep', FILE, '--parallel', '2').ended).toMatchObject({ code: 0 });
  const { child, ended } = a(moving.folder, 'sweep', FILE, '--parallel', '2');
  await until(async () => {
    const { runs } = await listRuns(moving.folder);
    return runs.some((run) => /"metrics"/.test(readFileSync(run.eventsFile, 'utf8')));
  });
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 130 });
  const elsewhere = join(await temporaryFolder(), 'elsewhere');
  await rename(moving.folder, elsewhere);
  expect(await a(elsewhere, 'sweep', 'last', '--parallel', '2').ended).toMatchObject({ code: 0 });
  const ends = async (folder: string) => {
    const { runs } = await listRuns(folder);
    return runs
      .map(({ id, record: { state, result } }) => [id.slice(-2), state, { ...result, seconds: undefined }])
      .toSorted();
  };
  expect(await ends(elsewhere)).toEqual(await ends(still.folder));
  await rename(elsewhere, moving.folder);
}, 300_000);
