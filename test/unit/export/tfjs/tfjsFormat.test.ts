import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { loadTfjsModel } from '../../../../server/models/tfjsModelFile.ts';
import { ort } from '../../../../server/formats/onnxRuntime.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { statefulLstm } from '../../training/workspace.ts';
import { exported, finishedRun, testMetric } from '../finishedRun.ts';
import { branches, compressions, mixed, plainNormalizations, wide } from '../models.ts';
import { predictPlainly } from './plainTensorflow.ts';

interface ModelJson {
  weightsManifest: { paths: string[]; weights: { name: string; quantization?: { dtype: string } }[] }[];
  userDefinedMetadata: { deeptwist: { run: string; experiment: string } };
}
const modelJson = (path: string) => JSON.parse(readFileSync(join(path, 'model.json'), 'utf8')) as ModelJson;
const samples = [0, 1, 2].map((sample) => Array.from({ length: 8 }, (_, i) => Math.sin(sample + i)));

describe('a TensorFlow.js export', () => {
  test('is loaded and predicts in TensorFlow.js without DeepTwist, a matrix of low rank as two layers', async () => {
    const { folder, run } = await finishedRun({ model: wide, compression: compressions['low-rank'] });
    const path = join(folder, 'm-tfjs');
    const report = await exported(run, folder, { format: 'tfjs', path });
    expect(report).toMatchObject({ format: 'tfjs', engine: 'TensorFlow.js', batchSize: 'any' });
    expect(report.value).toBeCloseTo(await testMetric(run), 6);
    expect(report.largestDifference).toBeLessThan(1e-5);
    const plain = await predictPlainly(path, samples);
    expect(plain.layers).toEqual(['fc1', 'fc2_left', 'fc2', 'fc3']);

    // An independent program on the same run: the ONNX file.
    const { path: onnx } = await exported(run, folder);
    const session = await ort.InferenceSession.create(onnx);
    const { [session.outputNames[0]]: expected } = await session.run({
      [session.inputNames[0]]: new ort.Tensor('float32', Float32Array.from(samples.flat()), [3, 8]),
    });
    await session.release();
    plain.outputs.forEach((output, i) => expect(output).toBeCloseTo(Number(expected.data[i]), 5));

    const size = (name: string) => report.weights.find((weight) => weight.name === name)?.bytes;
    expect([size('fc2_left/kernel'), size('fc2/kernel')]).toEqual([4 * 300 * 10, 4 * 10 * 100]);
    expect(report.bytes).toBe(readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0));
    const { deeptwist } = modelJson(path).userDefinedMetadata;
    expect(deeptwist.run).toBe(run.id);
    expect(JSON.parse(deeptwist.experiment)).toMatchObject({ compression: { method: 'low-rank' } });
  });

  test('has two layers also for a convolution', async () => {
    const model = `
      import * as tf from '@tensorflow/tfjs';
      export const createModel = () => tf.sequential({ layers: [
        tf.layers.reshape({ targetShape: [4, 2], inputShape: [8] }),
        tf.layers.conv1d({ name: 'conv', filters: 24, kernelSize: 2, padding: 'same', strides: 2, activation: 'relu' }),
        tf.layers.flatten(),
        tf.layers.dense({ name: 'fc', units: 3, activation: 'softmax' }),
      ] });
    `;
    const compression = { method: 'low-rank', distortEvery: 5, layers: { conv: { rank: 2 } } };
    const { folder, run } = await finishedRun({ model, compression });
    const report = await exported(run, folder, { format: 'tfjs', path: join(folder, 'm-tfjs') });
    expect(report.largestDifference).toBeLessThan(1e-5);
    const sizes = report.weights.map(({ name, form, bytes }) => [name, form, bytes]);
    expect(sizes).toEqual(
      expect.arrayContaining([
        ['conv_left/kernel', 'factors', 4 * 2 * 2 * 2],
        ['conv/kernel', 'factors', 4 * 2 * 24],
      ]),
    );
  });

  test('has two layers also for a layer that is called twice', async () => {
    const compression = { method: 'low-rank', distortEvery: 5, layers: { '{shared,widen}': { rank: 3 } } };
    const { folder, run } = await finishedRun({ model: branches, compression });
    const path = join(folder, 'm-tfjs');
    const report = await exported(run, folder, { format: 'tfjs', path });
    expect(report.largestDifference).toBeLessThan(1e-5);
    const { model } = await loadTfjsModel(join(path, 'model.json'));
    expect(model.layers.map(({ name }) => name)).toEqual(expect.arrayContaining(['shared_left', 'widen_left']));
    expect(model.getLayer('shared').inboundNodes).toHaveLength(2);
    expect(model.getLayer('shared_left').inboundNodes).toHaveLength(2);
    model.dispose();
  });

  test.each([
    ['layers without names, and within others', mixed],
    ['a state that it carries', statefulLstm],
    ['normalizations without weights', plainNormalizations],
  ])('of a model with %s has the weights where TensorFlow.js looks for them', async (_, model) => {
    const { folder, run } = await finishedRun({ model });
    const report = await exported(run, folder, { format: 'tfjs', path: join(folder, 'm-tfjs') });
    expect(report.largestDifference).toBeLessThan(1e-5);
    expect(report.value).toBeCloseTo(await testMetric(run), 6);
  });

  test('has small numbers where they are exact, and others as they are', async () => {
    const layers = { fc2: { bits: 1, scales: 'matrix' } };
    const compression = { method: 'quantize', distortEvery: 5, layers };
    const { folder, run } = await finishedRun({ model: wide, compression });
    const path = join(folder, 'm-tfjs');
    const report = await exported(run, folder, { format: 'tfjs', dtype: 'uint8', path });
    expect(report.largestDifference).toBeLessThan(1e-5);
    const { weights } = modelJson(path).weightsManifest[0];
    expect(weights.find(({ name }) => name === 'fc2/kernel')?.quantization?.dtype).toBe('uint8');
    expect(weights.find(({ name }) => name === 'fc1/kernel')?.quantization).toBeUndefined();
    expect(report.weights.find(({ name }) => name === 'fc2/kernel')?.bytes).toBe(300 * 100);
  });

  test('rounds numbers where that is asked for, and the difference is allowed', async () => {
    const { folder, run } = await finishedRun({ model: wide });
    const path = join(folder, 'm-tfjs');
    const options = { format: 'tfjs', dtype: 'uint8', round: true, path } as const;
    const error = await userErrorOf(() => exported(run, folder, options));
    expect(error.message).toMatch(/an output differs by/);
    expect(error.remedy).toContain('--tolerance');
    expect(readdirSync(folder).filter((name) => name.startsWith('m-tfjs'))).toEqual([]);
    const report = await exported(run, folder, { ...options, tolerance: 0.2 });
    expect(report.largestDifference).toBeGreaterThan(1e-4);
    // A byte for each number of a matrix.
    expect(report.weights.find(({ name }) => name === 'fc2/kernel')?.bytes).toBe(300 * 100);
    const { outputs } = await predictPlainly(path, samples);
    expect(outputs.every(Number.isFinite)).toBe(true);
  });

  test('does not touch a folder with something in it', async () => {
    const { folder, run } = await finishedRun();
    const error = await userErrorOf(() => exported(run, folder, { format: 'tfjs', path: folder }));
    expect(error).toMatchObject({ message: `The folder ${folder} is not empty.`, exitCode: 2 });
    await tf.setBackend('cpu');
  });
});
