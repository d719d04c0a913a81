/** @file Every method under every policy that it has, from the experiment file to the stored model. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodePacked } from '../../../server/formats/packed/packedFile.ts';
import { decodeSafetensors } from '../../../server/formats/safetensors.ts';
import { singularValues } from '../../../server/linalg/singularValues.ts';
import { compressionsOf } from '../../../server/protocol/experiment/compressions.ts';
import type { LayerSize, RunEvent } from '../../../server/protocol/run/events.ts';
import type { Run } from '../../../server/runs/run.ts';
import { compressedFile } from '../../../server/training/finalModel.ts';
import { evaluateRun } from '../../../server/training/index.ts';
import {
  CLASSES,
  eventsOf,
  experiment,
  finalWeights,
  recordedEvents,
  resume,
  statefulLstm,
  workspace,
  type RecordedRun,
} from './workspace.ts';

const schedule = { from: 10, to: 40 };
const prune = { method: 'prune', distortEvery: 4, layers: { fc1: { rate: 0.7 }, fc2: { rate: 0.5 } } };
const quantize = {
  method: 'quantize',
  distortEvery: 4,
  layers: { fc1: { bits: 2 }, 'fc*': { bits: 1, scales: 'matrix' } },
};
const lowRank = { method: 'low-rank', distortEvery: 4, layers: { fc1: { rank: 3 } } };
const custom = { method: 'custom', module: './distort.ts', distortEvery: 4, layers: { fc1: { limit: 0.25 } } };

/** Checks that the final weights have the form that the experiment asks for. */
const forms = {
  prune(weights: ReadonlyMap<string, Float32Array>) {
    expect(zeros(weights.get('fc1/kernel')!)).toBe(Math.floor(0.7 * 128));
    expect(zeros(weights.get('fc2/kernel')!)).toBe(Math.floor(0.5 * 48));
  },
  quantize(weights: ReadonlyMap<string, Float32Array>) {
    const fc1 = weights.get('fc1/kernel')!;
    // A row of the matrix is an output unit, a column of the stored kernel [8, 16].
    for (let unit = 0; unit < 16; unit++)
      expect(new Set(fc1.filter((_, i) => i % 16 === unit)).size).toBeLessThanOrEqual(4);
    expect(new Set(weights.get('fc2/kernel')!).size).toBe(2);
  },
  async 'low-rank'(weights: ReadonlyMap<string, Float32Array>) {
    await expectRank(weights.get('fc1/kernel')!, 8, 16, 3);
  },
  custom(weights: ReadonlyMap<string, Float32Array>) {
    expect(Math.max(...weights.get('fc1/kernel')!.map(Math.abs))).toBe(0.25);
  },
};

describe.each(['deeptwist', 'one-shot', 'straight-through'])('%s', (policy) => {
  test.each([
    { ...prune, schedule },
    { ...quantize, schedule: { from: 10 } },
    { ...lowRank, schedule: { from: 10 } },
    { ...custom, schedule: { from: 10 } },
  ])('$method ends right after a distortion, with the compressed model', async (compression) => {
    const finished = await train({ ...compression, policy });
    await forms[compression.method as keyof typeof forms](finalWeights(finished.run));
    await expectConsistent(finished);
  });
});

/** Every kind of levels, and how many numbers a bucket has at most. */
const kinds: readonly [parameters: Record<string, unknown>, most: number][] = [
  [{ levels: 'uniform', bits: 3, bucket: 16 }, 8],
  [{ levels: 'uniform', bits: 2, points: 3, bucket: 'tensor' }, 3],
  [{ levels: 'uniform', bits: 4, bucket: 'row', symmetric: true, rounding: 'stochastic' }, 15],
  [{ levels: 'points', bits: 2 }, 4],
  [{ levels: 'points', bits: 3, bucket: 'none', start: 'quantiles' }, 8],
  [{ levels: 'fixed-point', bits: 4 }, 16],
  [{ levels: 'power-of-two', bits: 3 }, 7],
];

