import { describe, expect, test } from 'vitest';
import { decodePacked, encodePacked } from '../../../../../server/formats/packed/packedFile.ts';
import { jacobiMapped, jacobiSingularValues } from '../../../linalg/jacobi.ts';
import { createCompressor } from '../../createCompressor.ts';
import { compressions, weight } from '../weights.ts';

const STEPS = 30;
const run = { steps: STEPS, seed: 1 };

function compressorOf(settings: object, weights = [weight('fc1/kernel', [20, 12]), weight('fc1/bias', [12])]) {
  const compressor = createCompressor(compressions({ method: 'nuclear-norm', ...settings }), weights, run);
  return { compressor, weights };
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-5): void {
  expect(Math.max(...expected.map((value, i) => Math.abs(actual[i] - value)))).toBeLessThan(tolerance);
}

const soft = (threshold: number) => (value: number) => Math.max(0, value - threshold);

describe('a proximal step', () => {
  test('takes the learning rate in force times tau off every singular value, and leaves the bias', async () => {
    const { compressor, weights } = compressorOf({ layers: { fc1: { tau: 5 } } });
    const [kernel, bias] = weights.map(({ values }) => values.slice());
    compressor.learningRate = 0.25;
    await compressor.distort(10);
    expectClose(weights[0].values, jacobiMapped(kernel, 20, 12, soft(1.25)));
    expect(weights[1].values).toEqual(bias);
    // The rate has been lowered.
    const before = weights[0].values.slice();
    compressor.learningRate = 0.025;
    await compressor.distort(11);
    expectClose(weights[0].values, jacobiMapped(before, 20, 12, soft(0.125)));
  });

  test('takes tau itself where the threshold is a number, whatever the rate', async () => {
    const { compressor, weights } = compressorOf({ threshold: 'tau', layers: { fc1: { tau: 2 } } });
    const before = weights[0].values.slice();
    compressor.learningRate = 1e-9;
    await compressor.distort(10);
    expectClose(weights[0].values, jacobiMapped(before, 20, 12, soft(2)));
  });

  test.each([
    ['conv/kernel', [3, 3, 2, 5], 'Conv2D', 18, 5],
    ['up/kernel', [2, 3, 5, 4], 'Conv2DTranspose', 5, 24],
    ['words/embeddings', [9, 7], 'Embedding', 9, 7],
  ])('works on the matrix of %s', async (name, shape, layerClass, rows, columns) => {
    const weights = [weight(name, shape, layerClass)];
    const { compressor } = compressorOf({ threshold: 'tau', layers: { '*': { tau: 0.75 } } }, weights);
    const { values } = weights[0];
    // The middle axis of the transposed kernel is its output: [2, 3, 5, 4] is the matrix [5, 2 x 3 x 4].
    const asMatrix = () =>
      layerClass === 'Conv2DTranspose'
        ? Array.from(
            { length: 120 },
            (_, at) => values[Math.floor((at % 24) / 4) * 20 + Math.floor(at / 24) * 4 + (at % 4)],
          )
        : Array.from(values);
    const expected = jacobiMapped(asMatrix(), rows, columns, soft(0.75));
    await compressor.distort(10);
    expectClose(asMatrix(), expected);
  });

  test('with tau 0 leaves every bit', async () => {
    const { compressor, weights } = compressorOf({ layers: { fc1: { tau: 0 } } });
    const before = weights[0].values.slice();
    compressor.learningRate = 1;
    await compressor.distort(10);
    expect(weights[0].values).toEqual(before);
  });

  test('is recorded: rank, sums of the singular values and threshold, and the spectrum has the threshold, too', async () => {
    const { compressor, weights } = compressorOf({ layers: { fc1: { tau: 30 } } });
    const values = jacobiSingularValues(weights[0].values, 20, 12);
    compressor.learningRate = 0.1;
    expect(compressor.thresholdOf(compressor.targets[0])).toBeCloseTo(3);
    const [report] = await compressor.distort(10, { bins: 10 });
    const left = values.filter((value) => value > 3);
    const sum = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0);
    expect(report.nuclearNorm?.rank).toBe(left.length);
    expect(report.nuclearNorm?.before).toBeCloseTo(sum(values), 4);
    expect(report.nuclearNorm?.after).toBeCloseTo(sum(left) - 3 * left.length, 4);
    expect(report.nuclearNorm?.largest).toBeCloseTo(values[0], 4);
    expect(report).toMatchObject({ setting: { tau: 30 }, size: { weightsKept: Math.min(left.length * 32, 240) } });
  });

  test('of weights that are not finite names the weight', async () => {
    const { compressor, weights } = compressorOf({ layers: { fc1: { tau: 1 } } });
    weights[0].values[3] = NaN;
    await expect(compressor.distort(10)).rejects.toThrow('fc1/kernel has no singular values: training has diverged.');
  });
});

