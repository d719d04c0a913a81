/** @file Starting weights from files of Keras and of ONNX. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadModel } from '../../../../server/models/loadModel.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { loadWeights } from '../../../../server/training/start/loadWeights.ts';
import { differenceFromKeras } from '../../models/keras/differenceFromKeras.ts';
import { kerasModels, referenceOfKeras, writeKeras } from '../../models/keras/kerasFixtures.ts';
import { graphFile, integers, node, seededFloats } from '../../models/onnx/onnxFiles.ts';
import { userErrorOf } from '../../userErrorOf.ts';

const { randomFloats } = seededFloats();

let folder: string;

beforeEach(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-start-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A model of Keras whose weights have been lost. */
async function forgetful(name: string): Promise<tf.LayersModel> {
  const { model } = await loadModel(writeKeras(folder, name, 'model.keras'), { baseDirectory: folder, seed: 1 });
  for (const { variable, shape } of modelWeights(model)) variable.assign(tf.fill(shape, 0.5));
  return model;
}

test.each(['model.keras', 'model.h5', 'weights.weights.h5'] as const)('%s gives all weights by name', async (file) => {
  for (const name of kerasModels) {
    // h5py cannot write bfloat16 as a legacy file.
    if (file === 'model.h5' && name === 'halves') continue;
    const model = await forgetful(name);
    const { weights, warnings } = await loadWeights(model, join(folder, writeKeras(folder, name, file)), {
      complete: true,
    });
    // Weights alone have no names in Keras 2.
    const by = file === 'weights.weights.h5' && name.startsWith('keras2') ? 'order' : 'name';
    expect([...new Set(weights.map((weight) => weight.by))], name).toEqual([by]);
    expect(differenceFromKeras(model, referenceOfKeras(name)), name).toBeLessThan(1e-5);
    expect(warnings, name).toEqual([]);
    model.dispose();
  }
});

describe('weights of Keras without names', () => {
  /** A file of weights as Keras 2.13 writes it. @param groups numbers that all weights of a group are, by its path */
  async function unnamed(groups: Readonly<Record<string, number>>, shape: readonly number[] = [2, 2]): Promise<string> {
    const { ready, File } = await import('h5wasm');
    const { FS } = await ready;
    const file = new File('/unnamed.h5', 'w');
    const created = new Set<string>();
    for (const [path, value] of Object.entries(groups)) {
      const parts = `${path}/vars`.split('/');
      for (let depth = 1; depth <= parts.length; depth++) {
        const group = parts.slice(0, depth).join('/');
        if (!created.has(group)) file.create_group(group);
        created.add(group);
      }
      [shape, shape.slice(-1)].forEach((sizes, i) => {
        const data = new Float32Array(sizes.reduce((a, b) => a * b)).fill(value);
        file.create_dataset({ name: `${path}/vars/${i}`, data, shape: [...sizes] });
      });
    }
    file.close();
    const path = join(folder, 'unnamed.weights.h5');
    writeFileSync(path, FS.readFile('/unnamed.h5'));
    return path;
  }

  const dense = (name: string, inputShape?: number[]) =>
    tf.layers.dense({ name, units: 2, ...(inputShape && { inputShape }) });

  const kernels = (model: tf.LayersModel) =>
    Object.fromEntries(
      modelWeights(model)
        .filter(({ weight }) => weight === 'kernel')
        .map(({ layer, variable }) => [layer, variable.dataSync()[0]]),
    );

  function nested(): tf.LayersModel {
    const x = tf.input({ shape: [2] });
    const encoder = tf.model({ name: 'encoder', inputs: x, outputs: dense('a').apply(x) as tf.SymbolicTensor });
    return tf.sequential({ layers: [encoder, dense('b'), dense('c')] });
  }

  test('find the layer of their model within a model, although the file sorts the other layers before it', async () => {
    const file = await unnamed({ 'layers/dense': 2, 'layers/dense_1': 3, 'layers/functional/layers/dense': 1 });
    const model = nested();
    const { weights, warnings } = await loadWeights(model, file, { complete: true });
    expect(kernels(model)).toEqual({ 'encoder/a': 1, b: 2, c: 3 });
    expect([...new Set(weights.map(({ by }) => by))]).toEqual(['order']);
    expect(warnings).toEqual([]);
  });

  test('find the layer of their class among others with the same shapes', async () => {
    const file = await unnamed({ 'layers/conv2d': 2, 'layers/conv2d_transpose': 1 }, [3, 3, 2, 2]);
    const settings = { filters: 2, kernelSize: 3 };
    const model = tf.sequential({
      layers: [
        tf.layers.conv2dTranspose({ name: 'up', ...settings, inputShape: [4, 4, 2] }),
        tf.layers.conv2d({ name: 'conv', ...settings }),
      ],
    });
    await loadWeights(model, file, { complete: true });
    expect(kernels(model)).toEqual({ up: 1, conv: 2 });
  });

  test('find the more than ten layers of a class in their order', async () => {
    const numbers = Array.from({ length: 12 }, (_, i) => i);
    const file = await unnamed(Object.fromEntries(numbers.map((i) => [`layers/dense${i === 0 ? '' : `_${i}`}`, i])));
    const model = tf.sequential({ layers: numbers.map((i) => dense(`fc${i}`, i === 0 ? [2] : undefined)) });
    await loadWeights(model, file, { complete: true });
    expect(kernels(model)).toEqual(Object.fromEntries(numbers.map((i) => [`fc${i}`, i])));
  });

  test('are not guessed where the model has other layers and the file tells no order', async () => {
    const file = await unnamed({ 'layers/dense': 2, 'layers/functional/layers/dense': 1 });
    const flat = tf.sequential({ layers: [dense('a', [2]), dense('b')] });
    const { message } = await userErrorOf(() => loadWeights(flat, file, { complete: true }));
    expect(message).toContain('lacks a/kernel, a/bias, b/kernel, b/bias of the model; it has dense[0]/kernel');
    const rename = { 'functional[0]/dense[0]/*': 'a/*', 'dense[0]/*': 'b/*' };
    await loadWeights(flat, file, { complete: true, rename });
    expect(kernels(flat)).toEqual({ a: 1, b: 2 });
  });
});