describe.each(['deeptwist', 'one-shot', 'straight-through'])('%s of other levels', (policy) => {
  test.each(kinds)('%j ends with as many levels, and with the compressed model', async (parameters, most) => {
    const finished = await train({
      method: 'quantize',
      distortEvery: 4,
      policy,
      layers: { 'fc*': parameters },
      schedule: { from: 10 },
    });
    const fc1 = finalWeights(finished.run).get('fc1/kernel')!;
    // The first bucket of any kind: a row is every 16th number, 16 are the first of the tensor, and 128 are fewer than 256.
    const bucket = parameters.bucket === 'row' ? fc1.filter((_, i) => i % 16 === 0) : fc1.subarray(0, 16);
    expect(new Set(bucket).size).toBeLessThanOrEqual(most);
    expect(new Set(fc1).size).toBeGreaterThan(1);
    await expectConsistent(finished);
  });
});

test('trained points end with the model that they were trained as', async () => {
  const layers = { 'fc*': { levels: 'points', bits: 2, bucket: 'none' } };
  const finished = await train({
    method: 'quantize',
    policy: 'points',
    distortEvery: 4,
    layers,
    schedule: { from: 20 },
  });
  expect(new Set(finalWeights(finished.run).get('fc1/kernel')).size).toBe(4);
  const [{ summary }] = eventsOf(finished.events, 'finished');
  expect(summary.testBeforeLastDistortion).toBe(summary.test);
  await expectConsistent(finished);
});

test('pruning and then trained points leave zeros and a few centroids, as Deep Compression does', async () => {
  const finished = await train([
    { ...prune, schedule: { from: 5, to: 20 }, policy: 'gradual-mask' },
    {
      method: 'quantize',
      policy: 'points',
      distortEvery: 4,
      layers: { 'fc*': { levels: 'points', bits: 2, bucket: 'none' } },
      schedule: { from: 24 },
    },
  ]);
  const fc1 = finalWeights(finished.run).get('fc1/kernel')!;
  expect(zeros(fc1)).toBeGreaterThanOrEqual(Math.floor(0.7 * 128));
  expect(new Set(fc1).size).toBeLessThanOrEqual(5);
  expect(finished.state).toBe('finished');
});

