import { describe, expect, test } from 'vitest';
import type { Compressor } from '../../../server/compression/compressor.ts';
import { createCompressor, type WrittenCompression } from './createCompressor.ts';
import { multiplyFactors } from '../../../server/formats/packed/factors.ts';
import { truncateRank } from '../../../server/compression/methods/lowRank/lowRank.ts';
import { matrixViewOf } from '../../../server/compression/targets/matrixView.ts';
import type { PolicyId } from '../../../server/protocol/experiment/schema.ts';
import { eventSchema } from '../../../server/protocol/run/events.ts';
import { normals } from './random.ts';
import { trainedWeight, type TrainedWeight } from './trainedWeight.ts';

const denseModel = () => [
  trainedWeight('fc1/kernel', [20, 10], 1),
  trainedWeight('fc1/bias', [10], 2),
  trainedWeight('fc2/kernel', [10, 5], 3),
];
const lstmModel = () => [
  trainedWeight('lstm/kernel', [6, 20], 1),
  trainedWeight('lstm/recurrent_kernel', [5, 20], 2),
  { ...trainedWeight('softmax/kernel', [5, 30], 3), inputLayer: 'lstm' },
];

const pruning = {
  method: 'prune',
  policy: 'deeptwist',
  distortEvery: 10,
  layers: { 'fc*': { rate: 0.8 } },
  schedule: { initialRate: 0.25, from: 20, to: 60, exponent: 3 },
} as const satisfies WrittenCompression;
const quantization = {
  method: 'quantize',
  policy: 'deeptwist',
  distortEvery: 10,
  layers: { fc1: { levels: 'binary', bits: 2, algorithm: 'greedy', scales: 'matrix', iterations: 2 } },
} as const satisfies WrittenCompression;
const lowRank = (rank: number, sharedProjection = false, layer = 'lstm') =>
  ({
    method: 'low-rank',
    policy: 'deeptwist',
    distortEvery: 10,
    layers: { [layer]: { rank, sharedProjection } },
  }) satisfies WrittenCompression;

const options = { steps: 95, seed: 1 };
const zeros = (values: Float32Array) => values.filter((value) => value === 0).length;

/** Trains as a loop would, without an optimizer: every weight gains `gain(step)`. Calls `atForward` where gradients are taken. */
async function train(
  compressor: Compressor,
  weights: readonly TrainedWeight[],
  steps: readonly [from: number, to: number],
  gain: (step: number) => number,
  atForward: (step: number) => void = () => {},
): Promise<void> {
  for (let step = steps[0]; step <= steps[1]; step++) {
    await compressor.beforeStep(step);
    atForward(step);
    for (const { gradient } of weights) gradient.fill(gain(step));
    await compressor.pull();
    for (const { values, gradient } of weights) for (let i = 0; i < values.length; i++) values[i] += gradient[i];
    await compressor.push();
    if (compressor.distortsAfter(step)) await compressor.distort(step);
  }
}

const drift = (step: number) => 0.01 * Math.cos(step);

describe('when', () => {
  const distortionSteps = (policy: PolicyId) => {
    const compressor = createCompressor({ ...pruning, policy }, denseModel(), options);
    return Array.from({ length: 95 }, (_, i) => i + 1).filter((step) => compressor.distortsAfter(step));
  };

  test('DeepTwist distorts at the multiples of distortEvery from t_i on, and after the last step', () => {
    expect(distortionSteps('deeptwist')).toEqual([20, 30, 40, 50, 60, 70, 80, 90, 95]);
  });

  test('one-shot and straight-through change the stored weights after the last step only', () => {
    expect(distortionSteps('one-shot')).toEqual([95]);
    expect(distortionSteps('straight-through')).toEqual([95]);
  });

  test('one-shot prunes at the target rate, however the schedule stands', async () => {
    const weights = denseModel();
    const schedule = { ...pruning.schedule, to: 1000 };
    const compressor = createCompressor({ ...pruning, schedule, policy: 'one-shot' }, weights, options);
    await compressor.distort(95);
    expect(zeros(weights[0].values)).toBe(160);
  });
});

