/** @file model.json of Keras and of whoever: what can be read is read, everything else is refused with its place. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadModel } from '../../../server/models/loadModel.ts';
import { UserError } from '../../../server/protocol/userError.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';

let folder: string;
beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  folder = await temporaryFolder();
});

const load = (reference: string) => loadModel(reference, { baseDirectory: folder, seed: 1 });

function write(name: string, content: string | Uint8Array): string {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
  return `./${name}`;
}

type Nested = number | Nested[];
const shapeOf = (values: Nested): number[] =>
  Array.isArray(values) ? [values.length, ...shapeOf(values[0] ?? 0)] : [];

/** Writes what the converter of TensorFlow.js makes of a model. */
function writeModel(topology: object, weights: readonly { name: string; values: Nested }[], version: string): string {
  const numbers = (values: Nested): number[] => (Array.isArray(values) ? values.flatMap(numbers) : [values]);
  const data = Float32Array.from(weights.flatMap(({ values }) => numbers(values)));
  write('converted/weights.bin', new Uint8Array(data.buffer));
  const manifest = weights.map(({ name, values }) => ({ name, shape: shapeOf(values), dtype: 'float32' }));
  return write(
    'converted/model.json',
    JSON.stringify({
      format: 'layers-model',
      modelTopology: { keras_version: version, backend: 'jax', model_config: topology },
      weightsManifest: [{ paths: ['weights.bin'], weights: manifest }],
    }),
  );
}

interface Fixture {
  version: string;
  models: Record<
    string,
    { topology: object; weights: { name: string; values: Nested }[]; inputs: number[][][]; outputs: number[][] }
  >;
}
const keras3 = JSON.parse(readFileSync(new URL('./fixtures/keras3.json', import.meta.url), 'utf8')) as Fixture;

describe('a model of Keras 3', () => {
  test.each(Object.entries(keras3.models))(
    'computes what Keras does: %s',
    async (_, { topology, weights, inputs, outputs }) => {
      const { model } = await load(writeModel(topology, weights, keras3.version));
      const tensors = inputs.map((values) => tf.tensor2d(values));
      const predicted = model.predict(tensors.length > 1 ? tensors : tensors[0]) as tf.Tensor;
      // Computed in float32 by both, in another order.
      [...predicted.dataSync()].forEach((value, i) => expect(value).toBeCloseTo(outputs.flat()[i], 5));
    },
  );

  test('has its regularizers and constraints', async () => {
    const { topology, weights } = keras3.models.functional;
    const { model } = await load(writeModel(topology, weights, keras3.version));
    const kernel = (name: string) => model.getLayer(name).weights[0].read();
    const expected = tf.add(tf.mul(0.01, tf.sum(tf.square(kernel('ha')))), tf.mul(0.01, tf.sum(tf.abs(kernel('hb')))));
    const penalties = model.calculateLosses().reduce<tf.Tensor>((sum, loss) => tf.add(sum, tf.sum(loss)), tf.scalar(0));
    expect(penalties.dataSync()[0]).toBeCloseTo(expected.dataSync()[0], 6);
  });
});

const dense = (more: object = {}) => ({
  class_name: 'Dense',
  config: { name: 'fc', units: 2, use_bias: false, batch_input_shape: [null, 2], ...more },
});
const sequential = (...layers: object[]) => ({ class_name: 'Sequential', config: { name: 'model', layers } });
const kernel = { name: 'fc/kernel', shape: [2, 2], dtype: 'float32' };
const whole = (changes: object = {}) => ({
  format: 'layers-model',
  modelTopology: sequential(dense()),
  weightsManifest: [{ paths: ['weights.bin'], weights: [kernel] }],
  ...changes,
});
const shard = (path: string) => whole({ weightsManifest: [{ paths: [path], weights: [kernel] }] });
const weight = (changes: object) =>
  whole({ weightsManifest: [{ paths: ['weights.bin'], weights: [{ ...kernel, ...changes }] }] });
