import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Batch, Dataset, Decoded } from '../../../server/data/dataset.ts';
import { openArrays } from '../../../server/data/arrays/arraysDataset.ts';
import type { LoadedModel } from '../../../server/models/loadModel.ts';
import type { TrainingConfig } from '../../../server/protocol/experiment/schema.ts';
import { countClasses, withClassCounts } from '../../../server/training/classCounts.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { npy } from '../../fixtures/npy.ts';
import { eventsOf, finalWeights, resume, workspace } from './workspace.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const SPARSE = 'sparse-categorical-crossentropy-from-logits';

/** A dense layer of three classes. */
const loaded = (): LoadedModel => ({
  model: tf.sequential({ layers: [tf.layers.dense({ name: 'logits', units: 3, inputShape: [2] })] }),
  files: [],
});

/** Batches whose targets are those of the last axis of `shape`. @param samples as the data tell it; undefined for data without an end */
function streamed(
  batches: readonly (readonly number[])[],
  dtype: 'int32' | 'float32',
  shape: readonly number[],
  samples?: number,
) {
  const width = shape.reduce((a, b) => a * b, 1);
  const made = (values: readonly number[]): Batch => ({
    size: values.length / width,
    inputs: [new Float32Array((2 * values.length) / width)],
    targets: [dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values)],
  });
  const train = { samples, batches: () => batches.map(made) };
  return {
    inputs: [{ shape: [2], dtype: 'float32' }],
    targets: [{ shape, dtype }],
    train,
    test: train,
    description: '',
  } as unknown as Dataset;
}

const count = (dataset: Dataset, loss: string = SPARSE, options: Partial<Parameters<typeof countClasses>[3]> = {}) =>
  countClasses(dataset, loaded(), { loss, classWeights: 'balanced' } as TrainingConfig, {
    trains: true,
    run: undefined,
    ...options,
  });

describe('the samples of each class', () => {
  test('are counted over all batches of an epoch, and padding and numbers that are no class are not', async () => {
    expect(await count(streamed([[0, 2, 2], [2, -1], [7]], 'int32', [], 6))).toEqual([[1, 0, 3]]);
  });

  test('are those of every time step of a sequence', async () => {
    expect(
      await count(
        streamed(
          [
            [0, 1, 1, 1],
            [2, 0],
          ],
          'int32',
          [2],
          3,
        ),
      ),
    ).toEqual([[2, 3, 1]]);
  });

  test('are the largest numbers of one-hot targets', async () => {
    const codes = [0, 1, 0, 0, 0, 1, 0, 0.9, 0.1];
    expect(await count(streamed([codes], 'float32', [3], 3), 'categorical-crossentropy')).toEqual([[0, 2, 1]]);
  });

  test('end after as many samples as the data tell, for a module may go on', async () => {
    const endless = streamed([], 'int32', [], 5);
    endless.train.batches = function* () {
      for (;;) yield { size: 2, inputs: [], targets: [Int32Array.of(0, 1)] };
    };
    expect(await count(endless)).toEqual([[3, 2, 0]]);
  });

  test('of data without an end are not counted, which is told', async () => {
    const error = await userErrorOf(() => count(streamed([[0]], 'int32', [])));
    expect(error.message).toBe(
      'training.classWeights: "balanced" counts the samples of each class, and how many samples there are is unknown',
    );
    expect(error.remedy).toContain('samples = { train: 50000 }');
  });

  test('are counted where weights are balanced, and the data do not tell them', async () => {
    const dataset = streamed([[0, 1]], 'int32', [], 2);
    const plain = countClasses(
      dataset,
      loaded(),
      { loss: SPARSE, classWeights: { '1': 2 } } as unknown as TrainingConfig,
      {
        trains: true,
        run: undefined,
      },
    );
    expect(await plain).toBeUndefined();
    expect(await count({ ...dataset, countLabels: () => [1, 1, 0] })).toBeUndefined();
  });

  test('any do for a model that is not trained', async () => {
    expect(await count(streamed([], 'int32', []), SPARSE, { trains: false })).toEqual([[1, 1, 1]]);
  });

  test('are given for a target that the data do not count', async () => {
    const dataset = withClassCounts(streamed([[0]], 'int32', [], 1), [[4, 5, 6]]);
    expect(dataset.countLabels?.(3, 0)).toEqual([4, 5, 6]);
  });

  test('are told while they are counted, and the counting can be stopped', async () => {
    const controller = new AbortController();
    const told: Decoded[] = [];
    const dataset = streamed([], 'int32', [], 1e9);
    dataset.train.batches = function* () {
      for (;;) yield { size: 1, inputs: [], targets: [Int32Array.of(0)] };
    };
    const counting = count(dataset, SPARSE, {
      signal: controller.signal,
      onDecoded(decoded) {
        told.push(decoded);
        controller.abort();
      },
    });
    await expect(counting).rejects.toThrow('aborted');
    expect(told).toEqual([{ what: 'labels', done: expect.any(Number) as number, total: 1e9 }]);
  });

  test('of large arrays are read without their inputs', async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, 'x.npy'), npy(new Float32Array(40), [20, 2]));
    writeFileSync(
      join(folder, 'y.npy'),
      npy(
        Int32Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? 2 : 1)),
        [20],
      ),
    );
    const arrays = { inputs: './x.npy', targets: './y.npy' };
    // Nothing may be in memory: rows are read as they are needed.
    const dataset = await openArrays(
      { type: 'arrays', train: arrays, test: arrays, split: {}, seed: 1 } as never,
      folder,
      0,
    );
    try {
      expect(dataset.countLabels?.(3, 0)).toBeUndefined();
      dataset.train.batches = () => {
        throw new Error('inputs are read');
      };
      expect(await count(dataset)).toEqual([[0, 15, 5]]);
    } finally {
      await dataset.close();
    }
  });
});