describe('proximal steps', () => {
  const optimizer = { type: 'sgd', learningRate: 0.1, momentum: 0.9 };
  const training = { ...experiment.training, optimizer };
  const nuclearNorm = { method: 'nuclear-norm', distortEvery: 4, unit: 'steps', layers: { fc1: { tau: 3 } } };
  const groupLasso = { method: 'group-lasso', distortEvery: 4, unit: 'steps', layers: { fc1: { lambda: 0.4 } } };
  const trainProximal = async (compression: object | readonly object[]) =>
    (await workspace({ compression, training })).run();

  test('of the nuclear norm find a rank, which the log tells and the file has', async () => {
    const finished = await trainProximal(nuclearNorm);
    const [first, ...others] = eventsOf(finished.events, 'distortion').map(({ weights }) => weights[0].nuclearNorm!);
    const last = others.at(-1)!;
    expect(first.threshold).toBeCloseTo(0.3);
    expect(first.rank).toBeGreaterThan(last.rank);
    expect(last.after).toBeLessThan(last.before);
    await expectRank(finalWeights(finished.run).get('fc1/kernel')!, 8, 16, last.rank);
    expect(eventsOf(finished.events, 'spectrum')[0].weights[0].threshold).toBeCloseTo(0.3);
    const [{ layers }] = eventsOf(finished.events, 'finished').map(({ summary }) => summary);
    expect(layers[0].weightsKept).toBe(last.rank * (8 + 16));
    await expectConsistent(finished);
  });

  test('follow the learning rate as it is in force, the last one that of the last step', async () => {
    const compression = { ...nuclearNorm, distortEvery: 20 };
    const learningRateSchedule = { type: 'step', every: 25, factor: 0.1 };
    const { run } = await workspace({ compression, training: { ...training, learningRateSchedule } });
    const { events } = await run();
    const thresholds = eventsOf(events, 'distortion').map(({ step, weights }) => [
      step,
      weights[0].nuclearNorm!.threshold,
    ]);
    expect(thresholds.map(([step]) => step)).toEqual([20, 40, 60]);
    [0.3, 0.03, 0.003].forEach((threshold, i) => expect(thresholds[i][1]).toBeCloseTo(threshold, 6));
  });

  test('of the group lasso leave units that are zero with their biases, and the rest trains on', async () => {
    const finished = await trainProximal(groupLasso);
    const { units } = eventsOf(finished.events, 'distortion').at(-1)!.weights[0];
    expect(units!.left).toBeLessThan(16);
    expect(units!.left).toBeGreaterThan(0);
    const weights = finalWeights(finished.run);
    const [kernel, bias] = [weights.get('fc1/kernel')!, weights.get('fc1/bias')!];
    const dead = Array.from({ length: 16 }, (_, unit) => unit).filter((unit) =>
      kernel.every((value, i) => i % 16 !== unit || value === 0),
    );
    expect(dead).toHaveLength(16 - units!.left);
    expect(dead.map((unit) => bias[unit])).toEqual(dead.map(() => 0));
    await expectConsistent(finished);
  });

  test('come one after the other in a list, and quantization goes on with what they leave', async () => {
    const finished = await trainProximal([
      nuclearNorm,
      groupLasso,
      { method: 'quantize', distortEvery: 20, layers: { fc1: { bits: 4 } } },
    ]);
    const last = eventsOf(finished.events, 'distortion').at(-1)!.weights[0];
    expect(last.nuclearNorm!.rank).toBeGreaterThan(0);
    expect(last.units!.left).toBeGreaterThan(0);
    expect(eventsOf(finished.events, 'finished')[0].summary.byteRatio).toBeGreaterThan(1);
    await expectConsistent(finished);
  });

  test('warn where the optimizer is not the one that they belong to', async () => {
    const { run } = await workspace({ compression: nuclearNorm });
    const warnings = eventsOf((await run()).events, 'warning').map(({ message }) => message);
    expect(warnings.join()).toContain('the proximal steps of "nuclear-norm" belong to "sgd"');
  });

  test('go on from a checkpoint to the bit', async () => {
    const compression = [nuclearNorm, groupLasso];
    const whole = await trainProximal(compression);
    const { run } = await workspace({ compression, training });
    const halves = await resume((await run({ stopAfter: 30 })).run);
    expect(finalWeights(halves.run)).toEqual(finalWeights(whole.run));
  });
});

test('factors end with the model of low rank', async () => {
  const finished = await train({ ...lowRank, schedule: { from: 10 }, policy: 'factors' });
  await forms['low-rank'](finalWeights(finished.run));
  await expectConsistent(finished);
});

test('gradual-mask ends with the pruned model', async () => {
  const finished = await train({ ...prune, schedule, policy: 'gradual-mask' });
  forms.prune(finalWeights(finished.run));
  await expectConsistent(finished);
});

test('a mask that was final before the run was stopped is in the compressed file of the resumed run', async () => {
  const { run } = await workspace({ compression: { ...prune, schedule, policy: 'gradual-mask' } });
  const { run: finished, events } = await resume((await run({ stopAfter: 50 })).run);
  expectCompressedFile(finished, finalWeights(finished), eventsOf(events, 'finished')[0].summary.layers);
});

