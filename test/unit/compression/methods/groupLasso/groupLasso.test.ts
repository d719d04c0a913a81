import { describe, expect, test } from 'vitest';
import { decodePacked, encodePacked } from '../../../../../server/formats/packed/packedFile.ts';
import type { CompressibleWeight } from '../../../../../server/compression/targets/targets.ts';
import { jacobiMapped, jacobiSingularValues } from '../../../linalg/jacobi.ts';
import { createCompressor } from '../../createCompressor.ts';
import { compressions, weight } from '../weights.ts';

const STEPS = 30;
const run = { steps: STEPS, seed: 1 };

const dense = () => [weight('fc1/kernel', [20, 12]), weight('fc1/bias', [12])];
const lstm = () => [
  weight('lstm/kernel', [5, 24], 'LSTM'),
  weight('lstm/recurrent_kernel', [6, 24], 'LSTM'),
  weight('lstm/bias', [24], 'LSTM'),
];

function compressorOf(weights: CompressibleWeight[], ...settings: readonly object[]) {
  const compressor = createCompressor(compressions(...settings), weights, run);
  compressor.learningRate = 0.5;
  return compressor;
}

const groups = (settings: object) => ({ method: 'group-lasso', ...settings });

/** The numbers of a unit, of weights whose last axis is the units, or several times that. */
function unitOf(weights: readonly CompressibleWeight[], units: number, unit: number): number[] {
  return weights.flatMap(({ values }) => Array.from(values).filter((_, i) => i % units === unit));
}

/** The formula of the paper for one unit, in float64. */
function shrunk(unit: readonly number[], threshold: number, alpha: number): number[] {
  const z = unit.map((value) => Math.sign(value) * Math.max(Math.abs(value) - threshold * alpha, 0));
  const norm = Math.hypot(...z);
  const factor = norm === 0 ? 0 : Math.max(1 - (threshold * (1 - alpha) * Math.sqrt(unit.length)) / norm, 0);
  return z.map((value) => factor * value);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expect(Math.max(...expected.map((value, i) => Math.abs(actual[i] - value)))).toBeLessThan(1e-5);
}

