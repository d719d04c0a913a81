/** @file An evaluation counts every sample of a split once, however the batches fall; compared with formulas in float64. */
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { createExecutor } from '../../../server/compiler/createExecutor.ts';
import type { Dataset } from '../../../server/data/dataset.ts';
import { inMemoryDataset, type StoredColumn, type Table } from '../../../server/data/inMemoryDataset.ts';
import { openModuleDataset } from '../../../server/data/module/moduleDataset.ts';
import { experimentSchema } from '../../../server/protocol/experiment/schema.ts';
import { evaluateSplit, evaluationBatchSize } from '../../../server/training/evaluateSplit.ts';
import { modelProgram } from '../../../server/training/modelProgram.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const KERNEL = [
  [0.5, -1, 0.25],
  [1.5, 0.75, -0.5],
];

const featuresOf = (sample: number) => [Math.sin(sample), Math.cos(3 * sample)];
const labelOf = (sample: number) => (7 * sample) % 3;
const oneHotOf = (sample: number) => [0, 1, 2].map((label) => (label === labelOf(sample) ? 1 : 0));

function probabilitiesOf(sample: number): number[] {
  const [x, y] = featuresOf(sample);
  const exponentials = [0, 1, 2].map((k) => Math.exp(x * KERNEL[0][k] + y * KERNEL[1][k]));
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((value) => value / sum);
}

const meanOver = (samples: number, of: (sample: number) => number) =>
  Array.from({ length: samples }, (_, sample) => of(sample)).reduce((a, b) => a + b) / samples;

const crossentropyOf = (sample: number) => -Math.log(probabilitiesOf(sample)[labelOf(sample)]);
const isRight = (sample: number) => {
  const probabilities = probabilitiesOf(sample);
  return probabilities[labelOf(sample)] === Math.max(...probabilities) ? 1 : 0;
};
const squaredErrorOf = (sample: number) =>
  probabilitiesOf(sample).reduce((sum, p, k) => sum + (p - oneHotOf(sample)[k]) ** 2, 0) / 3;

/** What a loss and its metric are for each sample. */
const references = {
  'sparse-categorical-crossentropy': { target: 'label', loss: crossentropyOf, value: isRight },
  'categorical-crossentropy': { target: 'one-hot', loss: crossentropyOf, value: isRight },
  'mean-squared-error': { target: 'one-hot', loss: squaredErrorOf, value: squaredErrorOf },
} as const;
type LossName = keyof typeof references;

function table(samples: number, target: 'label' | 'one-hot'): Table<StoredColumn> {
  const all = Array.from({ length: samples }, (_, sample) => sample);
  const labels = { shape: [], dtype: 'int32', data: Int32Array.from(all, labelOf) } as const;
  const oneHots = { shape: [3], dtype: 'float32', data: Float32Array.from(all.flatMap(oneHotOf)) } as const;
  return {
    samples,
    inputs: [{ shape: [2], dtype: 'float32', data: Float32Array.from(all.flatMap(featuresOf)) }],
    targets: [target === 'label' ? labels : oneHots],
  };
}

/** @param fixed size of every batch that the model takes */
async function evaluated(
  dataset: Dataset,
  split: 'validation' | 'test',
  { loss, fixed, executor: kind }: { loss: LossName; fixed?: number; executor: 'compiled' | 'eager' },
) {
  const { training } = experimentSchema.parse({
    model: './model.ts',
    data: { type: 'mnist', path: '.' },
    training: { optimizer: { type: 'adam' }, batchSize: fixed ?? 10, steps: 1, loss },
  });
  const shape = fixed === undefined ? { inputShape: [2] } : { batchInputShape: [fixed, 2] };
  const layer = tf.layers.dense({ units: 3, useBias: false, activation: 'softmax', ...shape });
  const model = tf.sequential({ layers: [layer] });
  layer.setWeights([tf.tensor2d(KERNEL)]);
  const program = modelProgram({ model, files: [] }, dataset, training);
  const { executor } = await createExecutor(program, kind, '.', {
    batchSize: training.batchSize,
    evaluationBatchSize: evaluationBatchSize(program, dataset.test),
    seed: 1,
    rowGradients: false,
    stateBytes: () => 0,
  });
  const result = await evaluateSplit(executor, program, dataset, dataset[split]!);
  await executor.dispose();
  model.dispose();
  return result;
}

describe.each(['compiled', 'eager'] as const)('every sample is evaluated and weighs the same: %s', (executor) => {
  // Batches of 500, 500 and 203; of 16, the last one of 3; one batch of 5 for a model that takes 16.
  test.each([
    ['any batch', undefined, 1203],
    ['a fixed batch', 16, 1203],
    ['a fixed batch that is larger than the split', 16, 5],
  ] as const)('%s', async (_, fixed, samples) => {
    for (const loss of Object.keys(references) as LossName[]) {
      const reference = references[loss];
      const train = table(100, reference.target);
      const tables = {
        train,
        test: table(samples, reference.target),
        validation: table(samples - 1, reference.target),
      };
      const dataset = inMemoryDataset(tables, 'test');
      for (const [split, count] of [
        ['test', samples],
        ['validation', samples - 1],
      ] as const) {
        const result = await evaluated(dataset, split, { loss, fixed, executor });
        // Sums of float32 in batches of 500.
        expect(result.loss).toBeCloseTo(meanOver(count, reference.loss), 5);
        expect(result.value).toBeCloseTo(meanOver(count, reference.value), 5);
      }
    }
  });

  test('batches of a data module that are smaller in between', async () => {
    const file = join(await temporaryFolder(), 'data.mjs');
    const { inputs, targets } = table(42, 'label');
    await writeFile(
      file,
      `const x = ${JSON.stringify([...inputs[0].data])}, y = ${JSON.stringify([...targets[0].data])};
       function* batches(sizes) {
         let at = 0;
         for (const size of sizes) {
           yield { inputs: { data: x.slice(2 * at, 2 * (at + size)), shape: [size, 2] }, targets: Int32Array.from(y.slice(at, at + size)) };
           at += size;
         }
       }
       export const train = ({ batchSize }) => batches([batchSize]);
       export const test = ({ batchSize }) => batches(batchSize === 1 ? [1] : [16, 7, 16, 3]);`,
    );
    const dataset = await openModuleDataset(file);
    const result = await evaluated(dataset, 'test', { loss: 'sparse-categorical-crossentropy', fixed: 16, executor });
    await dataset.close();
    expect(result.loss).toBeCloseTo(meanOver(42, crossentropyOf), 5);
    expect(result.value).toBeCloseTo(meanOver(42, isRight), 5);
  });
});
