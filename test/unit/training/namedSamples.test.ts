/** @file Models of several inputs and outputs on data that name what is for which. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { evaluateFile } from '../../../server/export/evaluateFile.ts';
import { ort } from '../../../server/formats/onnxRuntime.ts';
import { exportFormats } from '../../../server/protocol/model/exportFormats.ts';
import { exported } from '../export/finishedRun.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { npy } from '../../fixtures/npy.ts';
import { eventsOf, experiment, finalWeights, resume, workspace, type Workspace } from './workspace.ts';

const SAMPLES = 80;
/** The inputs are in another order than that of their names, and so are the outputs. */
const model = `
  import * as tf from '@tensorflow/tfjs';
  export function createModel({ inputShapes } = {}) {
    const right = tf.input({ name: 'right', shape: inputShapes?.right ?? [3] });
    const left = tf.input({ name: 'left', shape: inputShapes?.left ?? [2] });
    const h = tf.layers.dense({ name: 'h', units: 8, activation: 'tanh' }).apply(tf.layers.concatenate().apply([right, left]));
    const size = tf.layers.dense({ name: 'size', units: 1 }).apply(h);
    const kind = tf.layers.dense({ name: 'kind', units: 3 }).apply(h);
    return tf.model({ inputs: [right, left], outputs: [size, kind] });
  }`;
const CROSS_ENTROPY = 'sparse-categorical-crossentropy-from-logits';
const arrays = { inputs: { left: 'left.npy', right: 'right.npy' }, targets: { kind: 'kind.npy', size: 'size.npy' } };

async function place(changes: Record<string, unknown> = {}, data: Record<string, unknown> = {}): Promise<Workspace> {
  const loss = { kind: CROSS_ENTROPY, size: { loss: 'mean-squared-error', weight: 0.5 } };
  const training = { ...experiment.training, loss, batchSize: 20, steps: 40, checkpointEvery: 10, ...changes };
  const split = { validation: 0.1, test: 0.25 };
  const made = await workspace({ model, data: { type: 'arrays', train: arrays, split, ...data }, training });
  const left = Float32Array.from({ length: 2 * SAMPLES }, (_, i) => Math.sin(i));
  const right = Float32Array.from({ length: 3 * SAMPLES }, (_, i) => Math.cos(3 * i));
  const size = Float32Array.from({ length: SAMPLES }, (_, i) => left[2 * i] - right[3 * i]);
  const kind = Int32Array.from(size, (value) => (value < -0.5 ? 0 : value < 0.5 ? 1 : 2));
  await made.write('left.npy', npy(left, [SAMPLES, 2]));
  await made.write('right.npy', npy(right, [SAMPLES, 3]));
  await made.write('size.npy', npy(size, [SAMPLES, 1]));
  await made.write('kind.npy', npy(kind, [SAMPLES]));
  return made;
}