const input = (name: string) => ({
  class_name: 'InputLayer',
  name,
  config: { name, batch_input_shape: [null, 2] },
  inbound_nodes: [],
});
const layer = (name: string, ...from: string[]) => ({
  ...dense({ name }),
  name,
  inbound_nodes: [from.map((source) => [source, 0, 0, {}])],
});
const functional = (layers: object[], out = 'b') => ({
  modelTopology: {
    class_name: 'Model',
    config: { name: 'model', layers, input_layers: [['x', 0, 0]], output_layers: [[out, 0, 0]] },
  },
});

describe('a model.json', () => {
  beforeEach(() => {
    write('model/weights.bin', new Uint8Array(16));
    write('outside.bin', new Uint8Array(16));
  });
  const refused = (json: unknown) => userErrorOf(() => load(write('model/model.json', JSON.stringify(json))));

  test('that is whole is read', async () => {
    expect((await load(write('model/model.json', JSON.stringify(whole())))).model.countParams()).toBe(4);
  });

  test('is refused without an unexpected error, whatever type a field has', async () => {
    const fields: ((value: unknown) => object)[] = [
      (value) => whole({ modelTopology: value }),
      (value) => whole({ weightsManifest: value }),
      (value) => whole({ weightsManifest: [value] }),
      (value) => whole({ weightsManifest: [{ paths: value, weights: [kernel] }] }),
      (value) => whole({ weightsManifest: [{ paths: ['weights.bin'], weights: value }] }),
      (value) => whole({ weightsManifest: [{ paths: [value], weights: [kernel] }] }),
      (value) => whole({ weightsManifest: [{ paths: ['weights.bin'], weights: [value] }] }),
      ...Object.keys(kernel).map((key) => (value: unknown) => weight({ [key]: value })),
      (value) => weight({ quantization: value }),
      (value) => weight({ quantization: { dtype: value } }),
      (value) => whole({ modelTopology: { model_config: value } }),
      (value) => whole({ modelTopology: { class_name: value, config: {} } }),
      (value) => whole({ modelTopology: { class_name: 'Sequential', config: value } }),
      (value) => whole({ modelTopology: { class_name: 'Sequential', config: { layers: value } } }),
      (value) => whole({ modelTopology: { class_name: 'Sequential', config: { layers: [value] } } }),
      (value) => whole({ modelTopology: sequential({ class_name: 'Dense', config: value }) }),
      (value) => whole({ modelTopology: sequential(dense({ units: value })) }),
      (value) => whole({ modelTopology: sequential(dense({ batch_input_shape: value })) }),
      (value) => functional([input('x'), { ...layer('b', 'x'), inbound_nodes: value }]),
      (value) => functional([input('x'), { ...layer('b', 'x'), inbound_nodes: [value] }]),
      (value) => functional([input('x'), { ...layer('b', 'x'), inbound_nodes: [[value]] }]),
      (value) => functional([input('x'), { ...layer('b', 'x'), inbound_nodes: [{ args: value }] }]),
      (value) => functional([input('x'), { ...layer('b', 'x'), inbound_nodes: [{ args: [], kwargs: value }] }]),
      (value) => ({
        modelTopology: {
          class_name: 'Model',
          config: { layers: [input('x')], input_layers: value, output_layers: value },
        },
      }),
    ];
    for (const [i, field] of fields.entries())
      for (const value of [null, 7, -1, 1e300, 'text', true, [], {}, [[]], [null], { a: [] }]) {
        const reference = write('model/model.json', JSON.stringify(field(value)));
        await load(reference).catch((error: unknown) => {
          expect(error, `field ${i}, ${JSON.stringify(value)}: ${String(error)}`).toBeInstanceOf(UserError);
        });
      }
  });

  test.each([
    ['in a circle', functional([input('x'), layer('a', 'b'), layer('b', 'a')]), /of 'a', 'b' go in a circle/],
    ['on a layer itself', functional([input('x'), layer('b', 'b')]), /of 'b' go in a circle/],
    ['on a layer that is not there', functional([input('x'), layer('b', 'none')]), /name a layer that is not there/],
    [
      'in a circle in a model within',
      whole({ modelTopology: sequential(functional([input('x'), layer('b', 'b')]).modelTopology) }),
      /of 'b' go in a circle/,
    ],
    [
      'in a circle, as JavaScript spells it',
      functional([input('x'), { ...dense({ name: 'b' }), name: 'b', inboundNodes: [[['b', 0, 0, {}]]] }]),
      /of 'b' go in a circle/,
    ],
  ])('whose layers wait %s is refused, not waited for', async (_, json, message) => {
    expect((await refused(json)).message).toMatch(message);
  });

  test.each([
    ['a folder above', '../outside.bin', /the weight file \.\.\/outside\.bin is outside of the folder of the model/],
    ['an absolute path', '/dev/zero', /the weight file \/dev\/zero is outside/],
    ['a link out of the folder', 'link.bin', /the weight file link\.bin is a link out of the folder/],
    ['a device', 'device', /the weight file device is no file/],
    ['a pipe', 'pipe', /the weight file pipe is no file/],
    ['a folder', 'folder', /the weight file folder is no file/],
    ['a file that is missing', 'none.bin', /the weight file none\.bin does not exist/],
  ])('does not have another file read: %s', async (_, path, message) => {
    symlinkSync(join(folder, 'outside.bin'), join(folder, 'model', 'link.bin'));
    symlinkSync('/dev/zero', join(folder, 'model', 'device'));
    execFileSync('mkfifo', [join(folder, 'model', 'pipe')]);
    mkdirSync(join(folder, 'model', 'folder'));
    const error = await refused(shard(path));
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(/Save the model again/);
  });

  test('in a cache of downloads is read, though it and its weights are links to files elsewhere', async () => {
    write('blobs/1', JSON.stringify(whole()));
    write('blobs/2', new Uint8Array(16));
    mkdirSync(join(folder, 'snapshot'));
    symlinkSync('../blobs/1', join(folder, 'snapshot', 'model.json'));
    symlinkSync('../blobs/2', join(folder, 'snapshot', 'weights.bin'));
    expect((await load('./snapshot/model.json')).model.countParams()).toBe(4);
  });

  test.each([[[1e9, 1e9]], [[Number.MAX_SAFE_INTEGER, 0]], [[2, 3]]])(
    'with weights of %j is refused',
    async (shape) => {
      expect((await refused(weight({ shape }))).message).toMatch(
        /its weights need \d.* bytes, but its weight files have 16/,
      );
    },
  );

  test('of a class that TensorFlow.js lacks says so', async () => {
    const error = await refused(
      whole({
        modelTopology: sequential({ class_name: 'UnitNormalization', config: { batch_input_shape: [null, 2] } }),
      }),
    );
    expect(error.message).toMatch(/could not be made into a model: Unknown layer: UnitNormalization\.$/);
    expect(error.remedy).toMatch(/TensorFlow\.js does not have every class of Keras/);
  });
});