describe('a proximal step', () => {
  test.each([
    ['a dense layer', dense, 12],
    ['an LSTM', lstm, 6],
    ['a convolution', () => [weight('conv/kernel', [3, 3, 2, 5], 'Conv2D'), weight('conv/bias', [5])], 5],
  ])('shrinks the units of %s with their biases, by the learning rate times lambda', async (_, model, units) => {
    const weights = model();
    const compressor = compressorOf(weights, groups({ layers: { '*': { lambda: 1.5, alpha: 0.2 } } }));
    const before = Array.from({ length: units }, (__, unit) => unitOf(weights, units, unit));
    const [report] = await compressor.distort(10, { bins: 10 });
    before.forEach((unit, i) => expectClose(unitOf(weights, units, i), shrunk(unit, 0.75, 0.2)));
    const left = before.filter((unit) => shrunk(unit, 0.75, 0.2).some((value) => value !== 0)).length;
    expect(report).toMatchObject({ setting: { lambda: 1.5 }, units: { left, all: units } });
  });

  test('takes lambda itself where the threshold is a number', async () => {
    const weights = dense();
    const before = unitOf(weights, 12, 3);
    await compressorOf(weights, groups({ threshold: 'lambda', layers: { fc1: { lambda: 0.3 } } })).distort(10);
    expectClose(unitOf(weights, 12, 3), shrunk(before, 0.3, 0));
  });

  /** Rows are the first axis, as PyTorch has them: the gates one after the other. */
  const ofOnnx = (name: string, shape: readonly number[], of: string, gates: number) => ({
    ...weight(name, shape),
    outputAxis: shape.length > 1 ? 0 : undefined,
    units: { of, gates },
  });
  const rowsOf = (weights: readonly CompressibleWeight[], units: number, unit: number) =>
    weights.flatMap(({ shape, values }) => {
      const width = values.length / shape[0];
      return Array.from(values).filter((_, i) => Math.floor(i / width) % units === unit);
    });

  test('shrinks the units of each layer of an ONNX model by themselves, with the biases that their node takes', async () => {
    const layers = ['first', 'second'].map((of) => [
      ofOnnx(`rnn/weight_ih_${of}`, [20, 5], of, 4),
      ofOnnx(`rnn/weight_hh_${of}`, [20, 5], of, 4),
      ofOnnx(`rnn/bias_ih_${of}`, [20], of, 4),
      ofOnnx(`rnn/bias_hh_${of}`, [20], of, 4),
    ]);
    const conv = [
      ofOnnx('conv/onnx::Conv_193', [8, 3, 3, 3], 'conv', 1),
      ofOnnx('conv/onnx::Conv_194', [8], 'conv', 1),
    ];
    const parts = [...layers.map((own) => [own, 5] as const), [conv, 8] as const];
    const before = parts.map(([own, units]) => Array.from({ length: units }, (_, unit) => rowsOf(own, units, unit)));
    const settings = groups({ layers: { '*': { lambda: 1.5, alpha: 0.2 } } });
    const reports = await compressorOf([...layers.flat(), ...conv], settings).distort(10, { bins: 10 });
    parts.forEach(([own, units], i) => {
      for (let unit = 0; unit < units; unit++)
        expectClose(rowsOf(own, units, unit), shrunk(before[i][unit], 0.75, 0.2));
    });
    expect(reports.map(({ units }) => units?.all)).toEqual([5, 5, 5, 5, 8]);
  });

  test('shrinks the cells of a stacked layer by themselves, one of them without a bias', async () => {
    const cells = [
      weight('rnn/kernel', [4, 12], 'RNN'),
      weight('rnn/recurrent_kernel', [3, 12], 'RNN'),
      weight('rnn/kernel_1', [3, 12], 'RNN'),
      weight('rnn/recurrent_kernel_1', [4, 12], 'RNN'),
      weight('rnn/bias', [12], 'RNN'),
    ];
    const parts = [
      [cells.slice(0, 2), 3],
      [cells.slice(2), 4],
    ] as const;
    const before = parts.map(([own, units]) => Array.from({ length: units }, (_, unit) => unitOf(own, units, unit)));
    await compressorOf(cells, groups({ layers: { rnn: { lambda: 1.5 } } })).distort(10);
    parts.forEach(([own, units], i) => {
      for (let unit = 0; unit < units; unit++) expectClose(unitOf(own, units, unit), shrunk(before[i][unit], 0.75, 0));
    });
  });

  test('takes both rows of the biases of a GRU of Keras', async () => {
    const gru = [
      weight('gru/kernel', [4, 15], 'GRU'),
      weight('gru/recurrent_kernel', [5, 15], 'GRU'),
      weight('gru/bias', [2, 15], 'GRU'),
    ];
    const before = unitOf(gru, 5, 2);
    await compressorOf(gru, groups({ layers: { gru: { lambda: 1 } } })).distort(10);
    expectClose(unitOf(gru, 5, 2), shrunk(before, 0.5, 0));
  });

  test('takes the pointwise kernel of a separable convolution alone, though it has as many filters as channels', async () => {
    const weights = [
      weight('sep/depthwise_kernel', [3, 3, 8, 1], 'SeparableConv2D'),
      weight('sep/pointwise_kernel', [1, 1, 8, 8], 'SeparableConv2D'),
      weight('sep/bias', [8]),
    ];
    const before = weights.map(({ values }) => values.slice());
    await compressorOf(weights, groups({ layers: { 'sep/pointwise_kernel': { lambda: 0.4 } } })).distort(10);
    expect(weights[0].values).toEqual(before[0]);
    const unit = [...before[1].filter((_, i) => i % 8 === 3), before[2][3]];
    expectClose(unitOf(weights.slice(1), 8, 3), shrunk(unit, 0.2, 0));
  });

  test('leaves the layers that it does not name, and their biases', async () => {
    const weights = [...dense(), weight('fc2/kernel', [12, 4]), weight('fc2/bias', [4])];
    const before = weights.slice(2).map(({ values }) => values.slice());
    await compressorOf(weights, groups({ layers: { fc1: { lambda: 1 } } })).distort(10);
    expect(weights.slice(2).map(({ values }) => values)).toEqual(before);
  });

  test('a preview tells what it would do, and changes neither kernel nor bias', async () => {
    const weights = dense();
    const compressor = compressorOf(weights, groups({ layers: { fc1: { lambda: 1.9 } } }));
    const before = weights.map(({ values }) => values.slice());
    const [seen] = await compressor.preview(10, { bins: 10 });
    expect(weights.map(({ values }) => values)).toEqual(before);
    const [done] = await compressor.distort(10, { bins: 10 });
    expect(done).toEqual(seen);
    expect(weights[1].values).not.toEqual(before[1]);
  });
});

