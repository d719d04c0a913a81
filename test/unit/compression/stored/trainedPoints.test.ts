import { describe, expect, test } from 'vitest';
import type { Compressor } from '../../../../server/compression/compressor.ts';
import { planCompression } from '../../../../server/compression/plan.ts';
import type { Compression } from '../../../../server/protocol/experiment/schema.ts';
import { createCompressor, planned } from '../createCompressor.ts';
import { normals } from '../random.ts';
import type { TrainedWeight } from '../trainedWeight.ts';

type Parameters = Extract<Extract<Compression, { method: 'quantize' }>['layers'][string], { levels: 'points' }>;

const options = { steps: 100, seed: 1 };
const usual: Parameters = { levels: 'points', bits: 2, bucket: 3, start: 'uniform', iterations: 0 };

/** A kernel [rows, columns]; by default a single row in the order of its numbers. */
function kernel(values: ArrayLike<number>, columns = 1, layer = 'fc'): TrainedWeight {
  const own = Float32Array.from(values);
  const gradient = new Float32Array(own.length);
  return {
    name: `${layer}/kernel`,
    layer,
    weight: 'kernel',
    shape: [own.length / columns, columns],
    values: own,
    gradient,
  };
}

const settings = (parameters: Partial<Parameters> = {}) =>
  ({
    method: 'quantize',
    policy: 'points',
    distortEvery: 1,
    layers: { '*': { ...usual, ...parameters } },
  }) satisfies Compression;

const compressorOf = (weights: readonly TrainedWeight[], parameters?: Partial<Parameters>) =>
  createCompressor(settings(parameters), weights, options);

/** One step in which the optimizer subtracts a part of the gradients of what it trains. */
async function step(compressor: Compressor, weights: readonly TrainedWeight[], at: number): Promise<void> {
  await compressor.beforeStep(at);
  for (const { gradient } of weights) gradient.forEach((_, i) => (gradient[i] = Math.sin(i + at) / 10));
  await compressor.pull();
  for (const { value, gradient } of compressor.trained) gradient.forEach((slope, i) => (value[i] -= 0.02 * slope));
  await compressor.push();
}

const values = [0.3, -0.5, 0.1, 0.9, -0.2, 0, 0.4];
const slopes = [1, 2, -1, 0.5, 1, -2, 1];

describe('the example of seven weights in buckets of three, with the points 0, 0.3, 0.6 and 1', () => {
  async function withPoints() {
    const weight = kernel(values);
    const compressor = compressorOf([weight]);
    await compressor.beforeStep(1);
    compressor.trained[0].value.set([0, 0.3, 0.6, 1]);
    await compressor.push();
    return { weight, compressor };
  }

  test('weights are the nearest point between the ends of their bucket', async () => {
    const { weight } = await withPoints();
    [0.3, -0.5, -0.02, 0.9, -0.2, 0.13, 0.4].forEach((expected, i) =>
      expect(weight.values[i]).toBeCloseTo(expected, 6),
    );
  });

  test('the gradient of a point is the sum over its weights, each times the scale of its bucket', async () => {
    const { weight, compressor } = await withPoints();
    weight.gradient.set(slopes);
    await compressor.pull();
    // In the published code the scale of a constant bucket, here of the seventh weight, is 1, and the first point gets 1 more. Such a
    // bucket would then move with that point; here it stays as it is.
    [2.7, -2.2, -0.8, 1.35].forEach((expected, i) =>
      expect(compressor.trained[0].gradient[i]).toBeCloseTo(expected, 5),
    );
    expect(weight.gradient).toEqual(new Float32Array(7));
  });

  test('the gradient is the change of a linear loss by each point', async () => {
    const { weight, compressor } = await withPoints();
    const [{ value: points, gradient }] = compressor.trained;
    const loss = () => weight.values.reduce((sum, number, i) => sum + slopes[i] * number, 0);
    weight.gradient.set(slopes);
    await compressor.pull();
    const expected = [...gradient];
    for (const i of points.keys()) {
      const before = loss();
      points[i] += 2 ** -7;
      await compressor.push();
      // Float32 sums of seven numbers below 1, divided by 1/128.
      expect((loss() - before) * 2 ** 7).toBeCloseTo(expected[i], 4);
      points[i] -= 2 ** -7;
      await compressor.push();
    }
  });
});