describe('a model that is no file of a model', () => {
  test.each([
    ['./model.h5', /model\.h5 is not usable: it is no HDF5 file/, /Save the model again/],
    ['./model.keras', /model\.keras does not exist/, /Save the model again/],
    ['./model.onnx', /model\.onnx does not exist/, /Export the model again/],
    [
      './model.pt',
      /is no module, no model\.json of TensorFlow\.js, no ONNX file and no file of Keras/,
      /name it as "start".*torch\.onnx\.export/,
    ],
    [
      './model.tflite',
      /is no module, no model\.json of TensorFlow\.js, no ONNX file and no file of Keras/,
      /write its layers as a module/,
    ],
    [
      './model.safetensors',
      /is no module, no model\.json of TensorFlow\.js, no ONNX file and no file of Keras/,
      /name it as "start"/,
    ],
    [
      '.',
      /is no module, no model\.json of TensorFlow\.js, no ONNX file and no file of Keras/,
      /Name a TypeScript or JavaScript module/,
    ],
    ['https://example.org/model.json', /is an address, not a path/, /Download/],
    ['file:///model.json', /is an address, not a path/, /Download/],
  ])('is refused with how to convert it: %s', async (reference, message, remedy) => {
    write('model.h5', 'no module');
    const error = await userErrorOf(() => load(reference));
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  test.each(['folder.ts', 'folder.json'])('is refused as a folder: %s', async (name) => {
    mkdirSync(join(folder, name));
    expect((await userErrorOf(() => load(`./${name}`))).message).toBe(
      `${join(folder, name)} cannot be read: it is a folder.`,
    );
  });
});