describe('what is left', () => {
  test('has no number of a unit that is zero, in the file and in its size', async () => {
    const weights = dense();
    // Half of the units are weak.
    for (const { values } of weights) values.forEach((value, i) => (values[i] = i % 2 === 0 ? value / 100 : value));
    const compressor = compressorOf(weights, groups({ layers: { fc1: { lambda: 0.2 } } }));
    await compressor.distort(STEPS);
    expect(unitOf(weights, 12, 0).every((value) => Object.is(value, 0))).toBe(true);
    const packed = compressor.packed();
    const file = decodePacked(encodePacked(packed)).get('fc1/kernel')!;
    expect(file.rebuild()).toEqual(weights[0].values);
    const [{ weightsKept, bytesKept }] = compressor.sizes(weights);
    expect(weightsKept).toBe(120);
    expect(bytesKept).toBe(packed.get('fc1/kernel')!.sections.reduce((sum, { length }) => sum + length, 0));
  });
});

describe('after the nuclear norm', () => {
  const both = (alpha: number, energy = 1) => [
    { method: 'nuclear-norm', energy, layers: { fc1: { tau: 6 } } },
    groups({ layers: { fc1: { lambda: 0.4, alpha } } }),
  ];

  test('the singular values are thresholded first, then the units of the result are shrunk', async () => {
    const weights = dense();
    const [kernel, bias] = weights.map(({ values }) => Array.from(values));
    const compressor = compressorOf(weights, ...both(0.2));
    const [report] = await compressor.distort(10, { bins: 10 });
    const first = jacobiMapped(kernel, 20, 12, (value) => Math.max(0, value - 3));
    for (let unit = 0; unit < 12; unit++) {
      const ofUnit = [...first.filter((_, i) => i % 12 === unit), bias[unit]];
      expectClose(unitOf(weights, 12, unit), shrunk(ofUnit, 0.2, 0.2));
    }
    expect(report).toMatchObject({ setting: { tau: 6, lambda: 0.4 }, units: { all: 12 } });
    expect(report.nuclearNorm?.threshold).toBeCloseTo(3);
  });

  test('each at its own time, and the log tells of those that were due', async () => {
    const weights = dense();
    const [norm, group] = both(0);
    const compressor = compressorOf(weights, { ...norm, distortEvery: 4 }, { ...group, distortEvery: 2 });
    expect([2, 3, 4].map((step) => compressor.distortsAfter(step))).toEqual([true, false, true]);
    const before = unitOf(weights, 12, 5);
    const [alone] = await compressor.distort(2, { bins: 10 });
    expect(alone.nuclearNorm).toBeUndefined();
    expect(alone.units).toBeDefined();
    expectClose(unitOf(weights, 12, 5), shrunk(before, 0.2, 0));
    const [together] = await compressor.distort(4, { bins: 10 });
    expect(together.nuclearNorm).toBeDefined();
  });

  test('the file has factors of a low rank whose zero units are exactly zero', async () => {
    const weights = dense();
    weights[0].values.set(jacobiMapped(weights[0].values, 20, 12, (value) => (value > 6 ? value : 0.1)));
    for (const { values } of weights) values.forEach((value, i) => (values[i] = i % 12 < 3 ? value / 1000 : value));
    const compressor = compressorOf(weights, ...both(0));
    await compressor.distort(STEPS);
    expect(unitOf(weights, 12, 1).every((value) => value === 0)).toBe(true);
    const rank = jacobiSingularValues(weights[0].values, 20, 12).filter((value) => value > 1e-5).length;
    expect(rank).toBeLessThan(4);
    const file = decodePacked(encodePacked(compressor.packed())).get('fc1/kernel')!;
    expect(file.form).toBe('factors');
    expect(file.rebuild()).toEqual(weights[0].values);
    expect(compressor.sizes(weights)[0].weightsKept).toBe(32 * rank);
  });

  test('the file has the numbers of the units where these are fewer', async () => {
    const weights = dense();
    for (const { values } of weights)
      values.forEach((value, i) => (values[i] = i % 12 > 0 ? value / 1000 : 10 * value));
    const compressor = compressorOf(weights, ...both(0));
    await compressor.distort(STEPS);
    const file = decodePacked(encodePacked(compressor.packed())).get('fc1/kernel')!;
    expect(file.form).toBe('sparse');
    expect(file.rebuild()).toEqual(weights[0].values);
    expect(compressor.sizes(weights)[0].weightsKept).toBe(20);
  });

  test('works on an LSTM of which the nuclear norm has one kernel', async () => {
    const weights = lstm();
    const compressor = compressorOf(
      weights,
      { method: 'nuclear-norm', layers: { 'lstm/kernel': { tau: 2 } } },
      groups({ layers: { lstm: { lambda: 0.1 } } }),
    );
    const reports = await compressor.distort(STEPS, { bins: 10 });
    expect(reports.map(({ nuclearNorm }) => nuclearNorm !== undefined)).toEqual([true, false]);
    expect(reports.map(({ units }) => units?.all)).toEqual([6, 6]);
  });
});

