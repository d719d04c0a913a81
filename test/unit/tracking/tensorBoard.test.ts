import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Run } from '../../../server/runs/run.ts';
import { exportLog } from '../../../server/tracking/index.ts';
import { ownTensorBoardFolder } from '../../../server/tracking/tensorBoard.ts';
import { distortion, evaluation, finished, metrics, started, wholeRun } from '../cli/sampleEvents.ts';
import { readEventFile, shownScalars, type ReadEvent, type ReadValue } from '../formats/tensorboard/eventFile.ts';
import { temporaryRun } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { record } from './record.ts';

const signal = new AbortController().signal;

function write(run: Run, folder = ownTensorBoardFolder(run)) {
  return exportLog(run, { to: 'tensorboard', folder }, { signal, atEnd: () => true });
}

async function eventFile(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.includes('tfevents'));
  expect(names).toHaveLength(1);
  return join(folder, names[0]);
}

async function written(run: Run): Promise<ReadEvent[]> {
  return readEventFile(readFileSync(await eventFile(ownTensorBoardFolder(run))));
}

const valuesOf = (events: readonly ReadEvent[], tag: string): ReadValue[] =>
  events.flatMap(({ values }) => values.filter((value) => value.tag === tag));

test('a run has its metrics, its sizes, its histograms, its texts and its settings in the file', async () => {
  const run = await temporaryRun();
  await record(run, wholeRun);
  expect(await write(run)).toEqual({ events: wholeRun.length, passedOver: 0 });
  const events = await written(run);
  expect(events[0].version).toBe('brain.Event:2');
  expect(shownScalars(events, 'train/loss')).toEqual([1, 10000, 20000].map((step) => [step, Math.fround(0.1234567)]));
  expect(shownScalars(events, 'test/accuracy')).toEqual([[10000, Math.fround(0.95)]]);
  expect(shownScalars(events, 'before_last_distortion/test/accuracy')).toEqual([[20000, Math.fround(0.98399)]]);
  expect(shownScalars(events, 'final/test/accuracy')).toEqual([[20000, Math.fround(0.98412)]]);
  expect(shownScalars(events, 'sparsity/fc1/kernel')).toEqual([
    [10000, Math.fround(0.9)],
    [20000, Math.fround(0.9)],
  ]);
  expect(shownScalars(events, 'final/ratio')).toEqual([[20000, Math.fround(33.2017)]]);
  const [before] = valuesOf(events, 'weights/fc1/kernel/before');
  expect(before.histogram).toEqual({ minimum: -1, limits: [-1 + 2 / 3, -1 + 4 / 3, 1], counts: [250, 500, 250] });
  expect(valuesOf(events, 'warnings').map(({ text }) => text)).toEqual(['the learning rate is high']);
  expect(valuesOf(events, 'settings')[0].text).toContain('| `training.batchSize` | `50` |');
  expect(valuesOf(events, 'experiment')[0].text).toBe('    {} // as written\n    ');
  expect(valuesOf(events, '_hparams_/session_start_info')[0].plugin).toBe('hparams');
  expect(valuesOf(events, '_hparams_/session_end_info')[0].plugin).toBe('hparams');
});

test('the bytes of all compressed weights are told together, as last recorded', async () => {
  const run = await temporaryRun();
  const [weight] = distortion(1).weights;
  const named = (name: string, bytesKept: number) => ({ ...weight, name, size: { weightsKept: 100, bytesKept } });
  await record(run, [
    started,
    { ...distortion(10), weights: [named('fc1/kernel', 500), named('fc2/kernel', 300)] },
    { ...distortion(20), weights: [named('fc2/kernel', 100)] },
  ]);
  await write(run);
  const events = await written(run);
  expect(shownScalars(events, 'compressed/bytes')).toEqual([
    [10, 800],
    [20, 600],
  ]);
  // Two weights of 1000 numbers, 4 bytes each.
  expect(shownScalars(events, 'compressed/ratio')[1]).toEqual([20, Math.fround(8000 / 600)]);
});

