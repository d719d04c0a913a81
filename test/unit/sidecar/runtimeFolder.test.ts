/** @file The folder of sockets and tickets lies among temporary files: it is cleaned, full, or cannot be written. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRun } from '../../../server/runs/createRun.ts';
import { runtimeFolder } from '../../../server/runs/runtimeFolder.ts';
import { connectToSidecar } from '../../../server/sidecarClient/sidecarConnection.ts';
import { findRunProcess } from '../../../server/runs/tickets.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { until } from '../../until.ts';
import { experiment, workspace } from '../training/workspace.ts';
import { eventually, installationFolder, recordOf, runtimeFiles, startRun, useSidecars, watch } from './sidecars.ts';

useSidecars();

const endless = { training: { ...experiment.training, steps: 10_000_000, checkpointEvery: 1_000_000 } };

async function isReachable(run: Run): Promise<boolean> {
  const found = findRunProcess(await openRun(run.path));
  if (!found) return false;
  const connection = await connectToSidecar(found, { client: 'a test' }).catch(() => undefined);
  connection?.dispose();
  return connection !== undefined;
}

test('a cleaner that removes the folder neither ends a run, nor hides it, nor lets the next one begin', async () => {
  const place = await workspace(endless);
  const first = await startRun(place);
  const one = await watch(first.run, { offset: 0 });
  await eventually(one, ({ type }) => type === 'metrics');
  const second = await startRun(place);
  const two = await watch(second.run, { offset: 0 });
  const state = () => two.connection.request('state');
  await until(async () => (await state()).runsAhead === 1, 'waiting');
  rmSync(runtimeFolder(), { recursive: true });
  for (const { run } of [first, second]) await until(() => isReachable(run), 'being reached again');
  expect(runtimeFiles()).toHaveLength(4);
  expect(await state()).toMatchObject({ phase: 'queued', runsAhead: 1 });
  const third = await startRun(place);
  const three = await watch(third.run, { offset: 0 });
  await until(async () => (await three.connection.request('state')).runsAhead === 2, 'two runs ahead');
  await three.connection.request('stop', { when: 'after-step' });
  // The clients of before are still connected.
  await one.connection.request('stop', { when: 'after-step' });
  await eventually(two, ({ type }) => type === 'started');
  await two.connection.request('stop', { when: 'after-step' });
  for (const { exited } of [first, second, third]) expect((await exited).code).toBe(130);
});

test('a socket that is removed alone is made again', async () => {
  const { run, exited } = await startRun(await workspace(endless));
  const { connection } = await watch(run);
  unlinkSync(findRunProcess(await openRun(run.path))!.endpoint);
  expect(await isReachable(run)).toBe(false);
  await until(() => isReachable(run), 'being reached again');
  await connection.request('stop', { when: 'after-step' });
  expect((await exited).code).toBe(130);
});

const full = ['--user', '--map-root-user', '--mount'];
const hasMounts = process.platform === 'linux' && spawnSync('unshare', [...full, 'true']).status === 0;

test.runIf(hasMounts)('where it is full, the run has failed, with what to do', async () => {
  const place = await workspace();
  const run = await createRun({ experiment: place.file, text: readFileSync(place.file, 'utf8'), state: 'queued' });
  const temporary = join(place.folder, 'tmp');
  mkdirSync(temporary);
  // A file system with room for one folder and no file.
  const script = 'mount -t tmpfs -o nr_inodes=2,size=4k none "$1" && TMPDIR="$1" exec "$2" "$3" "$4"';
  const sidecar = join(installationFolder(), 'dist', 'sidecar.js');
  const args = [...full, 'sh', '-c', script, 'sh', temporary, process.execPath, sidecar, run.path];
  const { status } = spawnSync('unshare', args, { encoding: 'utf8' });
  const { state, failure } = await recordOf(run);
  expect({ status, state }).toEqual({ status: 1, state: 'failed' });
  expect(failure!.message).toMatch(/^The disk is full: writing to |: the disk is full\.$/);
  expect(failure!.message).toContain(temporary);
  expect(failure!.remedy).toMatch(/^Free some space/);
});

test('where it cannot be made, the run has failed, with what to do', async () => {
  const place = await workspace();
  // A file has no folders. Its path is short: where a socket's would be too long, another folder is used.
  const file = join(process.env.TMPDIR!, 'file');
  writeFileSync(file, '');
  const { run, exited } = await startRun(place, { env: { TMPDIR: file } });
  expect((await exited).code).toBe(1);
  const { state, failure } = await recordOf(run);
  expect({ state, remedy: failure?.remedy }).toEqual({
    state: 'failed',
    remedy: 'Set TMPDIR to a folder that can be written.',
  });
  expect(failure!.message).toContain(`The folder for temporary files, ${file}, cannot be used: `);
});
