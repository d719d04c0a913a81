import { describe, expect, test } from 'vitest';
import { Compressor } from '../../../../server/compression/compressor.ts';
import { planCompression } from '../../../../server/compression/plan.ts';
import { noiseNames } from '../../../../server/compression/stored/storedWeights.ts';
import type { CompressibleWeight } from '../../../../server/compression/targets/targets.ts';
import { createCompressor, planned, type WrittenCompression } from '../createCompressor.ts';
import { normals } from '../random.ts';

const run = { steps: 100, seed: 1 };
const settings = {
  method: 'prune',
  policy: 'variational-dropout',
  distortEvery: 1,
  layers: { '*': {} },
} satisfies WrittenCompression;

function kernel(values: ArrayLike<number>, layerClass = 'Dense', own = 'kernel'): CompressibleWeight {
  const shape = [values.length, 1];
  const gradient = new Float32Array(values.length);
  return {
    name: `fc/${own}`,
    layer: 'fc',
    weight: own,
    layerClass,
    shape,
    values: Float32Array.from(values),
    gradient,
  };
}

/** A compressor in training: with the tensors that the step has beside the weight. */
function training(weight: CompressibleWeight, logVariances: ArrayLike<number>, changes: object = {}) {
  const plan = planCompression(planned({ ...settings, ...changes } as WrittenCompression), [weight], run);
  const tensor = (name: string, values: ArrayLike<number>) => ({
    name,
    value: Float32Array.from(values),
    gradient: new Float32Array(values.length),
  });
  const [variances, divergence] = [
    tensor(noiseNames.logVariance(weight.name), logVariances),
    tensor(noiseNames.divergenceWeight(weight.name), [0]),
  ];
  const compressor = new Compressor(plan, [weight], undefined, [variances, divergence]);
  return { compressor, plan, divergence: divergence.value };
}

describe('weights with a variance', () => {
  // log alpha = log sigma^2 - 2 log |theta|: 3.1, 2.9, 8 or more, far below.
  const means = [1, -1, 0, 0.5];
  const logVariances = [3.1, 2.9, -5, -6];

  test('become zero at the end where log alpha is above 3, and are counted as pruned', async () => {
    const weight = kernel(means);
    const { compressor } = training(weight, logVariances);
    expect(compressor.distortsAfter(50)).toBe(false);
    const [report] = await compressor.distort(100, { bins: 4 });
    expect([...weight.values]).toEqual([0, -1, 0, 0.5]);
    expect(report).toMatchObject({ setting: {}, size: { weightsKept: 2 } });
    expect(compressor.packed().get('fc/kernel')!.rebuild()).toEqual(weight.values);
  });

  test('have another threshold where it is set', async () => {
    const weight = kernel(means);
    const { compressor } = training(weight, logVariances, { variationalDropout: { threshold: 2.5 } });
    await compressor.distort(100);
    expect([...weight.values]).toEqual([0, 0, 0, 0.5]);
  });

  test('are evaluated as they would be pruned, and train on as they were', async () => {
    const weight = kernel(means);
    const { compressor } = training(weight, logVariances);
    await compressor.beforeEvaluation(5);
    expect([...weight.values]).toEqual([0, -1, 0, 0.5]);
    compressor.afterEvaluation();
    expect([...weight.values]).toEqual(means);
    const [seen] = await compressor.preview(5, { bins: 4 });
    expect(seen.size!.weightsKept).toBe(2);
    expect([...weight.values]).toEqual(means);
  });

  test('diverge from their prior by a weight that rises with the schedule', async () => {
    const schedule = { from: 10, to: 30, exponent: 1 };
    const { compressor, divergence } = training(kernel(means), logVariances, { schedule });
    const weights: number[] = [];
    for (const step of [1, 10, 15, 20, 30, 99]) {
      await compressor.beforeStep(step);
      weights.push(divergence[0]);
    }
    expect(weights).toEqual([0, 0, 0.25, 0.5, 1, 1]);
    const { compressor: always, divergence: whole } = training(kernel(means), logVariances);
    await always.beforeStep(1);
    expect(whole[0]).toBe(1);
  });

  test('are what they are where nothing is trained', async () => {
    const weight = kernel(means);
    const compressor = createCompressor(settings, [weight], run);
    await compressor.beforeEvaluation(5);
    compressor.afterEvaluation();
    expect([...weight.values]).toEqual(means);
  });

  test('begin with the variance that is set', () => {
    const { plan } = training(kernel(means), logVariances, { variationalDropout: { logVariance: -6 } });
    expect(plan.noisy).toMatchObject([{ weight: { name: 'fc/kernel' }, path: ['compression'], logVariance: -6 }]);
    expect(training(kernel(means), logVariances).plan.noisy[0].logVariance).toBe(-10);
  });

  test('can be quantized where they are not zero', async () => {
    const weight = kernel(normals(40, 3));
    const variances = Array.from(weight.values, (value, i) => Math.log(value ** 2) + (i % 2 === 0 ? 4 : 0));
    const { value: _, ...others } = { value: 0, ...settings };
    const list = [
      others,
      { method: 'quantize', distortEvery: 1, policy: 'one-shot', layers: { '*': { bits: 2, scales: 'matrix' } } },
    ];
    const plan = planCompression(planned(list as WrittenCompression[]), [weight], run);
    const value = Float32Array.from(variances);
    const compressor = new Compressor(plan, [weight], undefined, [
      { name: noiseNames.logVariance(weight.name), value, gradient: new Float32Array(40) },
    ]);
    await compressor.distort(100);
    expect(weight.values.filter((number) => number === 0)).toHaveLength(20);
    expect(new Set(weight.values).size).toBe(5);
    expect(compressor.packed().get('fc/kernel')!.rebuild()).toEqual(weight.values);
  });
});

describe('refused at its layer is', () => {
  test.each([
    ['embeddings', kernel([1, 2], 'Embedding', 'embeddings')],
    ['a depthwise kernel', kernel([1, 2], 'DepthwiseConv2D', 'depthwise_kernel')],
    ['a kernel of a recurrent layer', kernel([1, 2], 'LSTM')],
  ])('%s', (_, weight) => {
    expect(() => createCompressor(settings, [weight], run)).toThrow(
      `compression.layers.*: names ${weight.name}, which "variational-dropout" cannot take: it is for dense layers and convolutions`,
    );
  });

  test('a weight that the model does not train', () => {
    const { gradient: _, ...fixed } = kernel([1, 2]);
    expect(() => createCompressor(settings, [fixed], run)).toThrow(
      'compression.layers.*: the variance of fc/kernel cannot be trained: the model does not train this weight',
    );
  });
});