/** Two dense layers, as torch.nn.Linear has them. */
const linear = {
  'fc1.weight': randomFloats([3, 4]),
  'fc1.bias': randomFloats([3]),
  'fc2.weight': randomFloats([2, 3]),
  'fc2.bias': randomFloats([2]),
};

test('an ONNX file gives the weights of the modules that it was exported of', async () => {
  const path = join(folder, 'net.onnx');
  writeFileSync(
    path,
    graphFile({
      nodes: [
        node('Gemm', ['x', 'fc1.weight', 'fc1.bias'], 'h', { transB: { int: 1 } }),
        node('Reshape', ['h', 'sizes'], 'r'),
        node('Constant', [], 'one', { value: { tensor: randomFloats([1]) } }),
        node('Gemm', ['r', 'fc2.weight', 'fc2.bias'], 'g', { transB: { int: 1 } }),
        node('Mul', ['g', 'one'], 'y'),
      ],
      tensors: { ...linear, sizes: integers([-1, 3]) },
    }),
  );
  const model = tf.sequential({
    layers: [tf.layers.dense({ name: 'fc1', units: 3, inputShape: [4] }), tf.layers.dense({ name: 'fc2', units: 2 })],
  });
  const { warnings } = await loadWeights(model, path, { complete: true });
  // Indices of a shape, and numbers of a Constant, are no weights.
  expect(warnings).toEqual([]);
  const values = Object.fromEntries(modelWeights(model).map(({ name, variable }) => [name, [...variable.dataSync()]]));
  const { data } = linear['fc1.weight'];
  expect(values['fc1/kernel']).toEqual(
    Array.from({ length: 12 }, (_, at) => Number(data[(at % 3) * 4 + Math.floor(at / 3)])),
  );
  expect(values['fc2/bias']).toEqual([...(linear['fc2.bias'].data as Float32Array)]);
});

test('an ONNX file of other layers is refused with what it has', async () => {
  const path = join(folder, 'net.onnx');
  writeFileSync(path, graphFile({ nodes: [node('MatMul', ['x', 'w'], 'y')], tensors: { w: randomFloats([4, 2]) } }));
  const model = tf.sequential({ layers: [tf.layers.dense({ name: 'fc1', units: 3, inputShape: [4] })] });
  const { message } = await userErrorOf(() => loadWeights(model, path, { complete: false }));
  expect(message).toContain('fits the model: it has w, and the model fc1/kernel, fc1/bias');
});

test('an HDF5 file that is none of Keras gives its arrays', async () => {
  const { ready, File } = await import('h5wasm');
  const { FS } = await ready;
  const file = new File('/arrays.h5', 'w');
  file.create_group('fc1');
  file.create_dataset({ name: 'fc1/kernel', data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] });
  file.create_dataset({ name: 'fc1/bias', data: Float32Array.of(5, 6), shape: [2] });
  file.close();
  writeFileSync(join(folder, 'arrays.h5'), FS.readFile('/arrays.h5'));
  const model = tf.sequential({ layers: [tf.layers.dense({ name: 'fc1', units: 2, inputShape: [2] })] });
  await loadWeights(model, join(folder, 'arrays.h5'), { complete: true });
  expect(modelWeights(model).map(({ variable }) => [...variable.dataSync()])).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ]);
});