test('what is added to a log is added to the file, and nothing twice', async () => {
  const run = await temporaryRun();
  await record(run, [started, metrics(1)]);
  await write(run);
  expect(await write(run)).toMatchObject({ events: 0 });
  await record(run, [metrics(2), evaluation(2, 0.5)]);
  expect(await write(run)).toMatchObject({ events: 2 });
  const events = await written(run);
  expect(shownScalars(events, 'train/loss').map(([step]) => step)).toEqual([1, 2]);
  expect(valuesOf(events, 'settings')).toHaveLength(1);
});

test('in parts or at once, the file is the same to the byte', async () => {
  const run = await temporaryRun();
  const parts = [wholeRun.slice(0, 3), wholeRun.slice(3, 8), wholeRun.slice(8)];
  const folder = join(run.path, 'in-parts');
  for (const part of parts) {
    await record(run, part);
    await write(run, folder);
  }
  await write(run);
  expect(readFileSync(await eventFile(folder))).toEqual(readFileSync(await eventFile(ownTensorBoardFolder(run))));
});

test('a record that was cut short, and what the position does not know of, are written again', async () => {
  const run = await temporaryRun();
  await record(run, wholeRun);
  await write(run);
  const path = await eventFile(ownTensorBoardFolder(run));
  const whole = readFileSync(path);
  appendFileSync(path, whole.subarray(0, 20));
  await write(run);
  expect(readFileSync(path)).toEqual(whole);
  truncateSync(path, whole.length - 5);
  expect(await write(run)).toMatchObject({ events: wholeRun.length });
  expect(readFileSync(path)).toEqual(whole);
});

test('a run that goes on from a checkpoint tells TensorBoard to drop the steps that it does again', async () => {
  const run = await temporaryRun();
  const cutAt = await record(run, [started, metrics(1), metrics(2)]);
  await record(run, [metrics(3), metrics(4)]);
  await write(run);
  await record(run, [{ ...started, step: 2, resumedFrom: 2 }, metrics(3, 0.5), metrics(4, 0.25)], { cutAt });
  await write(run);
  const events = await written(run);
  expect(shownScalars(events, 'train/loss')).toEqual([
    [1, Math.fround(0.1234567)],
    [2, Math.fround(0.1234567)],
    [3, 0.5],
    [4, 0.25],
  ]);
  expect(valuesOf(events, '_hparams_/session_start_info')).toHaveLength(1);
});

test('a damaged line of the log is passed over, and told', async () => {
  const run = await temporaryRun();
  await record(run, [started, metrics(1)]);
  appendFileSync(run.eventsFile, '{"type":"metrics","step":2,"ti\n{"type":"later version","step":2,"time":1}\n');
  appendFileSync(run.eventsFile, JSON.stringify(metrics(3)) + '\n{"type":"met');
  expect(await write(run)).toEqual({ events: 3, passedOver: 2 });
  expect(shownScalars(await written(run), 'train/loss').map(([step]) => step)).toEqual([1, 3]);
});

test('a run of which nothing is recorded makes a file without values', async () => {
  const run = await temporaryRun();
  expect(await write(run)).toEqual({ events: 0, passedOver: 0 });
});

test('a folder that cannot be written is told with its path', async () => {
  const run = await temporaryRun();
  await record(run, wholeRun);
  const file = join(run.path, 'a-file');
  writeFileSync(file, '');
  const error = await userErrorOf(() => write(run, join(file, 'folder')));
  expect(error.message).toContain(file);
});

test('a folder that another process writes is left to it', async () => {
  const run = await temporaryRun();
  await record(run, [started]);
  const ending = new AbortController();
  const options = { signal: ending.signal, atEnd: () => false };
  const folder = ownTensorBoardFolder(run);
  const following = exportLog(run, { to: 'tensorboard', folder }, options);
  await expect.poll(async () => readdir(folder).catch(() => [])).toContain('deeptwist.json.lock');
  expect((await userErrorOf(() => write(run))).message).toContain('is writing the event file in');
  ending.abort();
  await following;
  expect(await readdir(folder)).not.toContain('deeptwist.json.lock');
  expect(shownScalars(await written(run), 'final/bytes')).toEqual([]);
  await record(run, [finished]);
  await write(run);
  expect(shownScalars(await written(run), 'final/bytes')).toEqual([[20000, 32120]]);
});