describe('a training on a module', () => {
  /** Every twentieth of 200 samples is rare. */
  const module = (rare = 20, more = `export const classes = ['usual', 'rare'];`) => `
    const batches = function* ({ batchSize }, samples) {
      for (let begin = 0; begin < samples; begin += batchSize) {
        const rows = Array.from({ length: Math.min(batchSize, samples - begin) }, (_, i) => begin + i);
        yield {
          inputs: { data: Float32Array.from(rows, (row) => row % 20), shape: [rows.length, 1] },
          targets: Int32Array.from(rows, (row) => (row % ${rare} === 0 ? 1 : 0)),
        };
      }
    };
    export const train = (context) => batches(context, 200);
    export const test = (context) => batches(context, 50);
    export const samples = { train: 200, test: 50 };
    ${more}`;
  const made = async (training: Record<string, unknown>, data = module()) => {
    const own = await workspace({
      model: `
        import * as tf from '@tensorflow/tfjs';
        export const createModel = ({ inputShape, classes }) => tf.sequential({ layers: [
          tf.layers.dense({ name: 'logits', units: classes, inputShape, kernelInitializer: 'zeros' }),
        ] });`,
      data: { type: 'module', path: './data.ts' },
      training: { optimizer: { type: 'sgd', learningRate: 0.5 }, loss: SPARSE, batchSize: 40, steps: 40, ...training },
    });
    await own.write('data.ts', data);
    return own;
  };

  test('weighs classes by their samples, and by their names', async () => {
    const bias = async (classWeights?: unknown) => {
      const { run, events } = await (await made(classWeights === undefined ? {} : { classWeights })).run();
      expect(eventsOf(events, 'finished')).toHaveLength(1);
      const [usual, rare] = finalWeights(run).get('logits/bias')!;
      return usual - rare;
    };
    const [plain, balanced, written] = [await bias(), await bias('balanced'), await bias({ usual: 10 / 19, rare: 10 })];
    expect(balanced).toBeLessThan(plain - 0.5);
    // 200 samples: 10 rare, 190 usual.
    expect(written).toBeCloseTo(balanced, 4);
  });

  test('that goes on has the numbers that it began with, and does not count again', async () => {
    const own = await made({ classWeights: 'balanced', checkpointEvery: 10 });
    const whole = await own.run();
    const { run } = await own.run({ stopAfter: 10 });
    const kept = join(run.path, 'classCounts.json');
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toEqual([[190, 10]]);
    const { run: other } = await own.run({ stopAfter: 10 });
    writeFileSync(join(other.path, 'classCounts.json'), '[[10, 190]]');
    expect((await resume(other)).state).toBe('finished');
    expect(finalWeights(other)).not.toEqual(finalWeights(whole.run));
    expect((await resume(run)).state).toBe('finished');
    expect(finalWeights(run)).toEqual(finalWeights(whole.run));
  });

  test('counts again where the file of the numbers is damaged', async () => {
    const own = await made({ classWeights: 'balanced', checkpointEvery: 10 });
    const { run } = await own.run({ stopAfter: 10 });
    writeFileSync(join(run.path, 'classCounts.json'), '[[1,');
    expect((await resume(run)).state).toBe('finished');
    expect(JSON.parse(readFileSync(join(run.path, 'classCounts.json'), 'utf8'))).toEqual([[190, 10]]);
  });

  test('is refused where its names of classes are none, and takes an export of another kind for its own', async () => {
    const names = await made({}, module(20, `export const classes = ['usual', 'usual'];`));
    expect((await userErrorOf(() => names.run())).message).toContain(
      "exports 'classes', which is not a list of different names",
    );
    const other = await made({ classWeights: { '1': 2 } }, module(20, `export const classes = 2;`));
    await other.write(
      'model.ts',
      `import * as tf from '@tensorflow/tfjs';
       export const createModel = ({ inputShape }) => tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape })] });`,
    );
    expect((await other.run()).state).toBe('finished');
  });
});
