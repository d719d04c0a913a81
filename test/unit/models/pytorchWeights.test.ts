/** @file Weights in the layout of PyTorch. State dicts were written by test/bench/python/state_dicts.py. */
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  computedByPytorch,
  differencesFromPytorch,
  pytorchWeights,
  toPytorch,
} from '../../../server/models/pytorchWeights.ts';
import { loadWeights } from '../../../server/training/start/loadWeights.ts';
import { openTensorFile } from '../../../server/training/start/fileTensors.ts';
import { small, torchModels } from '../training/start/torchModels.ts';

beforeAll(() => tf.setBackend('cpu'));

const fixture = (name: string) => fileURLToPath(new URL(`../inspect/fixtures/torch/${name}`, import.meta.url));

test.each(['lenet', 'normalized', 'lstm', 'bidirectional'] as const)(
  'that a model has from PyTorch are the same again when they go back: %s',
  async (name) => {
    const model = torchModels[name](small);
    const { weights } = await loadWeights(model, fixture(`${name}.pt`), { complete: true });
    const sources = new Map(weights.map((weight) => [weight.name, weight.tensors]));
    const file = await openTensorFile(fixture(`${name}.pt`));
    try {
      const tensors = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));
      for (const renamed of computedByPytorch(model)) {
        const stored = (sources.get(renamed.weight.name) ?? []).flatMap((source) => tensors.get(source) ?? []);
        const [first, second] = await Promise.all(stored.map((tensor) => tensor.read()));
        expect(renamed.shape).toEqual(stored[0].shape);
        const sum = second ? first.map((value, i) => value + second[i]) : first;
        expect(toPytorch(renamed, renamed.weight.variable.dataSync() as Float32Array)).toEqual(sum);
      }
    } finally {
      await file.close();
    }
  },
);

describe('a layer behind a flattened input', () => {
  const viewBehind = (...layers: tf.layers.Layer[]) => {
    const model = tf.sequential({ layers: [...layers, tf.layers.dense({ name: 'fc', units: 2 })] });
    const [kernel] = pytorchWeights(model).filter(({ weight }) => weight.name === 'fc/kernel');
    return { view: kernel.view, axes: kernel.axes };
  };
  const asItIs = (inputs: number) => ({ view: [inputs, 2], axes: [1, 0] });
  const conv = (dataFormat: 'channelsFirst' | 'channelsLast') =>
    tf.layers.conv2d({ filters: 3, kernelSize: 1, dataFormat, inputShape: [4, 5, 6] });
  const flatten = () => tf.layers.flatten();

  test('has the channels of an image first in PyTorch, whatever else stands between', () => {
    const channelsFirst = { view: [4, 5, 3, 2], axes: [3, 2, 0, 1] };
    expect(viewBehind(conv('channelsLast'), flatten())).toEqual(channelsFirst);
    expect(viewBehind(conv('channelsLast'), tf.layers.reshape({ targetShape: [60] }))).toEqual(channelsFirst);
    const between = [tf.layers.batchNormalization(), tf.layers.reLU(), tf.layers.dropout({ rate: 0.5 })];
    expect(viewBehind(conv('channelsLast'), flatten(), ...between)).toEqual(channelsFirst);
  });

  test('has the channels of a signal first, and those of other sequences last', () => {
    const signal = tf.layers.conv1d({ filters: 3, kernelSize: 1, inputShape: [4, 5] });
    const pool = tf.layers.maxPooling1d({ poolSize: 2, strides: 2 });
    expect(viewBehind(signal, pool, flatten())).toEqual({ view: [2, 3, 2], axes: [2, 1, 0] });
    const lstm = tf.layers.lstm({ units: 3, returnSequences: true, inputShape: [4, 5] });
    expect(viewBehind(lstm, flatten())).toEqual(asItIs(12));
  });

  test('is as it is where channels are first already, and where nothing was flattened', () => {
    expect(viewBehind(conv('channelsFirst'), flatten())).toEqual(asItIs(90));
    expect(viewBehind(conv('channelsLast'), tf.layers.globalAveragePooling2d({}))).toEqual(asItIs(3));
    expect(viewBehind(tf.layers.dense({ units: 7, inputShape: [3] }))).toEqual(asItIs(7));
  });

  describe('of a model that branches', () => {
    const image = () => tf.input({ shape: [4, 5, 6] });
    const flat = (x: tf.SymbolicTensor) => flatten().apply(conv('channelsLast').apply(x)) as tf.SymbolicTensor;
    const fc = () => tf.layers.dense({ name: 'fc', units: 2 });
    const kernelOf = (inputs: tf.SymbolicTensor[], outputs: tf.SymbolicTensor) => {
      const model = tf.model({ inputs, outputs });
      const kernel = pytorchWeights(model).find(
        ({ weight }) => weight.weight === 'kernel' && weight.layer.endsWith('fc'),
      )!;
      return { model, kernel, order: { view: kernel.view, axes: kernel.axes } };
    };
    const channelsFirst = { view: [4, 5, 3, 2], axes: [3, 2, 0, 1] };

    test('has the channels first where one of both is in a model within the model', () => {
      const x = image();
      const classifier = tf.sequential({ layers: [tf.layers.dense({ name: 'fc', units: 2, inputShape: [60] })] });
      expect(kernelOf([x], classifier.apply(flat(x)) as tf.SymbolicTensor).order).toEqual(channelsFirst);
      const y = image();
      const features = tf.sequential({ layers: [conv('channelsLast'), flatten()] });
      expect(kernelOf([y], fc().apply(features.apply(y)) as tf.SymbolicTensor).order).toEqual(channelsFirst);
    });

    test('has the channels first where it is called several times, and behind a sum', () => {
      const x = image();
      const [shared, once] = [fc(), flatten()];
      const convolved = conv('channelsLast');
      const call = () => shared.apply(once.apply(convolved.apply(x))) as tf.SymbolicTensor;
      expect(kernelOf([x], tf.layers.add().apply([call(), call()]) as tf.SymbolicTensor).order).toEqual(channelsFirst);
      const y = image();
      const sum = tf.layers.add().apply([flat(y), flat(y)]);
      expect(kernelOf([y], fc().apply(sum) as tf.SymbolicTensor).order).toEqual(channelsFirst);
    });

    test('keeps its rows, and says so, behind an image that is joined with others', () => {
      const [x, other] = [image(), tf.input({ shape: [7] })];
      const joined = tf.layers.concatenate().apply([flat(x), other]);
      const { model, kernel, order } = kernelOf([x, other], fc().apply(joined) as tf.SymbolicTensor);
      expect(order).toEqual(asItIs(67));
      expect(kernel.isSame).toBe(false);
      expect(differencesFromPytorch(model, new Set(['fc']))).toEqual([
        expect.stringContaining('fc: a flattened image is only a part of its inputs'),
      ]);
      const vectors = [tf.input({ shape: [3] }), tf.input({ shape: [4] })];
      const plain = kernelOf(vectors, fc().apply(tf.layers.concatenate().apply(vectors)) as tf.SymbolicTensor);
      expect(plain.kernel.isSame).toBe(true);
    });
  });

  test('is as it is where a permutation has put the channels first', () => {
    const first = tf.layers.permute({ dims: [3, 1, 2] });
    expect(viewBehind(conv('channelsLast'), first, flatten())).toEqual(asItIs(60));
  });
});
