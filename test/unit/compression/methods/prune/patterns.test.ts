/** @file Patterns, scopes and criteria of pruning, as a compressor applies them to weights. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Compressor } from '../../../../../server/compression/compressor.ts';
import { planCompression } from '../../../../../server/compression/plan.ts';
import type { PolicyId } from '../../../../../server/protocol/experiment/schema.ts';
import { createCompressor, planned, type WrittenCompression } from '../../createCompressor.ts';
import { trainedWeight, trainOnNoise, type TrainedWeight } from '../../trainedWeight.ts';

type Pruning = Extract<WrittenCompression, { method: 'prune' }>;

const run = { steps: 95, seed: 1 };
const common = { method: 'prune', distortEvery: 10 } as const;
const zeros = (values: Float32Array) => values.filter((value) => value === 0).length;
const copy = (weights: readonly TrainedWeight[]) =>
  weights.map((one) => ({ ...one, values: one.values.slice(), gradient: one.gradient.slice() }));

const dense = () => [trainedWeight('fc1/kernel', [20, 10], 1), trainedWeight('fc2/kernel', [10, 5], 3, 0.1)];
const lstm = () => [trainedWeight('lstm/kernel', [6, 20], 1), trainedWeight('lstm/recurrent_kernel', [5, 20], 2)];

async function distorted(weights: readonly TrainedWeight[], compression: Omit<Pruning, 'method' | 'distortEvery'>) {
  const compressor = createCompressor({ ...common, ...compression }, weights, run);
  await compressor.distort(95);
  return compressor;
}

describe('scope: model', () => {
  test('has one threshold for all layers, and the rate over all of them', async () => {
    const weights = dense();
    const all = weights.flatMap(({ values }) => [...values].map(Math.abs)).sort((a, b) => a - b);
    await distorted(weights, { scope: 'model', layers: { 'fc*': { rate: 0.6 } } });
    expect(zeros(weights[0].values) + zeros(weights[1].values)).toBe(150);
    for (const { values } of weights)
      for (const value of values) if (value !== 0) expect(Math.abs(value)).toBeGreaterThanOrEqual(all[150]);
    // The weights of fc2 are a tenth of those of fc1.
    expect(zeros(weights[1].values)).toBeGreaterThan(45);
    expect(zeros(weights[0].values)).toBeLessThan(105);
  });

  test('keeps one unit of a layer that would lose all', async () => {
    const weights = dense();
    await distorted(weights, { scope: 'model', layers: { 'fc*': { rate: 0.7, pattern: 'unit' } } });
    const unitsOf = ({ values }: TrainedWeight, units: number) =>
      Array.from({ length: units }, (_, unit) => values.filter((_, i) => i % units === unit)).filter(
        (own) => zeros(own) < own.length,
      ).length;
    expect(unitsOf(weights[1], 5)).toBe(1);
    // 175 weights may go: 4 units of 10, and 6 of 20.
    expect(unitsOf(weights[0], 10)).toBe(4);
  });

  test('names the rate of the whole for each weight', async () => {
    const weights = dense();
    const compressor = await distorted(weights, { scope: 'model', layers: { 'fc*': { rate: 0.6 } } });
    for (const target of compressor.targets) expect(compressor.settingAt(target, 95)).toEqual({ rate: 0.6 });
  });
});

describe('unit', () => {
  test('a unit of an LSTM goes with all its gates, in both kernels', async () => {
    const weights = lstm();
    await distorted(weights, { layers: { lstm: { rate: 0.45, pattern: 'unit' } } });
    const gone = weights.map(({ values }) =>
      Array.from({ length: 20 }, (_, column) => values.filter((_, i) => i % 20 === column).every((w) => w === 0)),
    );
    expect(gone[0]).toEqual(gone[1]);
    for (const gate of [0, 1, 2, 3]) expect(gone[0].slice(5 * gate, 5 * gate + 5)).toEqual(gone[0].slice(0, 5));
    expect(gone[0].slice(0, 5).filter((isGone) => isGone)).toHaveLength(2);
  });

  test('a unit of a recurrent layer of ONNX goes with all its gates, in both kernels, and in each layer by itself', async () => {
    const layers = ['first', 'second'].map((of, i) =>
      ['ih', 'hh'].map((name, j) => ({
        ...trainedWeight(`rnn/weight_${name}_l${i}`, [20, 5], 10 * i + j + 1),
        outputAxis: 0,
        units: { of, gates: 4 },
      })),
    );
    await distorted(layers.flat(), { layers: { rnn: { rate: 0.4, pattern: 'unit' } } });
    const gone = layers.map((own) =>
      own.map(({ values }) =>
        Array.from({ length: 20 }, (_, row) => values.subarray(5 * row, 5 * row + 5).every((w) => w === 0)),
      ),
    );
    for (const [ih, hh] of gone) {
      expect(ih).toEqual(hh);
      for (const gate of [0, 1, 2, 3]) expect(ih.slice(5 * gate, 5 * gate + 5)).toEqual(ih.slice(0, 5));
      expect(ih.slice(0, 5).filter((isGone) => isGone)).toHaveLength(2);
    }
    expect(gone[0]).not.toEqual(gone[1]);
  });

  test('a kernel alone loses the units of its own', async () => {
    const weights = lstm();
    await distorted(weights, { layers: { 'lstm/kernel': { rate: 0.6, pattern: 'unit' } } });
    expect(zeros(weights[0].values)).toBe(72);
    expect(zeros(weights[1].values)).toBe(0);
  });
});

describe('N:M', () => {
  test('has its rate from the first distortion on, however the schedule rises', async () => {
    const weights = dense();
    const schedule = { from: 20, to: 60 };
    const compressor = createCompressor({ ...common, layers: { fc1: { pattern: '2:4' } }, schedule }, weights, run);
    await trainOnNoise(compressor, weights, { from: 1, to: 20, deviation: 0.3 });
    expect(zeros(weights[0].values)).toBe(100);
    expect([19, 20, 95].map((step) => compressor.settingAt(compressor.targets[0], step))).toEqual([
      { rate: 0 },
      { rate: 0.5 },
      { rate: 0.5 },
    ]);
  });
});

describe('a convolution of ONNX is pruned as the same one of TensorFlow.js', () => {
  const [height, width, channels, filters] = [3, 2, 8, 6];
  type Place = readonly [h: number, w: number, channel: number, filter: number];
  const indexIn =
    (shape: readonly number[], axes: (place: Place) => readonly number[]) =>
    (place: Place): number =>
      axes(place).reduce((index, at, axis) => index * shape[axis] + at, 0);
  const layouts = {
    Conv: {
      tfjs: {
        layerClass: 'Conv2D',
        axes: ([h, w, c, f]: Place) => [h, w, c, f],
        shape: [height, width, channels, filters],
      },
      onnx: {
        outputAxis: 0,
        channelAxis: 1,
        axes: ([h, w, c, f]: Place) => [f, c, h, w],
        shape: [filters, channels, height, width],
      },
    },
    ConvTranspose: {
      tfjs: {
        layerClass: 'Conv2DTranspose',
        axes: ([h, w, c, f]: Place) => [h, w, f, c],
        shape: [height, width, filters, channels],
      },
      onnx: {
        outputAxis: 1,
        channelAxis: 0,
        axes: ([h, w, c, f]: Place) => [c, f, h, w],
        shape: [channels, filters, height, width],
      },
    },
  };

  test.each(
    Object.entries(layouts).flatMap(([op, layout]) =>
      [
        { pattern: '2:4' as const },
        { pattern: '3:5' as const },
        { pattern: 'block' as const, block: [2, 4] as [number, number], rate: 0.5 },
        { pattern: 'block' as const, block: [1, 5] as [number, number], rate: 0.3 },
        { pattern: 'unit' as const, rate: 0.5 },
      ].map((layer) => ({ op, layout, layer })),
    ),
  )('$op: $layer', async ({ layout: { tfjs, onnx }, layer }) => {
    const { axes: ofTfjs, ...one } = tfjs;
    const { axes: ofOnnx, ...other } = onnx;
    const expected = { ...trainedWeight('conv/kernel', tfjs.shape, 1), ...one };
    const actual = { ...trainedWeight('conv/weight', onnx.shape, 2), ...other };
    const pairs: [number, number][] = [];
    for (let h = 0; h < height; h++)
      for (let w = 0; w < width; w++)
        for (let c = 0; c < channels; c++)
          for (let f = 0; f < filters; f++)
            pairs.push([indexIn(tfjs.shape, ofTfjs)([h, w, c, f]), indexIn(onnx.shape, ofOnnx)([h, w, c, f])]);
    for (const [from, to] of pairs) actual.values[to] = expected.values[from];
    for (const weight of [expected, actual]) await distorted([weight], { layers: { conv: layer } });
    expect(zeros(expected.values)).toBeGreaterThan(40);
    for (const [from, to] of pairs) expect(actual.values[to]).toBe(expected.values[from]);
  });
});

const patterns: Record<string, Omit<Pruning, 'method' | 'distortEvery'>> = {
  element: { layers: { '*': { rate: 0.7 } } },
  '2:4': { layers: { '*': { pattern: '2:4' } } },
  block: { layers: { '*': { rate: 0.7, pattern: 'block', block: [2, 3] } } },
  unit: { layers: { '*': { rate: 0.6, pattern: 'unit' } } },
  'the whole model': { scope: 'model', layers: { '*': { rate: 0.7 } } },
  'units of the whole model': { scope: 'model', layers: { '*': { rate: 0.6, pattern: 'unit' } } },
};

describe.each(Object.entries(patterns))('%s', (_, compression) => {
  test('distorting again changes nothing', async () => {
    const weights = [...dense(), ...lstm()];
    const compressor = await distorted(weights, compression);
    const once = copy(weights);
    await compressor.distort(95);
    expect(weights.map(({ values }) => values)).toEqual(once.map(({ values }) => values));
  });

  test('as many entries become zero as a unit tells, and no more', async () => {
    const weights = [...dense(), ...lstm()];
    const total = weights.reduce((sum, { values }) => sum + values.length, 0);
    await distorted(weights, compression);
    const pruned = weights.reduce((sum, { values }) => sum + zeros(values), 0);
    const rate = 'pattern' in compression.layers['*'] && compression.layers['*'].pattern === '2:4' ? 0.5 : 0.7;
    expect(pruned).toBeLessThanOrEqual(Math.floor(rate * total));
    expect(pruned).toBeGreaterThan(0.4 * total);
  });

  test.each(['magnitude', 'movement', 'taylor'] as const)(
    'a mask by %s holds what a distortion made zero',
    async (criterion) => {
      const weights = [...dense(), ...lstm()];
      const schedule = { from: 20, to: 60 };
      const masked = { ...common, ...compression, criterion, schedule, policy: 'gradual-mask' as const };
      const compressor = createCompressor(masked, weights, run);
      await trainOnNoise(compressor, weights, { from: 1, to: 60, deviation: 0.3 });
      const where = weights.map(({ values }) => [...values.keys()].filter((i) => values[i] === 0));
      expect(where.flat().length).toBeGreaterThan(100);
      await trainOnNoise(compressor, weights, { from: 61, to: 94, deviation: 0.3 });
      expect(weights.map(({ values }) => [...values.keys()].filter((i) => values[i] === 0))).toEqual(where);
    },
  );

  test.each(['deeptwist', 'gradual-mask', 'one-shot', 'straight-through'] as const)(
    'a run under %s that goes on from a checkpoint ends the same, by any criterion',
    async (policy: PolicyId) => {
      for (const criterion of ['magnitude', 'movement', 'taylor'] as const) {
        const settings = { ...common, ...compression, criterion, policy, schedule: { from: 20, to: 60 } };
        const weights = [...dense(), ...lstm()];
        const compressor = createCompressor(settings, weights, run);
        await trainOnNoise(compressor, weights, { from: 1, to: 43, deviation: 0.3 });
        const state = structuredClone(compressor.state);
        const resumed = copy(weights);
        const second = createCompressor(settings, resumed, run);
        second.restore(state);
        await trainOnNoise(compressor, weights, { from: 44, to: 95, deviation: 0.3 });
        await trainOnNoise(second, resumed, { from: 44, to: 95, deviation: 0.3 });
        expect(resumed.map(({ values }) => values)).toEqual(weights.map(({ values }) => values));
        expect(second.state).toEqual(compressor.state);
      }
    },
  );
});

describe('criteria', () => {
  const few = () => [trainedWeight('fc1/kernel', [4, 1], 1)];
  const step = async (
    compressor: Compressor,
    [{ values, gradient }]: readonly TrainedWeight[],
    w: number[],
    g: number[],
  ) => {
    values.set(w);
    gradient.set(g);
    await compressor.pull();
  };

  test('movement sums -w dL/dw: what moves towards zero goes, large or small', async () => {
    const weights = few();
    const compressor = createCompressor(
      { ...common, criterion: 'movement', layers: { fc1: { rate: 0.5 } } },
      weights,
      run,
    );
    await step(compressor, weights, [3, -2, 0.1, -0.1], [1, 0.5, -1, 2]);
    await step(compressor, weights, [3, -2, 0.1, -0.1], [1, -0.5, -1, 2]);
    // Sums: -6, 0, 0.2, 0.4.
    await compressor.distort(95);
    expect(weights[0].values).toEqual(Float32Array.of(0, 0, 0.1, -0.1));
  });

  test('taylor is the mean of |w dL/dw|, whatever its sign', async () => {
    const weights = few();
    const compressor = createCompressor(
      { ...common, criterion: 'taylor', layers: { fc1: { rate: 0.5 } } },
      weights,
      run,
    );
    await step(compressor, weights, [3, -2, 0.1, -0.1], [0.01, -0.5, -1, 20]);
    await compressor.distort(95);
    expect(weights[0].values).toEqual(Float32Array.of(0, -2, 0, -0.1));
    const scores = compressor.state['score:fc1/kernel'];
    [0.03, 1, 0.1, 2].forEach((product, i) => expect(scores[i]).toBeCloseTo(0.01 * product, 7));
    await step(compressor, weights, [3, -2, 0.1, -0.1], [0, 0, 0, 0]);
    [0.03, 1, 0.1, 2].forEach((product, i) => expect(scores[i]).toBeCloseTo(0.99 * 0.01 * product, 7));
  });

  test('the scores are those of the weights as they are trained, also where the model computes with others', async () => {
    const weights = few();
    const settings = {
      ...common,
      policy: 'straight-through',
      criterion: 'movement',
      layers: { fc1: { rate: 0.5 } },
    } as const;
    const compressor = createCompressor(settings, weights, run);
    weights[0].values.set([1, 2, 3, 4]);
    await compressor.beforeStep(1);
    // Without a gradient yet, by magnitude.
    expect([...weights[0].values]).toEqual([0, 0, 3, 4]);
    weights[0].gradient.fill(-1);
    await compressor.pull();
    expect(compressor.state['score:fc1/kernel']).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  test('a weight that is not trained is an error at its key', () => {
    const { gradient, ...frozen } = trainedWeight('fc1/kernel', [4, 1], 1);
    expect(gradient).toHaveLength(4);
    expect(() =>
      createCompressor({ ...common, criterion: 'taylor', layers: { 'f*': { rate: 0.5 } } }, [frozen], run),
    ).toThrow('compression.layers.f*: fc1/kernel has no gradient to choose by: the model does not train this weight');
  });

  test('the gradient of an embedding is asked for as a whole, not as rows', () => {
    const words = trainedWeight('words/embeddings', [5, 2], 1);
    const planOf = (criterion: 'magnitude' | 'taylor') =>
      planCompression(planned({ ...common, criterion, layers: { words: { rate: 0.5 } } }), [words], run);
    expect([planOf('magnitude').denseGradients, planOf('taylor').denseGradients]).toEqual([false, true]);
  });
});

describe.each(['gradual-mask', 'dynamic-surgery', 'rigl'] as const)('under %s', (policy) => {
  test.each(['magnitude', 'movement', 'taylor'] as const)(
    'the last distortion by %s cuts what is masked first: no more than the rate asks for or the mask has',
    async (criterion) => {
      const schedule = { from: 10, to: 60 };
      const quantization = { method: 'quantize', distortEvery: 30, layers: { '*': { bits: 2 } } } as const;
      for (const { pattern, asked, floor } of [
        { pattern: { rate: 0.8 }, asked: 160, floor: 160 },
        { pattern: { rate: 0.8, pattern: 'block', block: [2, 5] }, asked: 160, floor: 160 },
        { pattern: { rate: 0.85, pattern: 'unit' }, asked: 170, floor: 160 },
      ] as const)
        for (const further of [[], [quantization]]) {
          const weights = [trainedWeight('fc1/kernel', [20, 10], 1)];
          const pruning = {
            ...common,
            policy,
            criterion,
            schedule,
            layers: { '*': { ...pattern } },
          } as WrittenCompression;
          const compressor = createCompressor([pruning, ...further], weights, run);
          await trainOnNoise(compressor, weights, { from: 1, to: 95, deviation: 0.3 });
          const masked = compressor.state['fc1/kernel/mask'].filter((mark) => mark === 0).length;
          expect(masked).toBeGreaterThan(60);
          const gone = compressor.sizes(weights)[0].weights - compressor.sizes(weights)[0].weightsKept;
          expect(gone).toBeGreaterThanOrEqual(Math.max(masked, floor));
          expect(gone).toBeLessThanOrEqual(Math.max(masked, asked));
        }
    },
  );
});

describe('what does not fit a weight is an error at its setting', () => {
  const create = (layer: Pruning['layers'][string]) => () =>
    createCompressor({ ...common, layers: { fc2: layer } }, dense(), run);

  test('groups that are longer than a row', () => {
    expect(create({ pattern: '4:16' })).toThrow(
      'compression.layers.fc2.pattern: a row of fc2/kernel has 10 weights: expected groups of at most 10, got 16',
    );
  });

  test.each([[[6, 1]], [[1, 11]]] as [number, number][][])('a block of %j', (block) => {
    expect(create({ pattern: 'block', rate: 0.5, block })).toThrow(
      `compression.layers.fc2.block: fc2/kernel is a [5, 10] matrix: expected a block within it, got [${block.join(', ')}]`,
    );
  });
});

describe('in a list of compressions', () => {
  const quantize = (layer: string) =>
    ({ method: 'quantize', distortEvery: 10, layers: { [layer]: { bits: 1, scales: 'matrix' } } }) as const;
  const lowRank = { method: 'low-rank', distortEvery: 10, layers: { 'fc*': { rank: 3 } } } as const;

  test.each(Object.entries(patterns))(
    'what is pruned is quantized further, and zeros stay: %s',
    async (_, compression) => {
      const weights = [...dense(), ...lstm()];
      const compressor = createCompressor([{ ...common, ...compression }, quantize('*')], weights, run);
      const alone = copy(weights);
      await createCompressor({ ...common, ...compression }, alone, run).distort(95);
      await compressor.distort(95);
      weights.forEach(({ values }, i) => {
        values.forEach((value, j) => expect(value === 0).toBe(alone[i].values[j] === 0));
        // All weights of a small layer can be below the threshold of the model.
        expect(new Set(values).size).toBe(values.some((value) => value !== 0) ? 3 : 1);
      });
    },
  );

  test('weights under one threshold are quantized all or none', () => {
    const together = { ...common, scope: 'model', layers: { 'fc*': { rate: 0.5 } } } as const;
    expect(() => createCompressor([together, quantize('fc2')], dense(), run)).toThrow(
      'compression[1].layers.fc2: fc2/kernel is compressed together with fc1/kernel, which is not named here',
    );
  });

  test('factors are pruned by their values, also two of four, and by neither gradients nor a common threshold', async () => {
    const weights = dense();
    await createCompressor([lowRank, { ...common, layers: { 'fc*': { pattern: '2:4' } } }], weights, run).distort(95);
    const refused = 'compression[1].layers.fc*: "prune" with these settings needs all of fc1/kernel';
    for (const settings of [{ criterion: 'taylor' }, { scope: 'model' }] as const)
      expect(() =>
        createCompressor([lowRank, { ...common, ...settings, layers: { 'fc*': { rate: 0.5 } } }], dense(), run),
      ).toThrow(refused);
  });
});

test('whatever the pattern and the policy, weights are never more than pruned: those that stay are as they were', async () => {
  const anyPattern = fc.constantFrom(...Object.values(patterns));
  await fc.assert(
    fc.asyncProperty(anyPattern, fc.integer({ min: 1, max: 1000 }), async (compression, seed) => {
      const weights = [trainedWeight('fc1/kernel', [9, 7], seed), trainedWeight('fc2/kernel', [7, 6], seed + 1)];
      const before = copy(weights);
      await distorted(weights, compression);
      weights.forEach(({ values }, i) =>
        values.forEach((value, j) => expect(value === 0 || value === before[i].values[j]).toBe(true)),
      );
    }),
    { numRuns: 40 },
  );
});
