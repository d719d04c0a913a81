import { describe, expect, test } from 'vitest';
import type { Compressor } from '../../../../server/compression/compressor.ts';
import { weightHistogram } from '../../../../server/compression/histogram.ts';
import { quantizeUniformly } from '../../../../server/compression/methods/quantize/uniform.ts';
import { planCompression } from '../../../../server/compression/plan.ts';
import type { Compression } from '../../../../server/protocol/experiment/schema.ts';
import { createCompressor, planned, type WrittenCompression } from '../createCompressor.ts';
import { normals } from '../random.ts';
import type { TrainedWeight } from '../trainedWeight.ts';
import { trainStopped } from './stopped.ts';

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

const twoKernels = () => [kernel(normals(60, 7), 6, 'fc1'), kernel(normals(30, 8), 5, 'fc2')];
const valuesOf = (weights: readonly TrainedWeight[]) => weights.map((weight) => weight.values);

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

  test('that are weights get the sum of the gradients of their weights, as the centroids of Deep Compression do', async () => {
    const weight = kernel([1, 1.1, -2, 3, 0.9, -2.1, 2.8]);
    const compressor = compressorOf([weight], { bucket: 'none', points: 3, start: 'uniform', iterations: 20 });
    await compressor.beforeStep(1);
    const [{ value, gradient }] = compressor.trained;
    [-2.05, 1, 2.9].forEach((mean, i) => expect(value[i]).toBeCloseTo(mean, 6));
    weight.gradient.set(slopes);
    await compressor.pull();
    // Sums over the numbers 2 and 5, over 0, 1 and 4, and over 3 and 6.
    expect(gradient).toEqual(Float32Array.of(-1 - 2, 1 + 2 + 1, 0.5 + 1));
  });

  test('of which several are equal train on, and a file has them', async () => {
    // Most numbers are 0, and so are two of the four quantiles.
    const weight = kernel([0, 0, 0, 0, 0, 0, 0, 0, -1, 0.5, 1, 2]);
    const compressor = compressorOf([weight], { bucket: 'none', start: 'quantiles' });
    await compressor.beforeStep(1);
    const [{ value, gradient }] = compressor.trained;
    expect(value).toEqual(Float32Array.of(-1, 0, 0, 2));
    weight.gradient.fill(1);
    await compressor.pull();
    // A number goes to the upper of two points that are as near; the lower one has none, and stays.
    expect(gradient).toEqual(Float32Array.of(1, 0, 9, 2));
    for (const at of [1, 2, 3]) await step(compressor, [weight], at);
    expect(value.every(Number.isFinite)).toBe(true);
    await compressor.distort(options.steps);
    expect(compressor.packed().get('fc/kernel')!.rebuild()).toEqual(weight.values);
  });

  test('of a constant weight are its number, and of zeros 0', async () => {
    for (const number of [0, 0.25]) {
      const weight = kernel(new Float32Array(9).fill(number));
      const compressor = compressorOf([weight], { bucket: 4 });
      for (const at of [1, 2]) await step(compressor, [weight], at);
      expect(weight.values).toEqual(new Float32Array(9).fill(number));
    }
  });

  test('are what a preview of a distortion shows, between the weights in full precision and those of the points', async () => {
    const weight = kernel(normals(40, 4));
    const full = weight.values.slice();
    const compressor = compressorOf([weight], { bucket: 8 });
    await step(compressor, [weight], 1);
    const points = [...compressor.trained[0].value];
    const values = weight.values.slice();
    const [{ histogram, relativeError, levels, scaledLevels }] = await compressor.preview(1, { bins: 8 });
    const { before, after } = weightHistogram(full, values, 8);
    expect(histogram).toMatchObject({ before, after });
    expect(relativeError).toBeGreaterThan(0);
    expect(levels).toBeUndefined();
    expect(scaledLevels?.levels).toEqual(points);
    expect(weight.values).toEqual(values);
    expect((await compressor.distort(options.steps, { bins: 8 }))[0]).toMatchObject({ histogram, scaledLevels });
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
    const training = {
      make: twoKernels,
      compressorOf: (weights: readonly TrainedWeight[]) => compressorOf(weights, parameters),
      step,
    };
    const { whole, resumed } = await trainStopped(training, { at: 3, end: 6 });
    expect(valuesOf(resumed)).toEqual(valuesOf(whole));
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

describe('as many points as a gradient is great', () => {
  const written = { ...settings({ bucket: 8, iterations: 10 }), pointsByGradient: { steps: 2 } };

  /** A step in which the second gradient is three times the first, of as many numbers. */
  async function measured(compressor: Compressor, [first, second]: readonly TrainedWeight[], at: number) {
    await compressor.beforeStep(at);
    first.gradient.fill(0);
    first.gradient.fill(1, 0, 16);
    second.gradient.fill(0);
    second.gradient.fill(3, 0, 16);
    await compressor.pull();
    for (const { value, gradient } of compressor.trained) gradient.forEach((slope, i) => (value[i] -= 0.001 * slope));
    await compressor.push();
  }

  test('are fitted to weights that stay what they are while gradients are added up', async () => {
    const weights = twoKernels();
    const full = weights.map((weight) => weight.values.slice());
    const compressor = createCompressor(written, weights, options);
    expect(compressor.trained.map(({ value }) => value.length)).toEqual([6, 6]);
    for (const at of [1, 2]) {
      await measured(compressor, weights, at);
      expect(weights.map(({ values: now }) => now)).toEqual(full);
      expect(weights.every(({ gradient }) => gradient.every((slope) => slope === 0))).toBe(true);
      for (const weight of weights) weight.values.fill(at);
      await compressor.push();
    }
    await compressor.beforeStep(3);
    // 2 of 4 points stay, and of the 4 others a quarter goes to the first.
    const reports = await compressor.preview(3, { bins: 8 });
    expect(reports.map(({ scaledLevels, setting }) => [scaledLevels?.levels.length, setting.bits])).toEqual([
      [3, 1.58],
      [5, 2.32],
    ]);
    expect(weights.map(({ values: now }) => now)).not.toEqual(full);
  });

  test.each([1, 2, 3, 5])('go on from a checkpoint after step %i as if there had been none', async (at) => {
    const compressorOf = (weights: readonly TrainedWeight[]) => createCompressor(written, weights, options);
    const training = { make: twoKernels, compressorOf, step: measured };
    const { whole, resumed, compressor } = await trainStopped(training, { at, end: 6 });
    expect(valuesOf(resumed)).toEqual(valuesOf(whole));
    for (const [name, packed] of compressor.packed())
      expect(packed.rebuild()).toEqual(resumed.find((weight) => weight.name === name)!.values);
  });

  test('are refused where the run would end before they are fitted', () => {
    const late = { ...written, schedule: { from: 99 } };
    expect(() => createCompressor(late, twoKernels(), options)).toThrow(
      'compression.pointsByGradient.steps: expected at most 1, the steps that are left of the run when its points are fitted, got 2',
    );
  });
});

test.each<[string, WrittenCompression, first: number]>([
  ['from a step on', { ...settings(), schedule: { from: 4 } }, 4],
  ['after gradients were added up', { ...settings(), schedule: { from: 2 }, pointsByGradient: { steps: 2 } }, 4],
  ['in their periods', { ...settings(), policy: 'alternating-points', distortEvery: 2, schedule: { from: 2 } }, 8],
])('points that are trained %s are new for the optimizer then, also after a checkpoint', async (_, written, first) => {
  const training = {
    make: twoKernels,
    compressorOf: (weights: readonly TrainedWeight[]) => createCompressor(written, weights, options),
    step,
  };
  const { compressor } = await trainStopped(training, { at: first, end: first + 1 });
  expect(compressor.trained.map(({ stepsBefore }) => stepsBefore)).toEqual([first - 1, first - 1]);
});

describe('by turns with straight-through training', () => {
  const written: WrittenCompression = {
    ...settings({ bucket: 8, start: 'quantiles' }),
    policy: 'alternating-points',
    distortEvery: 2,
    schedule: { from: 2 },
  };

  /** A step whose optimizer trains weights and points; gives the weights that the model computed with. */
  async function turn(compressor: Compressor, weights: readonly TrainedWeight[], at: number): Promise<Float32Array[]> {
    await compressor.beforeStep(at);
    const computed = weights.map((weight) => weight.values.slice());
    for (const { gradient } of weights) gradient.forEach((_, i) => (gradient[i] = Math.sin(i + at) / 10));
    await compressor.pull();
    for (const { values: own, gradient } of weights) gradient.forEach((slope, i) => (own[i] -= 0.5 * slope));
    for (const { value, gradient } of compressor.trained) gradient.forEach((slope, i) => (value[i] -= 0.02 * slope));
    await compressor.push();
    return computed;
  }

  const uniform = (weight: Float32Array) => {
    const copy = weight.slice();
    quantizeUniformly(
      copy,
      { outer: 1, rows: 1, inner: copy.length, columns: copy.length },
      { bits: 2, bucket: 8, symmetric: false },
      undefined,
    );
    return copy;
  };

  test('weights are trained at uniform levels for a period, then points for one, and what these leave is trained on', async () => {
    const weights = twoKernels();
    const compressor = createCompressor(written, weights, options);
    const full = () => weights.map((weight) => weight.values.slice());
    const expectUniform = (computed: readonly Float32Array[], of: readonly Float32Array[]) =>
      computed.forEach((own, i) => {
        const expected = uniform(of[i]);
        own.forEach((value, j) => expect(value).toBeCloseTo(expected[j], 5));
      });

    const dense = full();
    expect(await turn(compressor, weights, 1)).toEqual(dense);
    for (const at of [2, 3]) {
      const before = full();
      expectUniform(await turn(compressor, weights, at), before);
      expect(full()).not.toEqual(before);
      expect(compressor.trained.every(({ gradient }) => gradient.every((slope) => slope === 0))).toBe(true);
    }
    const before = full();
    await turn(compressor, weights, 4);
    const [{ scaledLevels }] = await compressor.preview(4, { bins: 8 });
    expect(scaledLevels?.levels).toEqual([...compressor.trained[0].value]);
    expect(compressor.state['fc1/kernel/full']).toEqual(before[0]);
    await turn(compressor, weights, 5);
    const left = full();
    expectUniform(await turn(compressor, weights, 6), left);
    expect(compressor.state).toEqual({});
    // Nothing is left that an optimizer would go on with.
    expect(compressor.trained.every(({ value, gradient }) => [...value, ...gradient].every((x) => x === 0))).toBe(true);
  });

  test.each([1, 2, 3, 4, 5, 6, 7])('go on from a checkpoint after step %i as if there had been none', async (at) => {
    const compressorOf = (weights: readonly TrainedWeight[]) => createCompressor(written, weights, options);
    const training = { make: twoKernels, compressorOf, step: turn };
    const { whole, resumed } = await trainStopped(training, { at, end: 9 });
    expect(valuesOf(resumed)).toEqual(valuesOf(whole));
  });

  test.each([6, 8])(
    'evaluations and the last distortion see the weights that step %i has left, compressed',
    async (last) => {
      const weights = twoKernels();
      const compressor = createCompressor(written, weights, { ...options, steps: last + 1 });
      for (let at = 1; at <= last; at++) await turn(compressor, weights, at);
      const stored = weights.map((weight) => weight.values.slice());
      await compressor.beforeEvaluation(last);
      const evaluated = weights.map((weight) => weight.values.slice());
      compressor.afterEvaluation();
      expect(weights.map((weight) => weight.values)).toEqual(stored);
      await compressor.distort(last + 1);
      expect(weights.map((weight) => weight.values)).toEqual(evaluated);
      for (const [name, packed] of compressor.packed())
        expect(packed.rebuild()).toEqual(weights.find((weight) => weight.name === name)!.values);
    },
  );

  test("weights are the optimizer's, too, from the first step on", () => {
    const plan = planCompression(planned({ ...written, schedule: { from: 0 } }), twoKernels(), options);
    expect([...plan.replaced]).toEqual([]);
    expect(plan.trained).toHaveLength(2);
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

  test.each<Partial<WrittenCompression>>([{ policy: 'points' }, { policy: 'alternating-points', distortEvery: 3 }])(
    'a preview shows the weights that the model computes with, and their full precision: %o',
    async (policy) => {
      const weight = kernel(normals(160, 4), 4);
      const list = [prune, { ...settings({ bucket: 8 }), schedule: { from: 1 }, ...policy } as WrittenCompression];
      const compressor = createCompressor(list, [weight], options);
      const last = 5;
      for (let at = 1; at <= last; at++) {
        await step(compressor, [weight], at);
        if (at < last && compressor.distortsAfter(at)) await compressor.distort(at);
      }
      const full = compressor.state['fc/kernel/full'] as Float32Array;
      const values = weight.values.slice();
      const points = [...compressor.trained[0].value];
      const [report] = await compressor.preview(last, { bins: 8 });
      expect(report.histogram).toMatchObject({ after: weightHistogram(full, values, 8).after });
      const error = Math.hypot(...full.map((value, i) => values[i] - value)) / Math.hypot(...full);
      expect(report.relativeError).toBeCloseTo(error, 6);
      expect(report.scaledLevels?.levels).toEqual(points);
      expect(weight.values).toEqual(values);
    },
  );

  test('points of weights that were pruned by one threshold are trained', async () => {
    const weights = [kernel(normals(60, 11), 6, 'fc1'), kernel(normals(30, 12), 5, 'fc2')];
    const compressor = createCompressor([{ ...prune, scope: 'model' }, points], weights, options);
    for (const at of [1, 2]) {
      await step(compressor, weights, at);
      await compressor.distort(at);
    }
    await step(compressor, weights, 3);
    expect(weights.flatMap((weight) => [...weight.values]).filter((value) => value === 0)).toHaveLength(45);
    for (const weight of weights) expect(new Set(weight.values).size).toBeLessThanOrEqual(5);
  });

  test('a weight that the threshold of the model makes all zero has no points, and stays zero', async () => {
    const weights = [kernel(normals(60, 11), 6, 'fc1'), kernel(normals(10, 12, 1e-3), 5, 'fc2')];
    const list = [
      { ...prune, scope: 'model' },
      { ...points, schedule: { from: 1 } },
    ] as const;
    const compressor = createCompressor(list, weights, options);
    for (let at = 1; at < options.steps; at++) {
      await step(compressor, weights, at);
      expect(compressor.trained[1].gradient.every((slope) => slope === 0)).toBe(true);
      if (compressor.distortsAfter(at)) await compressor.distort(at);
    }
    const [state, before] = [structuredClone(compressor.state), valuesOf(weights).map((own) => own.slice())];
    await compressor.distort(options.steps);
    expect(weights[1].values.every((value) => value === 0)).toBe(true);
    expect(weights[0].values.filter((value) => value === 0)).toHaveLength(25);
    expect(compressor.sizes(weights)[1].weightsKept).toBe(0);
    const resumed = weights.map((own, i) => ({ ...own, values: before[i].slice() }));
    const second = createCompressor(list, resumed, options);
    compressor.trained.forEach(({ value }, i) => second.trained[i].value.set(value));
    second.restore(state);
    await second.distort(options.steps);
    expect(valuesOf(resumed)).toEqual(valuesOf(weights));
  });

  test('points that would begin while weights are still being pruned are refused', () => {
    const schedule = { initialRate: 0, from: 0, to: 10, exponent: 3 };
    expect(() => createCompressor([{ ...prune, schedule }, points], [kernel(values)], options)).toThrow(
      'compression[1].schedule.from: expected at least 10, the step until which compression[0] compresses fc/kernel further, got 3',
    );
  });

  test.each(['rigl', 'dynamic-surgery'] as const)(
    'points that would begin while masks still change are refused: "%s" without a schedule',
    (policy) => {
      expect(() => createCompressor([{ ...prune, policy }, points], [kernel(values)], options)).toThrow(
        'compression[1].schedule.from: expected at least 100, the step until which compression[0] compresses fc/kernel further, got 3',
      );
    },
  );

  test('points that would begin before noise has been turned into zeros are refused', () => {
    const noisy = { ...prune, policy: 'variational-dropout', layers: { '*': {} } } as WrittenCompression;
    const dense = { ...kernel(values), layerClass: 'Dense' };
    expect(() => createCompressor([noisy, points], [dense], options)).toThrow(
      'compression[1].policy: it would begin before compression[0], by the policy "variational-dropout", has found',
    );
  });

  test.each(['rigl', 'dynamic-surgery'] as const)('points begin at the end of the schedule of "%s"', (policy) => {
    const schedule = { initialRate: 0.5, from: 0, to: 3, exponent: 3 };
    const list = [{ ...prune, policy, schedule }, points];
    expect(() => createCompressor(list, [kernel(values)], options)).not.toThrow();
  });

  test('points of factors are refused, also of factors that are pruned', () => {
    const lowRank = {
      method: 'low-rank',
      policy: 'deeptwist',
      distortEvery: 1,
      layers: { '*': { rank: 2, sharedProjection: false } },
    } as const;
    expect(() => createCompressor([lowRank, points], [kernel(normals(40, 12), 5)], options)).toThrow(
      /compression\[1\]\.policy: "points" works with weights as a whole/,
    );
    expect(() => createCompressor([lowRank, prune, points], [kernel(normals(40, 12), 5)], options)).toThrow(
      /compression\[2\]\.policy: "points" works with weights as a whole, and of fc\/kernel it gets what compression\[0\] leaves/,
    );
  });
});
