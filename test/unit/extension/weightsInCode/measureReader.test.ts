import { appendFile, rm, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../../../server/protocol/run/events.ts';
import { MeasureReader } from '../../../../extension/weightsInCode/measureReader.ts';
import { measuredWeights, shareLeft } from '../../../../extension/weightsInCode/measures.ts';
import { finished, started as sampleStarted } from '../../cli/sampleEvents.ts';
import { metricsAt, temporaryRun } from '../../runs/temporaryRun.ts';
import { shortest } from '../../../until.ts';
import { distortionEvent } from './editorFixture.ts';

const NAMES = ['fc1/kernel'];
const started = (resumedFrom?: number): RunEvent => ({
  ...sampleStarted,
  step: resumedFrom ?? 0,
  ...(resumedFrom !== undefined && { resumedFrom }),
});
const distortion = (step: number, rate = step / 1000) =>
  distortionEvent(NAMES, { step, setting: { rate }, zeros: 100 });
const spectrum = (step: number): RunEvent => ({
  type: 'spectrum',
  step,
  time: step,
  weights: [{ name: 'fc1/kernel', singularValues: [step, 1] }],
});
const textOf = (events: readonly RunEvent[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('');

async function readerOf(events: readonly RunEvent[]) {
  const run = await temporaryRun();
  await writeFile(run.eventsFile, textOf(events));
  const reader = new MeasureReader(run.path);
  const add = (more: readonly RunEvent[]) => appendFile(run.eventsFile, textOf(more));
  const steps = async () => {
    const { last, earlier } = (await reader.read())!;
    return [last?.step, earlier?.step];
  };
  return { run, reader, add, steps };
}

test('the last two recorded distortions are found, and those that are recorded later', async () => {
  const { reader, add, steps } = await readerOf([
    started(),
    metricsAt(1),
    distortion(10),
    distortion(20),
    metricsAt(21),
  ]);
  expect(await steps()).toEqual([20, 10]);
  const known = await reader.read();
  await add([metricsAt(22)]);
  expect(await reader.read()).toBe(known);
  await add([distortion(30)]);
  expect(await steps()).toEqual([30, 20]);
  await add([distortion(40), distortion(50), distortion(60), metricsAt(61)]);
  expect(await steps()).toEqual([60, 50]);
});

test('a spectrum belongs to the distortion of its step alone, also where it is read before it', async () => {
  const { reader, add } = await readerOf([started(), spectrum(10), distortion(10)]);
  const values = async () => measuredWeights((await reader.read())!)[0].singularValues;
  expect(await values()).toEqual([10, 1]);
  await add([distortion(20)]);
  expect(await values()).toBeUndefined();
  await add([spectrum(30)]);
  expect(await values()).toBeUndefined();
  await add([distortion(30)]);
  expect(await values()).toEqual([30, 1]);
});

test('nothing is known before the run has loaded its model, nor of a run that is gone', async () => {
  const { run, reader, add, steps } = await readerOf([]);
  expect(await reader.read()).toBeUndefined();
  await add([started()]);
  expect(await steps()).toEqual([undefined, undefined]);
  await rm(run.path, { recursive: true });
  await expect(reader.read()).rejects.toThrow(/not a run folder/);
});

test('what was recorded after the checkpoint that a run resumes from is forgotten', async () => {
  const before = [started(), distortion(10), distortion(20)];
  const { run, add, steps } = await readerOf([...before, distortion(30)]);
  expect(await steps()).toEqual([30, 20]);
  const cut = Buffer.byteLength(textOf(before));
  await truncate(run.eventsFile, cut);
  expect(await steps()).toEqual([30, 20]); // run.json does not tell of it yet.
  await run.update({ cuts: [cut] });
  await add([started(20)]);
  expect(await steps()).toEqual([20, 10]);
});

test('what is left is as the last distortion says, and as the summary says once the run has finished', async () => {
  const { reader, add } = await readerOf([started(), distortion(10)]);
  const left = async () => shareLeft(measuredWeights((await reader.read())!)[0]);
  expect(await left()).toBeUndefined();
  const counted = distortion(20);
  await add([
    { ...counted, weights: counted.weights.map((weight) => ({ ...weight, size: { weightsKept: 9, bytesKept: 36 } })) },
  ]);
  expect(await left()).toBe(36 / 4000);
  const row = { name: 'fc1/kernel', shape: [10, 100], weights: 1000, weightsKept: 900, bytes: 4000, bytesKept: 3800 };
  await add([{ ...finished, summary: { ...finished.summary, layers: [row] } }]);
  expect(await left()).toBe(0.95);
});

test('of a log of nearly 200 MB, the end is read, within milliseconds and without holding anything up', async () => {
  const metrics = Buffer.from(textOf(Array.from({ length: 10_000 }, (_, i) => metricsAt(i + 1))));
  const { run } = await readerOf([started()]);
  for (let part = 0; part < 160; part++) {
    await appendFile(run.eventsFile, metrics);
    await appendFile(run.eventsFile, textOf([spectrum(part), distortion(part)]));
  }
  // 13 ms in all on an idle machine. A reader that has read it once would not read it again.
  const held = await shortest(100, async () => {
    let late = 0;
    let ticked = performance.now();
    const ticks = setInterval(() => {
      late = Math.max(late, performance.now() - ticked);
      ticked = performance.now();
    }, 1);
    const measures = await new MeasureReader(run.path).read();
    clearInterval(ticks);
    late = Math.max(late, performance.now() - ticked);
    expect([measures?.last?.step, measures?.earlier?.step, measures?.spectrum?.step]).toEqual([159, 158, 159]);
    return late;
  });
  expect(held).toBeLessThan(100);
});