describe('DeepTwist', () => {
  test('prunes at the rate of the schedule, and pruned weights train on', async () => {
    const weights = denseModel();
    const compressor = createCompressor(pruning, weights, options);
    await train(compressor, weights, [1, 20], drift);
    expect([zeros(weights[0].values), zeros(weights[2].values)]).toEqual([50, 12]);
    await train(compressor, weights, [21, 21], drift);
    expect(zeros(weights[0].values)).toBe(0);
    await train(compressor, weights, [22, 95], drift);
    expect([zeros(weights[0].values), zeros(weights[2].values)]).toEqual([160, 40]);
    expect(zeros(weights[1].values)).toBe(0);
  });

  test('needs no state in a checkpoint', () => {
    expect(createCompressor(pruning, denseModel(), options).state).toEqual({});
  });
});

describe('gradual mask', () => {
  const masked = { ...pruning, policy: 'gradual-mask' } as const;

  test('between two masks the masked weights stay zero and get no gradient', async () => {
    const weights = denseModel();
    const [{ values, gradient }] = weights;
    const compressor = createCompressor(masked, weights, options);
    await train(compressor, weights, [1, 20], drift);
    const before = values.slice();
    await train(compressor, weights, [21, 29], () => 0.25);
    before.forEach((value, i) => {
      expect(gradient[i]).toBe(value === 0 ? 0 : 0.25);
      expect(values[i]).toBeCloseTo(value === 0 ? 0 : value + 9 * 0.25, 5);
    });
  });

  test('an optimizer that moves masked weights, by momentum say, does not move them', async () => {
    const weights = denseModel();
    const compressor = createCompressor(masked, weights, options);
    await compressor.distort(20);
    weights[0].values.fill(1);
    await compressor.push();
    expect(zeros(weights[0].values)).toBe(50);
  });

  test('a masked weight has its dormant value when the next mask is chosen, and can return with it', async () => {
    const weights = [trainedWeight('fc1/kernel', [1, 4], 1)];
    const [{ values }] = weights;
    const growing = { ...masked.schedule, initialRate: 0.5 };
    const compressor = createCompressor(
      { ...masked, layers: { fc1: { rate: 0.75 } }, schedule: growing },
      weights,
      options,
    );
    values.set([1, 2, 3, 4]);
    await compressor.distort(20);
    expect([...values]).toEqual([0, 0, 3, 4]);
    values.set([0, 0, 0.5, 0.1]);
    await compressor.distort(30);
    expect([...values]).toEqual([1, 2, 0, 0]);
    await compressor.distort(60);
    expect([...values]).toEqual([0, 2, 0, 0]);
  });

  test('at its target rate the mask is final', async () => {
    const weights = denseModel();
    const compressor = createCompressor(masked, weights, options);
    await train(compressor, weights, [1, 60], drift);
    const kept = Array.from(weights[0].values, (value) => value !== 0);
    expect(kept.filter((keep) => !keep)).toHaveLength(160);
    await train(compressor, weights, [61, 95], (step) => 0.3 * Math.cos(step));
    expect(Array.from(weights[0].values, (value) => value !== 0)).toEqual(kept);
  });

  test('a zero that was not pruned stays in training', async () => {
    const weights = [trainedWeight('fc1/kernel', [2, 5], 1)];
    weights[0].values.fill(0);
    const compressor = createCompressor(
      { ...masked, layers: { fc1: { rate: 0.4 } }, schedule: undefined },
      weights,
      options,
    );
    await compressor.distort(10);
    await train(compressor, weights, [11, 11], () => 1);
    expect([...weights[0].values]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  });

  test('resuming from the weights and the state of a checkpoint continues exactly', async () => {
    const weights = denseModel();
    const compressor = createCompressor(masked, weights, options);
    await train(compressor, weights, [1, 45], drift);
    const state = Object.fromEntries(Object.entries(compressor.state).map(([key, array]) => [key, array.slice()]));
    const resumed = denseModel().map((fresh, i) => ({ ...fresh, values: weights[i].values.slice() }));
    const second = createCompressor(masked, resumed, options);
    second.restore(state);
    await train(compressor, weights, [46, 95], drift);
    await train(second, resumed, [46, 95], drift);
    expect(resumed.map(({ values }) => values)).toEqual(weights.map(({ values }) => values));
  });

  test('is refused for other methods than pruning', () => {
    expect(() => createCompressor({ ...quantization, policy: 'gradual-mask' }, denseModel(), options)).toThrow(
      'compression.policy: "gradual-mask" works with the method prune only, got "quantize"',
    );
  });
});

describe('straight-through', () => {
  const through = { ...quantization, policy: 'straight-through' } as const;

  test('the model computes with quantized weights, and the update goes to the full-precision ones', async () => {
    const weights = denseModel();
    const [{ values }] = weights;
    const expected = values.slice();
    const compressor = createCompressor(through, weights, options);
    const distinct: number[] = [];
    await train(compressor, weights, [1, 94], drift, () => distinct.push(new Set(values).size));
    for (let step = 1; step <= 94; step++)
      for (let i = 0; i < expected.length; i++) expected[i] += Math.fround(drift(step));
    expect(distinct).toEqual(Array(94).fill(4));
    expect(values).toEqual(expected);
  });

  test('the run ends with the quantized weights, which further evaluations leave as they are', async () => {
    const weights = denseModel();
    const [{ values }] = weights;
    const compressor = createCompressor(through, weights, options);
    await train(compressor, weights, [1, 95], drift);
    const final = values.slice();
    expect(new Set(final).size).toBe(4);
    await compressor.beforeStep(96);
    expect(values).toEqual(final);
    await compressor.pull();
    expect(values).toEqual(final);
  });

  test('before t_i the model computes with the weights as they are, and at t_i with their compressed form', async () => {
    const weights = denseModel();
    const compressor = createCompressor({ ...through, schedule: { from: 50 } }, weights, options);
    const original = weights[0].values.slice();
    await compressor.beforeStep(49);
    expect(weights[0].values).toEqual(original);
    await compressor.beforeStep(50);
    expect(new Set(weights[0].values).size).toBe(4);
  });
});

describe('low rank', () => {
  test('what multiplies the output of a layer gets one projection and the size of the pair; the rest is alone', async () => {
    const weights = lstmModel();
    const compressor = createCompressor(lowRank(2, true, '*'), weights, options);
    await compressor.distort(10);
    const lefts = weights.map(({ name }) => {
      const form = compressor.compressed.get(name);
      return form?.form === 'factors' ? form.left : undefined;
    });
    expect(lefts[1]).toBe(lefts[2]);
    expect(lefts[0]).not.toBe(lefts[1]);
    expect(compressor.sizes(weights).map(({ weightsKept }) => weightsKept)).toEqual([2 * 26, 2 * (5 + 20), 2 * 30]);
  });

  test('weights that are not finite are reported as a diverged training', async () => {
    const weights = lstmModel();
    weights[0].values[3] = Infinity;
    const distorted = createCompressor(lowRank(2), weights, options).distort(10);
    await expect(distorted).rejects.toThrow('lstm/kernel has no singular values: training has diverged');
  });

  test('a rank above that of the matrix is an error that says what it can be', () => {
    expect(() => createCompressor(lowRank(6), lstmModel(), options)).toThrow(
      'compression.layers.lstm.rank: lstm/recurrent_kernel is a [5, 20] matrix: expected at most 5, got 6',
    );
  });

  test('a shared projection needs a layer and one that its output goes to', () => {
    const missing = 'to share a projection with';
    expect(() => createCompressor(lowRank(2, true, 'fc1'), denseModel(), options)).toThrow(missing);
    for (const key of ['lstm', 'lstm/recurrent_kernel', 'lstm/kernel', 'softmax'])
      expect(() => createCompressor(lowRank(2, true, key), lstmModel(), options)).toThrow(missing);
    const ranks = { lstm: { rank: 2, sharedProjection: true }, softmax: { rank: 3, sharedProjection: true } };
    expect(() => createCompressor({ ...lowRank(2), layers: ranks }, lstmModel(), options)).toThrow(missing);
  });
});

describe('custom', () => {
  const custom = {
    method: 'custom',
    policy: 'deeptwist',
    distortEvery: 10,
    module: './mine.ts',
    layers: { fc1: { by: 2 } },
  };
  const create = (distort: (weights: Float32Array, shape: readonly number[], context: unknown) => unknown) => {
    const weights = denseModel();
    return {
      weights,
      compressor: createCompressor(custom as WrittenCompression, weights, { ...options, custom: distort }),
    };
  };

  test("the user's function changes the weights in place and is told where and when", async () => {
    const calls: unknown[] = [];
    const { weights, compressor } = create((values, shape, context) => {
      values.fill(3);
      calls.push([shape, context]);
      return { weightsKept: 1, bytes: 4 };
    });
    await compressor.distort(10);
    expect(weights[0].values.every((value) => value === 3)).toBe(true);
    expect(calls).toEqual([[[20, 10], { name: 'fc1/kernel', step: 10, steps: 95, seed: 1, parameters: { by: 2 } }]]);
    expect(compressor.sizes(weights)[0]).toMatchObject({ weightsKept: 1, bytesKept: 4 });
  });

  test('a function that throws, breaks the weights or returns nonsense is named with the weight and the step', async () => {
    const failing = create(() => {
      throw new Error('no such layer');
    });
    await expect(failing.compressor.distort(10)).rejects.toThrow(
      './mine.ts: distort() of fc1/kernel at step 10 failed: no such layer',
    );
    await expect(create((values) => void (values[7] = NaN)).compressor.distort(10)).rejects.toThrow(
      'left NaN at index 7',
    );
    await expect(create(() => 5).compressor.distort(10)).rejects.toThrow('{ weightsKept, bytes }');
  });
});

describe('reports', () => {
  test('a report fits the run event and says what was done', async () => {
    const weights = denseModel();
    const before = weights[0].values.slice();
    const [fc1, fc2] = await createCompressor(pruning, weights, options).distort(95, { bins: 40 });
    expect(eventSchema.parse({ type: 'distortion', step: 95, time: 0, weights: [fc1, fc2] })).toBeDefined();
    expect(fc1).toMatchObject({
      name: 'fc1/kernel',
      setting: { rate: 0.8 },
      histogram: { zerosBefore: 0, zerosAfter: 160 },
    });
    const norm = (values: Float32Array) => Math.hypot(...values);
    expect(fc1.relativeError).toBeCloseTo(
      norm(before.map((value, i) => weights[0].values[i] - value)) / norm(before),
      6,
    );
  });

  test('levels are reported where the matrix has one set of scales', async () => {
    const weights = denseModel();
    const [fc1] = await createCompressor(quantization, weights, options).distort(10, { bins: 40 });
    expect(fc1.levels).toEqual([...new Set(weights[0].values)].sort((a, b) => a - b));
  });

  test.each([
    { compression: pruning, weights: denseModel() },
    { compression: quantization, weights: denseModel() },
    { compression: lowRank(3), weights: lstmModel() },
    { compression: lowRank(3, true, '*'), weights: lstmModel() },
  ])('a report has what is left of each weight, as the sizes at the end have it', async ({ compression, weights }) => {
    const compressor = createCompressor(compression, weights, options);
    for (const report of [await compressor.preview(10, { bins: 4 }), await compressor.distort(10, { bins: 4 })])
      for (const { name, size } of report) {
        const { weightsKept, bytesKept } = compressor.sizes(weights).find((row) => row.name === name)!;
        expect(size).toEqual({ weightsKept, bytesKept });
      }
  });

  test.each(['deeptwist', 'gradual-mask', 'one-shot', 'straight-through'] as const)(
    'a preview tells what a distortion will do, and changes nothing: %s',
    async (policy) => {
      const weights = denseModel();
      const compressor = createCompressor({ ...pruning, policy }, weights, options);
      await train(compressor, weights, [1, 94], (step) => 0.01 * step);
      const copies = () => structuredClone({ values: weights.map(({ values }) => values), state: compressor.state });
      const before = copies();
      const preview = await compressor.preview(95, { bins: 9 });
      expect(copies()).toEqual(before);
      const report = await compressor.distort(95, { bins: 9 });
      expect(preview).toEqual(report);
      expect(preview[0].histogram.zerosAfter).toBeGreaterThan(50);
    },
  );

  test('a distortion that nobody observes reports nothing', async () => {
    expect(await createCompressor(pruning, denseModel(), options).distort(10)).toEqual([]);
  });
});

describe('a low-rank approximation that starts from the last one', () => {
  const rank = 6;
  const compression = { ...lowRank(rank, false, 'fc'), distortEvery: 1 };
  const model = () => trainedWeight('fc/kernel', [60, 40], 1);
  const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  const drift = (values: Float32Array, seed: number) => {
    const noise = normals(values.length, seed);
    for (let i = 0; i < values.length; i++) values[i] += 0.01 * noise[i];
  };

  test('has nearly the least error at every distortion', async () => {
    const target = model();
    const compressor = createCompressor(compression, [target], { steps: 100, seed: 1 });
    for (let step = 1; step <= 9; step++) {
      drift(target.values, step);
      const before = target.values.slice();
      const best = before.slice();
      await truncateRank(best, matrixViewOf([60, 40], 'kernel'), rank);
      await compressor.distort(step);
      const excess = norm(before.map((value, i) => value - target.values[i])) - norm(before.map((v, i) => v - best[i]));
      expect(excess / norm(before)).toBeLessThan(1e-4);
    }
  });

  test('is exact at every tenth distortion and at the last', async () => {
    const target = model();
    const compressor = createCompressor(compression, [target], { steps: 14, seed: 1 });
    const exact: number[] = [];
    for (let step = 1; step <= 14; step++) {
      drift(target.values, step);
      const best = target.values.slice();
      const factors = await truncateRank(best, matrixViewOf([60, 40], 'kernel'), rank);
      // The last is the product that a file of the factors gives, rounded once.
      if (step === 14) multiplyFactors(factors, { outer: 1, rows: 60, inner: 40 }, best);
      await compressor.distort(step);
      if (target.values.every((value, i) => value === best[i])) exact.push(step);
    }
    // The first has no other to start from.
    expect(exact).toEqual([1, 10, 14]);
  });

  test('keeps a direction that becomes the strongest between two distortions', async () => {
    const diagonal = trainedWeight('fc/kernel', [4, 4], 1);
    const values = [3, 2, 0.1, 0.1];
    diagonal.values.fill(0);
    values.forEach((value, i) => (diagonal.values[5 * i] = value));
    const two = { ...lowRank(2, false, 'fc'), distortEvery: 1 };
    const compressor = createCompressor(two, [diagonal], { steps: 100, seed: 1 });
    await compressor.distort(1);
    diagonal.values[10] = 10;
    await compressor.distort(2);
    const kept = values.map((_, i) => diagonal.values[5 * i]);
    [3, 0, 10, 0].forEach((value, i) => expect(kept[i]).toBeCloseTo(value, 5));
  });

  test('goes on exactly from the state of a checkpoint', async () => {
    const target = model();
    const compressor = createCompressor(compression, [target], { steps: 100, seed: 1 });
    await compressor.distort(1);
    const state = Object.fromEntries(Object.entries(compressor.state).map(([key, array]) => [key, array.slice()]));
    const copy = { ...model(), values: target.values.slice() };
    const resumed = createCompressor(compression, [copy], { steps: 100, seed: 1 });
    resumed.restore(state);
    drift(target.values, 7);
    drift(copy.values, 7);
    await compressor.distort(2);
    await resumed.distort(2);
    expect(copy.values).toEqual(target.values);
  });
});