describe('other compressions after it', () => {
  test('quantize what is left, and zeros stay zero', async () => {
    const weights = dense();
    for (const { values } of weights) values.forEach((value, i) => (values[i] = i % 2 === 0 ? value / 100 : value));
    const compressor = compressorOf(weights, groups({ layers: { fc1: { lambda: 0.2 } } }), {
      method: 'quantize',
      distortEvery: 1,
      layers: { fc1: { bits: 2, scales: 'matrix' } },
    });
    await compressor.distort(STEPS);
    const kernel = weights[0].values;
    expect(kernel.filter((value) => value === 0)).toHaveLength(120);
    expect(new Set(kernel.filter((value) => value !== 0)).size).toBe(4);
  });

  test('prune to the rate of the whole weight, and the size is that of all zeros', async () => {
    const weights = dense();
    for (const { values } of weights) values.forEach((value, i) => (values[i] = i % 2 === 0 ? value / 100 : value));
    const compressor = compressorOf(weights, groups({ layers: { fc1: { lambda: 0.2 } } }), {
      method: 'prune',
      distortEvery: 1,
      layers: { fc1: { rate: 0.75 } },
    });
    await compressor.distort(STEPS);
    expect(weights[0].values.filter((value) => value !== 0)).toHaveLength(60);
    const [{ weightsKept, bytesKept }] = compressor.sizes(weights);
    const bytes = compressor
      .packed()
      .get('fc1/kernel')!
      .sections.reduce((sum, { length }) => sum + length, 0);
    expect([weightsKept, bytesKept]).toEqual([60, bytes]);
  });

  test('do not shrink singular values once more where they go on with the factors', async () => {
    const weights = [weight('fc1/kernel', [20, 12])];
    weights[0].values.set(jacobiMapped(weights[0].values, 20, 12, (value) => (value > 6 ? value : 0)));
    const before = jacobiSingularValues(weights[0].values, 20, 12);
    const compressor = compressorOf(
      weights,
      { method: 'nuclear-norm', layers: { fc1: { tau: 1 } } },
      { method: 'quantize', distortEvery: 1, layers: { fc1: { bits: 8 } } },
    );
    await compressor.distort(STEPS);
    const after = jacobiSingularValues(weights[0].values, 20, 12);
    // Codes of 8 bits leave the singular values to within 1%.
    expect(after[0]).toBeGreaterThan(0.99 * (before[0] - 0.5));
    expect(compressor.packed().get('fc1/kernel')!.form).toBe('factors-coded');
  });
});