test('the weights that multiply the output of an LSTM share a projection to the end', async () => {
  const compression = { method: 'low-rank', distortEvery: 4, layers: { '*': { rank: 2, sharedProjection: true } } };
  const { run: train } = await workspace({ model: statefulLstm, compression });
  const finished = await train();
  const weights = finalWeights(finished.run);
  const columns = (name: string) => rowsOf(weights.get(name)!, 8);
  const [recurrent, next] = [columns('lstm/recurrent_kernel'), columns('fc/kernel')];
  // Side by side they are of rank 2 only where their columns lie in the same plane.
  const beside = recurrent.flatMap((row, i) => [...row, ...next[i]]);
  await expectRank(Float32Array.from(beside), 8, 32 + CLASSES, 2);
  const kept = eventsOf(finished.events, 'finished')[0].summary.layers.map(({ name, weightsKept }) => [
    name,
    weightsKept,
  ]);
  expect(Object.fromEntries(kept)).toMatchObject({
    'lstm/kernel': 2 * (4 + 32),
    'lstm/recurrent_kernel': 2 * (8 + 32),
    'fc/kernel': 2 * CLASSES,
  });
  await expectConsistent(finished);
});

test('without a compression the model is trained and stored as it is', async () => {
  const { run } = await workspace();
  const finished = await run();
  const [{ summary }] = eventsOf(finished.events, 'finished');
  expect(summary).toMatchObject({ weightRatio: 1, byteRatio: 1, weights: 176, distortionSeconds: 0 });
  expect(summary.testBeforeLastDistortion).toBe(summary.test);
  expect(eventsOf(finished.events, 'distortion')).toEqual([]);
  await expectConsistent(finished);
});

test('the log has the key of the experiment that chose each weight, and the numbers that it asks for', async () => {
  const { events } = await train({ ...quantize, policy: 'deeptwist' });
  const [{ layers }] = eventsOf(events, 'started');
  expect(layers.map(({ name, key, setting }) => [name, key, setting])).toEqual([
    ['fc1/kernel', 'fc1', { bits: 2 }],
    ['fc1/bias', undefined, undefined],
    ['fc2/kernel', 'fc*', { bits: 1 }],
    ['fc2/bias', undefined, undefined],
  ]);
});

test('one-shot distorts once, straight-through computes with compressed weights all along', async () => {
  const once = await train({ ...quantize, policy: 'one-shot' });
  expect(eventsOf(once.events, 'distortion').map(({ step }) => step)).toEqual([60]);
  const through = await train({ ...quantize, policy: 'straight-through' });
  // Before the last distortion the full-precision shadow is evaluated.
  const [{ summary }] = eventsOf(through.events, 'finished');
  expect(summary.test).toBeGreaterThan(0.8);
  expect(eventsOf(through.events, 'metrics')[0].loss).not.toBe(eventsOf(once.events, 'metrics')[0].loss);
});

const rowsOf = (values: Float32Array, rows: number) =>
  Array.from({ length: rows }, (_, i) => values.subarray((i * values.length) / rows, ((i + 1) * values.length) / rows));

async function train(compression: object): Promise<RecordedRun> {
  const { write, run } = await workspace({ compression });
  await write(
    'distort.ts',
    `export function distort(weights: Float32Array, _: number[], { parameters }: { parameters: { limit: number } }) {
       const { limit } = parameters;
       for (let i = 0; i < weights.length; i++) weights[i] = Math.max(-limit, Math.min(limit, weights[i]));
       return { weightsKept: 100, bytes: 50 };
     }`,
  );
  return run();
}