describe('the last distortion', () => {
  /** A matrix with the given singular values. */
  function withSpectrum(values: readonly number[]) {
    const kernel = weight('fc1/kernel', [20, 12]);
    let next = 0;
    kernel.values.set(jacobiMapped(kernel.values, 20, 12, () => values[next++]));
    return [kernel];
  }
  const spectrum = [5, 3, 1, 0.5, 0.3, 0.2, 0, 0, 0, 0, 0, 0];

  test.each([
    // Computed with numpy for the project's notes on the paper.
    [0.8, 'values', 2],
    [0.8, 'squares', 2],
    [0.9, 'values', 3],
    [0.9, 'squares', 2],
    [0.95, 'values', 4],
    [0.95, 'squares', 2],
    [1, 'values', 6],
  ])('keeps an energy of %d of the %s in factors, and the weight is what they give', async (energy, energyOf, rank) => {
    const weights = withSpectrum(spectrum);
    const { compressor } = compressorOf({ energy, energyOf, layers: { fc1: { tau: 0 } } }, weights);
    await compressor.distort(STEPS);
    const kept = jacobiSingularValues(weights[0].values, 20, 12).filter((value) => value > 1e-5);
    expect(kept).toHaveLength(rank);
    const file = decodePacked(encodePacked(compressor.packed())).get('fc1/kernel')!;
    expect(file.form).toBe('factors');
    expect(file.rebuild()).toEqual(weights[0].values);
    expect(compressor.sizes(weights)).toMatchObject([{ weightsKept: 32 * rank, bytesKept: 128 * rank }]);
  });

  test('leaves a weight dense whose factors would be more numbers, with all of its energy', async () => {
    const weights = withSpectrum([5, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    const { compressor } = compressorOf({ energy: 0.9, layers: { fc1: { tau: 0 } } }, weights);
    const before = weights[0].values.slice();
    await compressor.distort(STEPS);
    expect(weights[0].values).toEqual(before);
    expect(compressor.packed().get('fc1/kernel')!.form).toBe('dense');
    expect(compressor.sizes(weights)).toMatchObject([{ weightsKept: 240, bytesKept: 960 }]);
  });

  test('counts no rank that is only rounding after many steps', async () => {
    const { compressor, weights } = compressorOf({ threshold: 'tau', layers: { fc1: { tau: 1.5 } } });
    for (let step = 1; step < STEPS; step++) {
      if (step < 4) await compressor.distort(step);
    }
    const left = jacobiSingularValues(weights[0].values, 20, 12).filter((value) => value - 1.5 > 1e-4).length;
    const [report] = await compressor.distort(STEPS, { bins: 10 });
    expect(report.nuclearNorm?.rank).toBe(left);
    expect(report.size?.weightsKept).toBe(32 * left);
  });

  test('leaves nothing of a weight that the threshold has taken all of', async () => {
    const { compressor, weights } = compressorOf({ threshold: 'tau', layers: { fc1: { tau: 1000 } } });
    await compressor.distort(STEPS);
    expect(weights[0].values.every((value) => value === 0)).toBe(true);
    const file = decodePacked(encodePacked(compressor.packed())).get('fc1/kernel')!;
    expect(file.rebuild()).toEqual(weights[0].values);
    expect(compressor.sizes(weights)[0].weightsKept).toBe(0);
  });
});

test('a preview tells what a step would do, and changes nothing', async () => {
  const { compressor, weights } = compressorOf({ layers: { fc1: { tau: 3 } } });
  compressor.learningRate = 1;
  const before = weights.map(({ values }) => values.slice());
  const [seen] = await compressor.preview(10, { bins: 10 });
  expect(weights.map(({ values }) => values)).toEqual(before);
  const [done] = await compressor.distort(10, { bins: 10 });
  expect(done).toEqual(seen);
});

test('nothing but the step is in a checkpoint', async () => {
  const { compressor } = compressorOf({ layers: { fc1: { tau: 3 } } });
  await compressor.distort(10);
  expect(compressor.state).toEqual({});
});

test('a depthwise kernel and a bias are refused', () => {
  const settings = (key: string) => ({ layers: { [key]: { tau: 1 } } });
  const depthwise = [weight('dw/depthwise_kernel', [3, 3, 4, 2], 'DepthwiseConv2D'), weight('dw/bias', [8])];
  expect(() => compressorOf(settings('dw'), depthwise)).toThrow(
    'compression[0].layers.dw: names dw/depthwise_kernel, which "nuclear-norm" cannot take: a depthwise kernel filters each channel by itself',
  );
  expect(() => compressorOf(settings('fc1/bias'))).toThrow('matches only fc1/bias, which cannot be compressed');
});

test.each([
  [{ layers: { fc1: { tau: -1 } } }, 'compression[0].layers.fc1.tau: expected a number of at least 0, got -1'],
  [{ energy: 0, layers: { fc1: { tau: 1 } } }, 'compression[0].energy: expected'],
  [{ energy: 1.5, layers: { fc1: { tau: 1 } } }, 'compression[0].energy: expected'],
  [{ threshold: 0.5, layers: { fc1: { tau: 1 } } }, "compression[0].threshold: expected 'lr*tau' or 'tau', got 0.5"],
  [{ policy: 'straight-through', layers: { fc1: { tau: 1 } } }, 'compression[0].policy: "straight-through" works with'],
  [{ policy: 'gradual-mask', layers: { fc1: { tau: 1 } } }, 'compression[0].policy: "gradual-mask" works with'],
  [{ policy: 'factors', layers: { fc1: { tau: 1 } } }, 'compression[0].policy: "factors" works with'],
])('%o is refused at its place', (settings, message) => {
  expect(() => compressions({ method: 'nuclear-norm', ...settings })).toThrow(message);
});
