/** @file Small data, a small model and an experiment on them. Knows nothing of the tests that use it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '../../../server/formats/random.ts';
import { npy } from '../../fixtures/npy.ts';

export const FEATURES = 8;
export const CLASSES = 3;
const TRAINING_SAMPLES = 120;
const TEST_SAMPLES = 60;

/** Two layers, `fc1` [8, 16] and `fc2` [16, 3], between them dropout: a step depends on its random numbers. */
export const mlp = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ name: 'fc1', units: 16, activation: 'relu', inputShape: [${FEATURES}] }),
    tf.layers.dropout({ rate: 0.2 }),
    tf.layers.dense({ name: 'fc2', units: ${CLASSES}, activation: 'softmax' }),
  ] });
`;

/** Kernel [4, 32], recurrent kernel [8, 32], a state that goes on from batch to batch; the features are 2 steps of 4. */
export const statefulLstm = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.lstm({ name: 'lstm', units: 8, stateful: true, batchInputShape: [10, 2, ${FEATURES / 2}] }),
    tf.layers.dense({ name: 'fc', units: ${CLASSES}, activation: 'softmax' }),
  ] });
`;

/** An experiment on the files of {@link workspace}; a test replaces what it is about. */
export const experiment = {
  model: './model.ts',
  data: {
    type: 'arrays',
    train: { inputs: 'train.npy', targets: 'train-labels.npy' },
    test: { inputs: 'test.npy', targets: 'test-labels.npy' },
  },
  training: {
    optimizer: { type: 'adam', learningRate: 0.01 },
    loss: 'sparse-categorical-crossentropy',
    batchSize: 10,
    steps: 60,
    checkpointEvery: 20,
    keepCheckpoints: 3,
    // A second thread waits by spinning while a step is computed, on a core that other tests need.
    threads: 1,
  } as Record<string, unknown>,
};

/**
 * Writes {@link CLASSES} Gaussian blobs of {@link FEATURES} features as `.npy` files, `model.ts`, `blobs.deeptwist.jsonc`.
 * @returns path of the experiment file
 */
export async function writeBlobs(
  folder: string,
  { model = mlp, ...changes }: { model?: string } & Record<string, unknown> = {},
): Promise<string> {
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
  for (const [split, samples] of [
    ['train', TRAINING_SAMPLES],
    ['test', TEST_SAMPLES],
  ] as const) {
    const { inputs, labels } = blobs(samples, samples);
    await write(`${split}.npy`, npy(inputs, [samples, FEATURES]));
    await write(`${split}-labels.npy`, npy(labels, [samples]));
  }
  await write('model.ts', model);
  await write('blobs.deeptwist.jsonc', JSON.stringify({ ...experiment, ...changes }, null, 2));
  return join(folder, 'blobs.deeptwist.jsonc');
}

/** Points around the corners of a simplex, and which corner. */
function blobs(samples: number, seed: number): { inputs: Float32Array; labels: Int32Array } {
  const random = new Random(seed, 0);
  const labels = Int32Array.from({ length: samples }, (_, sample) => sample % CLASSES);
  const inputs = new Float32Array(samples * FEATURES);
  for (let i = 0; i < inputs.length; i++) {
    const corner = i % FEATURES === labels[Math.floor(i / FEATURES)] ? 1 : 0;
    const spread = random.uniform() + random.uniform() + random.uniform() - 1.5;
    inputs[i] = corner + spread / 2;
  }
  return { inputs, labels };
}