/** What is true of every finished run: its end, its accuracy, its sizes, its log. */
async function expectConsistent({ run, state, events }: RecordedRun): Promise<void> {
  expect(state).toBe('finished');
  const [{ summary }] = eventsOf(events, 'finished');
  expect(events.slice(-2).map(({ type }) => type)).toEqual(['evaluation', 'finished']);
  const last = eventsOf(events, 'distortion').at(-1);
  if (last) expect(last.step).toBe(summary.steps);
  // Nothing trained between the last distortion and the stored model.
  const evaluation = await evaluateRun({ run });
  expect(evaluation.value).toBe(summary.test);
  expect(evaluation).toMatchObject({ metric: 'accuracy', split: 'test', moment: 'final' });

  const weights = finalWeights(run);
  const matrices = summary.layers.filter(({ shape }) => shape.length > 1);
  expect(summary.layers.map(({ name, weights: count }) => [name, count])).toEqual(
    [...weights].map(([name, { length }]) => [name, length]),
  );
  expect(summary.weights).toBe(matrices.reduce((sum, { name }) => sum + weights.get(name)!.length, 0));
  expect(summary.weightsKept).toBe(matrices.reduce((sum, { weightsKept }) => sum + weightsKept, 0));
  expect(summary.weightRatio).toBe(summary.weights / summary.weightsKept);
  expect(summary.bytes).toBe([...weights.values()].reduce((sum, { byteLength }) => sum + byteLength, 0));
  const compressions = compressionsOf(eventsOf(events, 'started')[0].config);
  const [{ method } = { method: undefined }] = compressions;
  if (method === 'prune')
    expect(summary.weightsKept).toBe(
      matrices.reduce((sum, { name }) => sum + weights.get(name)!.length - zeros(weights.get(name)!), 0),
    );
  if (method === 'custom')
    expect(summary.layers[0]).toMatchObject({ name: 'fc1/kernel', weightsKept: 100, bytesKept: 50 });

  if (compressions.length > 0) expectCompressedFile(run, weights, summary.layers);
  expectSettingsAndSizes(events);
  expect(await recordedEvents(run)).toEqual(events);
  expect(run.record.state).toBe('finished');
}

/** The compressed file has the bytes that were counted, and the dense weights are computed from it exactly. */
function expectCompressedFile(
  run: Run,
  weights: ReadonlyMap<string, Float32Array>,
  layers: readonly LayerSize[],
): void {
  const bytes = readFileSync(compressedFile(run));
  const packed = decodePacked(bytes);
  expect([...packed.keys()].sort()).toEqual([...weights.keys()].sort());
  for (const [name, weight] of packed) expect([name, weight.rebuild()]).toEqual([name, weights.get(name)]);
  const { tensors } = decodeSafetensors(bytes);
  // A user's function alone knows how its form is written: it is stored dense.
  for (const { name, bytesKept } of layers)
    if (bytesKept !== 50) expect([name, tensors.get(name)!.data.byteLength]).toEqual([name, bytesKept]);
}

/** The run begins with the settings that it ends with, and its last distortion leaves what the summary counts. */
function expectSettingsAndSizes(events: readonly RunEvent[]): void {
  const [{ config, layers }] = eventsOf(events, 'started');
  const [{ summary }] = eventsOf(events, 'finished');
  const last = eventsOf(events, 'distortion').at(-1)?.weights ?? [];
  expect(layers.filter(({ compressed }) => compressed).map(({ name, setting }) => [name, setting])).toEqual(
    last.map(({ name, setting }) => [name, setting]),
  );
  for (const { compressed, key } of layers)
    if (compressed) expect(compressionsOf(config).flatMap((own) => Object.keys(own.layers))).toContain(key);
    else expect(key).toBeUndefined();
  const sizes = new Map(summary.layers.map(({ name, weightsKept, bytesKept }) => [name, { weightsKept, bytesKept }]));
  for (const { name, size } of last) expect(size).toEqual(sizes.get(name));
}

function zeros(weights: Float32Array): number {
  return weights.filter((weight) => weight === 0).length;
}

/** Singular values behind the rank are what float32 leaves of a product of factors: 1e-6 of the largest, with a margin. */
async function expectRank(weights: Float32Array, rows: number, columns: number, rank: number): Promise<void> {
  const values = await singularValues(weights, rows, columns);
  expect(values[rank - 1]).toBeGreaterThan(1e-3 * values[0]);
  expect(values[rank]).toBeLessThan(1e-5 * values[0]);
}
