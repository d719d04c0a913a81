/** @file How a run's process ends when something goes wrong, and how runs wait for one another. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deleteRun } from '../../../server/runs/deleteRun.ts';
import { OLDEST_NODE, oldNodeError } from '../../../server/protocol/nodeVersion.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { killRun } from '../../../server/sidecarClient/endRun.ts';
import { lockRun } from '../../../server/runs/lockRun.ts';
import { openRun } from '../../../server/runs/run.ts';
import { until } from '../../until.ts';
import { copyInstallation } from '../installation.ts';
import { eventsOf, experiment, finalWeights, mlp, workspace } from '../training/workspace.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';
import {
  eventually,
  installationFolder,
  linesOf,
  recordOf,
  runtimeFiles,
  startRun,
  useSidecars,
  watch,
} from './sidecars.ts';

useSidecars();

const training = (changes: object) => ({ ...experiment.training, ...changes });
const long = { training: training({ steps: 4000, checkpointEvery: 500 }) };
const endless = { training: training({ steps: 10_000_000, checkpointEvery: 1_000_000 }) };

test('a run whose process is killed goes on from its checkpoint to the same weights', async () => {
  const place = await workspace(long);
  const undisturbed = await place.run();
  const { run, pid, exited } = await startRun(place);
  const watcher = await watch(run, { offset: 0 });
  await eventually(watcher, (event) => event.step >= 1300);
  process.kill(pid, 'SIGKILL');
  expect(await exited).toMatchObject({ code: null, signal: 'SIGKILL' });
  await watcher.closed;
  const killed = await openRun(run.path);
  expect(killed.observedState()).toBe('interrupted');
  expect(runtimeFiles()).toHaveLength(2); // Nobody could remove its socket and its ticket.
  const resumed = await startRun(place, { run: killed, resume: true });
  // A client that knows the log as the killed process left it gets what follows the cut.
  const second = await watch(run, { offset: watcher.offset, cuts: 0 });
  expect((await resumed.exited).code).toBe(0);
  await second.closed;
  expect(finalWeights(run)).toEqual(finalWeights(undisturbed.run));
  const begin = second.events.findIndex(({ type }) => type === 'started');
  expect(second.events[begin].step).toBeGreaterThanOrEqual(1000);
  const recorded = linesOf(run);
  expect(second.events.slice(begin)).toEqual(recorded.slice(recorded.findLastIndex(({ type }) => type === 'started')));
  expect(eventsOf(recorded, 'metrics').map(({ step }) => step)).toEqual(
    eventsOf(undisturbed.events, 'metrics').map(({ step }) => step),
  );
});

describe('the queue', () => {
  test('lets as many runs train at once as are allowed, in their order, and tells the others how many are before them', async () => {
    const place = await workspace(endless);
    const first = await startRun(place);
    const one = await watch(first.run, { offset: 0 });
    await eventually(one, ({ type }) => type === 'metrics');
    const second = await startRun(place);
    const two = await watch(second.run, { offset: 0 });
    const third = await startRun(place);
    const three = await watch(third.run, { offset: 0 });
    const state = ({ connection }: typeof one) => connection.request('state');
    const waits = (watcher: typeof one, ahead: number) =>
      until(async () => (await state(watcher)).runsAhead === ahead, `${ahead} runs ahead`);
    await waits(three, 2);
    // While the third chose its number, the second had to count it as one before it.
    await waits(two, 1);
    expect(await state(two)).toMatchObject({ phase: 'queued', step: 0 });
    expect((await openRun(second.run.path)).observedState()).toBe('queued');
    // One more at a time: beside the first.
    const fourth = await startRun(place, { parallel: 4 });
    const four = await watch(fourth.run, { offset: 0 });
    await eventually(four, ({ type }) => type === 'metrics');
    for (const { connection } of [four, one]) await connection.request('stop', { when: 'after-step' });
    await first.exited;
    await eventually(two, ({ type }) => type === 'metrics');
    await waits(three, 1);
    expect(await state(three)).toMatchObject({ phase: 'queued' });
    // A run that waits can be stopped.
    await three.connection.request('stop', { when: 'after-step' });
    expect((await third.exited).code).toBe(130);
    expect(linesOf(third.run).map(({ type }) => type)).toEqual(['stopped']);
    expect((await recordOf(third.run)).state).toBe('stopped');
    await two.connection.request('stop', { when: 'after-step' });
    await Promise.all([second.exited, fourth.exited]);
  });

  test('goes on when a process in it is killed, and what that left is removed', async () => {
    const place = await workspace(endless);
    const first = await startRun(place);
    await watch(first.run);
    const second = await startRun(place);
    const watcher = await watch(second.run, { offset: 0 });
    await until(async () => (await watcher.connection.request('state')).runsAhead === 1, 'waiting');
    process.kill(first.pid, 'SIGKILL');
    await eventually(watcher, ({ type }) => type === 'started');
    expect(runtimeFiles()).toHaveLength(2);
    await watcher.connection.request('stop', { when: 'after-step' });
    await second.exited;
  });
});

describe('what fails is recorded with what to do, and ends the process', () => {
  async function failed(changes: Parameters<typeof workspace>[0], options?: Parameters<typeof startRun>[1]) {
    const place = await workspace(changes);
    const { run, exited } = await startRun(place, options);
    const { code, logTail } = await exited;
    expect(code, logTail).toBe(1);
    const { state, failure } = await recordOf(run);
    expect(state).toBe('failed');
    const events = linesOf(run);
    expect(events.at(-1)).toMatchObject({ type: 'failed', ...failure });
    return { failure, logTail, events, run, place };
  }

  test('a setting that does not fit, at its place in the experiment file', async () => {
    const { failure, events, place, run } = await failed({
      compression: { method: 'prune', distortEvery: 5, layers: { fc3: { rate: 0.5 } } },
    });
    expect(failure!.message).toMatch(/blobs\.deeptwist\.jsonc:\d+:\d+ compression\.layers\.fc3: matches no layer/);
    expect(failure!.message).toContain(place.file);
    expect(failure!.remedy).toContain('Did you mean "fc1"?');
    expect(events).toHaveLength(1);
    // Mended, it can be started again in its folder.
    const again = await startRun(place, { run: await openRun(run.path), resume: true });
    expect((await again.exited).code).toBe(1);
  });

  test('a model that throws', async () => {
    const { failure, logTail } = await failed({
      model: `console.log('hello from the model'); export const createModel = () => { throw new Error('no such thing'); };`,
    });
    expect(failure!.message).toContain('no such thing');
    expect(logTail).toContain('hello from the model\n');
    expect(logTail).toContain('The run has failed: ');
  });

  test('what a module throws where nobody waits for it', async () => {
    const { failure, logTail, place } = await failed({
      ...endless,
      model: `${mlp}; setTimeout(() => { throw new Error('too late'); }, 1500);`,
    });
    const module = join(place.folder, 'model.ts');
    expect(failure!.message).toContain(`${module} threw an error where nobody waits for it: too late (${module}:`);
    expect(logTail).toMatch(/The run has failed: .*too late \(.*\)\. Correct the module/);
  });

  test('a numeric library without a binary for this platform', async () => {
    const dist = join(copyInstallation(installationFolder()), 'dist');
    const packages = join(dist, 'node_modules', 'onnxruntime-node');
    mkdirSync(packages, { recursive: true });
    writeFileSync(join(packages, 'package.json'), '{ "name": "onnxruntime-node", "main": "index.js" }');
    writeFileSync(
      join(packages, 'index.js'),
      'throw new Error("Cannot find module \'../bin/napi-v6/linux/arm64/onnxruntime_binding.node\'");',
    );
    const { failure } = await failed({}, { sidecarScript: join(dist, 'sidecar.js') });
    const platform = `${process.platform}-${process.arch}`;
    expect(failure).toMatchObject({
      message: expect.stringContaining(`onnxruntime-node has no binary that runs on ${platform}: `) as string,
      remedy: expect.stringContaining('Reinstall the DeepTwist package for this platform') as string,
    });
  });

  test.runIf(existsSync('/dev/full'))('a disk that is full', async () => {
    const place = await workspace(endless);
    const run = await createRun({ experiment: place.file, text: readFileSync(place.file, 'utf8'), state: 'queued' });
    symlinkSync('/dev/full', run.eventsFile); // Every write to this device fails with ENOSPC.
    const { exited } = await startRun(place, { run });
    expect((await exited).code).toBe(1);
    expect((await recordOf(run)).failure).toMatchObject({
      message: expect.stringMatching(
        /^The disk is full: writing to .* What was recorded before is intact\.$/,
      ) as string,
      remedy: expect.stringContaining('Free some space') as string,
    });
  });

  test.runIf(process.platform === 'linux')('a file that may not grow any more', async () => {
    const place = await workspace({
      ...endless,
      compression: { method: 'prune', distortEvery: 2, layers: { fc1: { rate: 0.5 } } },
      observe: { every: 2 },
    });
    const { run, pid, exited } = await startRun(place);
    const watcher = await watch(run, { offset: 0 });
    await eventually(watcher, ({ step }) => step > 50);
    execFileSync('prlimit', ['--pid', String(pid), '--fsize=16384']);
    expect((await exited).code).toBe(1);
    await watcher.closed;
    const end = watcher.events.at(-1)!;
    expect(end).toMatchObject({ type: 'failed', message: expect.stringMatching(/may not grow: its size/) as string });
    const recorded = linesOf(run); // Every line is whole.
    expect(watcher.events.slice(0, recorded.length)).toEqual(recorded);
    expect((await recordOf(run)).failure!.remedy).toContain('ulimit -f');
  });

  test('a run folder that is deleted under it', async () => {
    const place = await workspace(endless);
    const { run, exited } = await startRun(place);
    const watcher = await watch(run, { offset: 0 });
    await eventually(watcher, ({ type }) => type === 'metrics');
    expect((await userErrorOf(() => deleteRun(run))).message).toMatch(/is being trained by process/);
    rmSync(run.path, { recursive: true });
    expect((await exited).code).toBe(1);
    await watcher.closed;
    expect(watcher.events.at(-1)).toMatchObject({
      type: 'failed',
      message: `The folder ${run.path} was deleted or moved while the run was being trained.`,
    });
    expect(existsSync(run.path)).toBe(false);
  });
});

test('a model that loops for ever does not answer; its process is ended from outside', async () => {
  const place = await workspace({ model: `export const createModel = () => { console.log('looping'); for (;;) ; };` });
  const { run, exited } = await startRun(place);
  const { connection } = await watch(run);
  await until(() => readFileSync(run.logFile, 'utf8').includes('looping'), 'the loop');
  await expect(connection.request('stop', { when: 'now' }, AbortSignal.timeout(500))).rejects.toThrow(/timeout/);
  expect(runtimeFiles()).toHaveLength(2);
  await killRun(run);
  expect((await exited).signal).toBe('SIGKILL');
  const left = await openRun(run.path);
  expect(left.observedState()).toBe('interrupted');
  expect(runtimeFiles()).toEqual([]);
  await killRun(run); // It is dead.
  await deleteRun(left);
  expect(readdirSync(join(run.path, '..'))).toEqual([]);
});

test('a run that another process has is left alone', async () => {
  const place = await workspace(long);
  const { run } = await place.run({ stopAfter: 10 });
  const lock = await lockRun(run);
  const { exited } = await startRun(place, { run, resume: true });
  const { code, logTail } = await exited;
  expect(code).toBe(1);
  expect(logTail).toMatch(/is in use by process \d+/);
  await lock.release();
  expect((await recordOf(run)).state).toBe('stopped');
});

test('an executable that is not there is told with the setting, and the run has failed', async () => {
  const place = await workspace();
  const run = await createRun({ experiment: place.file, text: readFileSync(place.file, 'utf8'), state: 'queued' });
  const error = await userErrorOf(() => startRun(place, { run, node: '/nowhere/node' }));
  expect(error.message).toMatch(/cannot be started with \/nowhere\/node/);
  expect(error.remedy).toContain('deeptwist.node.path');
  const { state, failure } = await recordOf(run);
  expect({ state, failure }).toEqual({ state: 'failed', failure: { message: error.message, remedy: error.remedy } });
});

describe('an old Node', () => {
  const old = { version: 'v18.20.8', message: /^DeepTwist needs Node 20\.19\.0 or newer; this is 18\.20\.8 \(.*\)\.$/ };

  /** A Node that says of itself that it is old. It is told before anything else is loaded. */
  async function oldNode(folder: string): Promise<string> {
    const preload = join(folder, 'old.cjs');
    await writeFile(preload, `Object.defineProperty(process.versions, 'node', { value: '${old.version.slice(1)}' });`);
    return preload;
  }

  test('that the setting names is told with the setting, and the run has failed', async () => {
    const place = await workspace();
    const node = join(place.folder, 'node');
    await writeFile(node, `#!/bin/sh\necho ${old.version}\n`, { mode: 0o755 });
    const run = await createRun({ experiment: place.file, text: readFileSync(place.file, 'utf8'), state: 'queued' });
    const error = await userErrorOf(() => startRun(place, { run, node }));
    expect(error.message).toMatch(old.message);
    expect(error.message).toContain(node);
    expect(error.remedy).toContain('deeptwist.node.path');
    expect(await recordOf(run)).toMatchObject({ state: 'failed', failure: { message: error.message } });
  });

  test.each([
    ['the command line', ['bin', 'deeptwist.js'], undefined, 'Install Node 20.19.0 or newer'],
    ['the model describer', ['bin', 'deeptwist.js'], '1', 'deeptwist.node.path'],
    ['a sidecar', ['dist', 'sidecar.js'], '1', 'deeptwist.node.path'],
    ['the language server', ['dist', 'language.js'], undefined, 'Install Node 20.19.0 or newer'],
  ])('is told by %s at once', async (_, script, fromEditor, remedy) => {
    const preload = await oldNode(await temporaryFolder());
    const { ELECTRON_RUN_AS_NODE: _own, ...inherited } = process.env;
    const env = { ...inherited, ...(fromEditor !== undefined && { ELECTRON_RUN_AS_NODE: fromEditor }) };
    const args = ['--require', preload, join(installationFolder(), ...script)];
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { env, encoding: 'utf8', input: '' });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    const [message, what, ...more] = stderr.split('\n');
    expect(message.replace(/^error: /, '')).toMatch(old.message);
    expect(what).toContain(remedy);
    expect(more).toEqual(['']);
  });

  test('is one that package.json does not accept', () => {
    const manifest = JSON.parse(readFileSync(join(installationFolder(), 'package.json'), 'utf8')) as {
      engines: { node: string };
    };
    expect(manifest.engines.node).toBe(`>=${OLDEST_NODE}`);
    const told = ['18.20.8', 'v20.18.3', '20.19.0', '20.19.1', '20.20.2', '22.0.0', 'v24.1.0'].map(
      (version) => oldNodeError(version, 'node', { isSetting: false }) !== undefined,
    );
    expect(told).toEqual([true, true, false, false, false, false, false]);
  });
});

const nameless = ['--user', '--map-user=54321', '--map-group=54321'];
const hasNameless = process.platform === 'linux' && spawnSync('unshare', [...nameless, 'true']).status === 0;

test.runIf(hasNameless)('a user without a name, as in a container, trains runs', async () => {
  const place = await workspace();
  const run = await createRun({ experiment: place.file, text: readFileSync(place.file, 'utf8'), state: 'queued' });
  const runtime = join(place.folder, 'tmp');
  mkdirSync(runtime);
  const args = [...nameless, process.execPath, join(installationFolder(), 'dist', 'sidecar.js'), run.path];
  execFileSync('unshare', args, { env: { ...process.env, TMPDIR: runtime }, stdio: 'pipe' });
  expect((await recordOf(run)).state).toBe('finished');
});