describe('a model of several inputs and outputs', () => {
  test.each(['compiled', 'eager'])('has the loss of each output as a part of its own, %s', async (executor) => {
    const { events } = await (await place({ executor, steps: 120 })).run();
    const metrics = eventsOf(events, 'metrics');
    for (const { loss, losses } of metrics) {
      expect(Object.keys(losses!)).toEqual(['size loss', 'kind loss']);
      expect(losses!['size loss'] + losses!['kind loss']).toBeCloseTo(loss, 5);
    }
    const evaluations = eventsOf(events, 'evaluation');
    const [first, last] = [evaluations[0], evaluations.at(-1)!];
    expect(Object.keys(last.measures!)).toEqual(['size loss', 'kind loss', 'kind accuracy']);
    expect(last.loss).toBeCloseTo(0.5 * last.measures!['size loss'] + last.measures!['kind loss'], 5);
    expect(last).toMatchObject({ metric: 'loss', value: last.loss });
    expect(last.measures!['size loss']).toBeLessThan(0.7 * first.measures!['size loss']);
    expect(last.measures!['kind accuracy']).toBeGreaterThan(0.6);
  });

  test('goes on to the bit where it was stopped, is exported in every format, and evaluated', async () => {
    const made = await place();
    const whole = await made.run();
    const stopped = await made.run({ stopAfter: 20 });
    const resumed = await resume(stopped.run);
    expect(finalWeights(resumed.run)).toEqual(finalWeights(whole.run));

    const { signal } = new AbortController();
    for (const format of ['onnx', 'tfjs', 'packed'] as const) {
      const path = join(made.folder, `m${exportFormats[format].ending}`);
      const report = await exported(whole.run, made.folder, { format, path });
      expect(report.value, format).toBeCloseTo(report.runValue!, 6);
      const again = await evaluateFile({ path, directory: made.folder, signal, onProgress: () => undefined });
      expect(again, format).toMatchObject({ value: report.value, samples: SAMPLES / 4 });
    }

    // The written file, imported: its inputs and outputs have the names of the data.
    const session = await ort.InferenceSession.create(readFileSync(join(made.folder, 'm.onnx')));
    expect([session.inputNames, session.outputNames]).toEqual([
      ['right', 'left'],
      ['size', 'kind'],
    ]);
    const imported = await place({}, {});
    await imported.write('net.onnx', readFileSync(join(made.folder, 'm.onnx')));
    const { events } = await imported.run({ overrides: ['model=./net.onnx', 'training.steps=3'] });
    const begun = eventsOf(events, 'evaluation').at(-1)!;
    const ended = eventsOf(whole.events, 'evaluation').at(-1)!;
    expect(begun.measures!['kind loss']).toBeLessThan(ended.measures!['kind loss'] + 0.2);
  });

  test('may train some outputs, and count the samples of a class more', async () => {
    const bias = async (classWeights?: unknown) => {
      const kind = { loss: CROSS_ENTROPY, ...(classWeights !== undefined && { classWeights }) };
      const made = await place({ loss: { kind } }, { train: { ...arrays, targets: { kind: 'kind.npy' } } });
      const { run, state } = await made.run();
      expect(state).toBe('finished');
      return finalWeights(run).get('kind/bias')!;
    };
    const [plain, second] = [await bias(), await bias({ 1: 20 })];
    expect(second[1] - second[0]).toBeGreaterThan(plain[1] - plain[0]);
  });
});

describe('names that do not fit are refused', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>, RegExp]>([
    [
      'an input that there is not',
      {},
      { train: { ...arrays, inputs: { lft: 'left.npy', right: 'right.npy' } } },
      /it has no input 'lft'; did you mean 'left'\?/,
    ],
    [
      'an input that is missing',
      {},
      { train: { ...arrays, inputs: { left: 'left.npy' } } },
      /the data have nothing for its input 'right', only left/,
    ],
    [
      'the shape of an input',
      {},
      { train: { ...arrays, inputs: { left: 'right.npy', right: 'right.npy' } } },
      /input 2 takes \[2\], a sample of the data is \[3\]/,
    ],
    [
      'a target that there is not',
      { loss: 'mean-squared-error' },
      { train: { ...arrays, targets: { kindd: 'kind.npy', size: 'size.npy' } } },
      /it has no output 'kindd', for which the data have a target; did you mean 'kind'\?/,
    ],
    [
      'a loss without an output',
      { loss: { kind: CROSS_ENTROPY, sise: 'huber' } },
      {},
      /training\.loss\.sise: the model has no output of this name; did you mean 'size'\?/,
    ],
    [
      'a target without a loss',
      { loss: { kind: CROSS_ENTROPY } },
      {},
      /training\.loss has 1 outputs \(kind\), and a sample of the data has 2 targets/,
    ],
    [
      'another target than that of the loss',
      { loss: { kind: CROSS_ENTROPY } },
      { train: { ...arrays, targets: { size: 'size.npy' } } },
      /training\.loss has no loss for the target 'size' of the data/,
    ],
    [
      'class weights of no classes',
      { loss: { kind: CROSS_ENTROPY, size: { loss: 'huber', classWeights: 'balanced' } } },
      {},
      /training\.loss\.size\.classWeights: it is for an output of classes/,
    ],
    [
      'class weights of several outputs',
      { classWeights: 'balanced' },
      {},
      /training\.classWeights: it is for a model of one output/,
    ],
  ])('%s', async (_, training, data, message) => {
    const plain = { createModel: model.replace(/inputShapes\?\.\w+ \?\? /g, '') }.createModel;
    const made = await place(training, data);
    await made.write('model.ts', plain);
    expect((await userErrorOf(() => made.run())).message).toMatch(message);
  });
});