describe('trained points', () => {
  test('are sorted after each update', async () => {
    const weight = kernel(normals(60, 3));
    const compressor = compressorOf([weight], { bucket: 'none' });
    await compressor.beforeStep(1);
    const [{ value }] = compressor.trained;
    value.set([0.5, -1, 2, 0]);
    await compressor.push();
    expect(value).toEqual(Float32Array.of(-1, 0, 0.5, 2));
    expect([...new Set(weight.values)].sort((a, b) => a - b)).toEqual([-1, 0, 0.5, 2]);
  });

  test('take the full-precision weight as it was at their first step, whatever the optimizer does to it', async () => {
    const weight = kernel(normals(40, 4));
    const full = weight.values.slice();
    const compressor = compressorOf([weight], { bucket: 8 });
    for (const at of [1, 2, 3]) {
      await step(compressor, [weight], at);
      weight.values.fill(at);
      await compressor.push();
    }
    const points = compressor.trained[0].value;
    for (let start = 0; start < 40; start += 8) {
      const bucket = full.subarray(start, start + 8);
      const [least, greatest] = [Math.min(...bucket), Math.max(...bucket)];
      bucket.forEach((value, i) => {
        const levels = Array.from(points, (point) => least + (greatest - least) * point);
        const nearest = levels.reduce((a, b) => (Math.abs(b - value) < Math.abs(a - value) ? b : a));
        expect(weight.values[start + i]).toBeCloseTo(nearest, 5);
      });
    }
  });

  test('are what a preview of a distortion shows: nothing changes', async () => {
    const weight = kernel(normals(40, 4));
    const compressor = compressorOf([weight], { bucket: 8 });
    await step(compressor, [weight], 1);
    const [{ relativeError, histogram }] = await compressor.preview(1, { bins: 8 });
    expect(relativeError).toBe(0);
    expect(histogram.after).toEqual(histogram.before);
  });

  test('are what the last distortion leaves: it changes no number', async () => {
    const weights = [kernel(normals(60, 5), 6, 'fc1'), kernel(normals(30, 6), 5, 'fc2')];
    const compressor = compressorOf(weights, { bucket: 'row', start: 'quantiles' });
    for (const at of [1, 2, 3]) await step(compressor, weights, at);
    const before = weights.map((weight) => weight.values.slice());
    await compressor.distort(options.steps);
    expect(weights.map((weight) => weight.values)).toEqual(before);
    for (const [name, packed] of compressor.packed())
      expect(packed.rebuild()).toEqual(weights.find((weight) => weight.name === name)!.values);
  });

  test.each<Partial<Parameters>>([
    { bucket: 7 },
    { bucket: 'row' },
    { bucket: 'none', start: 'random', iterations: 5 },
  ])('go on from a checkpoint as if there had been none: %j', async (parameters) => {
    const train = async (weights: readonly TrainedWeight[], from: number, to: number, state?: Compressor['state']) => {
      const compressor = compressorOf(weights, parameters);
      if (state) compressor.restore(state);
      for (let at = from; at <= to; at++) await step(compressor, weights, at);
      return compressor;
    };
    const make = () => [kernel(normals(60, 7), 6, 'fc1'), kernel(normals(30, 8), 5, 'fc2')];
    const whole = make();
    await train(whole, 1, 6);
    const parts = make();
    const { state } = await train(parts, 1, 3);
    await train(parts, 4, 6, structuredClone(state));
    expect(parts.map((part) => part.values)).toEqual(whole.map((one) => one.values));
  });

  test('begin at the first step of the schedule; until then the weight itself is trained', async () => {
    const weight = kernel(normals(40, 9));
    const fromTheStart = planCompression(planned(settings()), [weight], options);
    expect([...fromTheStart.replaced]).toEqual(['fc/kernel']);
    expect(fromTheStart.trained).toEqual([{ name: 'fc/kernel/points', length: 4 }]);
    const later = createCompressor({ ...settings({ bucket: 'none' }), schedule: { from: 3 } }, [weight], options);
    const before = weight.values.slice();
    for (const at of [1, 2]) await step(later, [weight], at);
    expect(weight.values).toEqual(before);
    expect(weight.gradient.every((slope) => slope === 0)).toBe(false);
    expect(later.state).toEqual({});
    await step(later, [weight], 3);
    expect(new Set(weight.values).size).toBe(4);
    expect(Object.keys(later.state)).toEqual(['fc/kernel/points', 'fc/kernel/full']);
  });

  test('stay linked when other settings of the run change', async () => {
    const weight = kernel(normals(40, 10));
    const compressor = compressorOf([weight], { bucket: 8 });
    for (const at of [1, 2]) await step(compressor, [weight], at);
    compressor.prepareChange(planned({ ...settings({ bucket: 8 }), distortEvery: 2 })).apply();
    const before = weight.values.slice();
    await compressor.distort(options.steps);
    expect(weight.values).toEqual(before);
  });

  test('of a weight that the model does not train are refused', () => {
    const { gradient: _, ...untrained } = kernel(values);
    expect(() => compressorOf([untrained as TrainedWeight])).toThrow(/the model does not train this weight/);
  });
});

describe('after pruning', () => {
  const prune = { method: 'prune', policy: 'deeptwist', distortEvery: 1, layers: { '*': { rate: 0.5 } } } as const;
  const points = { ...settings({ bucket: 'none', iterations: 20 }), schedule: { from: 3 } };

  test('zeros stay zeros, and the points are those of what is left: the centroids of Deep Compression', async () => {
    const weight = kernel(normals(60, 11), 6);
    const compressor = createCompressor([prune, points], [weight], options);
    const finish = async (at: number) => {
      await step(compressor, [weight], at);
      if (compressor.distortsAfter(at)) await compressor.distort(at);
    };
    for (const at of [1, 2, 3]) await finish(at);
    const zeros = weight.values.map((value) => Number(value === 0));
    expect(zeros.reduce((sum, zero) => sum + zero, 0)).toBe(30);
    for (const at of [4, 5, 6]) await finish(at);
    expect(weight.values.map((value) => Number(value === 0))).toEqual(zeros);
    const before = weight.values.slice();
    await compressor.distort(options.steps);
    expect(weight.values).toEqual(before);
    expect(new Set(weight.values).size).toBeLessThanOrEqual(5);
  });

  test('points that would begin while weights are still being pruned are refused', () => {
    const schedule = { initialRate: 0, from: 0, to: 10, exponent: 3 };
    expect(() => createCompressor([{ ...prune, schedule }, points], [kernel(values)], options)).toThrow(
      'compression[1].schedule.from: expected at least 10, the step until which compression[0] compresses fc/kernel further, got 3',
    );
  });

  test('points of factors are refused', () => {
    const lowRank = {
      method: 'low-rank',
      policy: 'deeptwist',
      distortEvery: 1,
      layers: { '*': { rank: 2, sharedProjection: false } },
    } as const;
    expect(() => createCompressor([lowRank, points], [kernel(normals(40, 12), 5)], options)).toThrow(
      /compression\[1\]\.policy: "points" works with weights as a whole/,
    );
  });
});