describe('refused at its place is', () => {
  const refusal = (weights: CompressibleWeight[], layers: object) => () => compressorOf(weights, groups({ layers }));
  const strength = { lambda: 1 };

  test('a depthwise kernel, embeddings and a bias', () => {
    const depthwise = [weight('dw/depthwise_kernel', [3, 3, 4, 2], 'DepthwiseConv2D')];
    expect(refusal(depthwise, { dw: strength })).toThrow('names dw/depthwise_kernel, which "group-lasso" cannot take');
    const ofOnnx = [{ ...weight('dw/weight', [4, 1, 3, 3]), outputAxis: 0, kind: 'depthwise_kernel' as const }];
    expect(refusal(ofOnnx, { dw: strength })).toThrow('names dw/weight, which "group-lasso" cannot take');
    const separable = [
      weight('sep/depthwise_kernel', [3, 3, 8, 1], 'SeparableConv2D'),
      weight('sep/pointwise_kernel', [1, 1, 8, 8], 'SeparableConv2D'),
    ];
    expect(refusal(separable, { sep: strength })).toThrow(
      'names sep/depthwise_kernel, which "group-lasso" cannot take',
    );
    const words = [weight('words/embeddings', [30, 7], 'Embedding')];
    expect(refusal(words, { words: strength })).toThrow('the rows of embeddings are words, and no output units');
    expect(refusal(dense(), { 'fc1/bias': strength })).toThrow('matches only fc1/bias, which cannot be compressed');
  });

  test('a part of a recurrent layer, or parts with different strengths', () => {
    expect(refusal(lstm(), { 'lstm/kernel': strength })).toThrow(
      'compression[0].layers.lstm/kernel: names lstm/kernel without lstm/recurrent_kernel, and the units of lstm are rows of both',
    );
    expect(refusal(lstm(), { lstm: strength, 'lstm/kernel': { lambda: 2 } })).toThrow('other strengths than');
  });

  test('low rank that is to follow it, and the nuclear norm', () => {
    const after = (settings: object) => () =>
      compressorOf(dense(), groups({ layers: { fc1: strength } }), { distortEvery: 1, ...settings });
    const reason = 'fc1/kernel is compressed by compression[0] before';
    expect(after({ method: 'low-rank', layers: { fc1: { rank: 2 } } })).toThrow(reason);
    expect(after({ method: 'nuclear-norm', layers: { fc1: { tau: 2 } } })).toThrow(reason);
  });

  test.each([
    [
      { layers: { fc1: { lambda: -0.1 } } },
      'compression[0].layers.fc1.lambda: expected a number of at least 0, got -0.1',
    ],
    [{ layers: { fc1: { lambda: 1, alpha: 1.2 } } }, 'compression[0].layers.fc1.alpha: expected'],
    [{ layers: { fc1: { lambda: 1, alpha: -1 } } }, 'compression[0].layers.fc1.alpha: expected'],
    [{ layers: { fc1: {} } }, 'compression[0].layers.fc1.lambda: missing'],
    [{ policy: 'gradual-mask', layers: { fc1: { lambda: 1 } } }, 'compression[0].policy: "gradual-mask" works with'],
  ])('%o', (settings, message) => {
    expect(() => compressions(groups(settings))).toThrow(message);
  });
});
