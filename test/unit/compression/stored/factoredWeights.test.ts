import { describe, expect, test } from 'vitest';
import { Compressor } from '../../../../server/compression/compressor.ts';
import { planCompression } from '../../../../server/compression/plan.ts';
import { createCompressor, planned } from '../createCompressor.ts';
import { Random } from '../../../../server/formats/random.ts';
import type { TrainedWeight } from '../trainedWeight.ts';
import { trainStopped } from './stopped.ts';

/** Products in double precision, row by row: an independent reference. */
type Matrix = readonly (readonly number[])[];
const transposed = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));
const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => transposed(b).map((column) => row.reduce((sum, value, i) => sum + value * column[i], 0)));
const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((value, j) => value + b[i][j]));
const matrix = (values: Float32Array, columns: number): Matrix =>
  Array.from({ length: values.length / columns }, (_, i) => [...values.subarray(i * columns, (i + 1) * columns)]);

const UNITS = 5;
const INPUTS = 7;
const RANK = 2;
const options = { steps: 100, seed: 1 };

/** Weights of one LSTM, and the kernel of the next, which takes its output. */
function lstm(): { kernel: TrainedWeight; recurrent: TrainedWeight; next: TrainedWeight } {
  const random = new Random(3);
  const weight = (name: string, rows: number, layer = 'lstm'): TrainedWeight => {
    const values = Float32Array.from({ length: rows * 4 * UNITS }, () => random.uniform() - 0.5);
    const gradient = new Float32Array(values.length);
    return {
      name: `${layer}/${name}`,
      layer,
      weight: name,
      layerClass: 'LSTM',
      shape: [rows, 4 * UNITS],
      values,
      gradient,
    };
  };
  return {
    kernel: weight('kernel', INPUTS),
    recurrent: weight('recurrent_kernel', UNITS),
    next: { ...weight('kernel', UNITS, 'lstm2'), inputLayer: 'lstm' },
  };
}

function compressorOf(weights: readonly TrainedWeight[], { sharedProjection = false, rank = RANK } = {}) {
  const layers = { 'lstm*': { rank, sharedProjection } };
  return createCompressor({ method: 'low-rank', policy: 'factors', distortEvery: 1, layers }, weights, options);
}

/** One step in which the optimizer adds the gradients that it finds to what it trains. */
async function step(
  compressor: ReturnType<typeof compressorOf>,
  weights: readonly TrainedWeight[],
  at: number,
): Promise<void> {
  await compressor.beforeStep(at);
  for (const { gradient } of weights) gradient.forEach((_, i) => (gradient[i] = Math.sin(i + at) / 10));
  await compressor.pull();
  for (const { value, gradient } of compressor.trained) gradient.forEach((change, i) => (value[i] += change));
  await compressor.push();
}

const gradientOf = ({ values }: TrainedWeight, at: number): Matrix =>
  matrix(
    values.map((_, i) => Math.sin(i + at) / 10),
    4 * UNITS,
  );

/** Float32 products of at most 20 terms of about 1. */
const expectNear = (values: Float32Array, expected: Matrix) =>
  expected.flat().forEach((value, i) => expect(values[i]).toBeCloseTo(value, 5));

describe('factors', () => {
  test('are new for the optimizer in the step that truncates', () => {
    const { kernel } = lstm();
    const written = {
      method: 'low-rank',
      policy: 'factors',
      distortEvery: 1,
      layers: { lstm: { rank: RANK } },
    } as const;
    const compressor = createCompressor({ ...written, schedule: { from: 21 } }, [kernel], options);
    expect(compressor.trained.map(({ stepsBefore }) => stepsBefore)).toEqual([20, 20]);
  });

  test('are trained by their own gradients, dW R and L dW, from the truncated weight on', async () => {
    const { kernel } = lstm();
    const compressor = compressorOf([kernel]);
    await compressor.beforeStep(1);
    const form = compressor.compressed.get('lstm/kernel');
    if (form?.form !== 'factors') throw new Error('The weight was not truncated.');
    let [left, right] = [matrix(form.left, RANK), matrix(form.right, 4 * UNITS)];
    expectNear(kernel.values, product(left, right));
    for (const at of [1, 2, 3]) {
      const gradient = gradientOf(kernel, at);
      const changes = [product(gradient, transposed(right)), product(transposed(left), gradient)];
      await step(compressor, [kernel], at);
      [left, right] = [plus(left, changes[0]), plus(right, changes[1])];
      expectNear(kernel.values, product(left, right));
    }
  });

  test('of a shared projection get the sum of the gradients of both weights', async () => {
    const { recurrent, next } = lstm();
    const weights = [recurrent, next];
    const compressor = compressorOf(weights, { sharedProjection: true });
    await compressor.beforeStep(1);
    const forms = weights.map(({ name }) => compressor.compressed.get(name)!);
    const [of, and] = forms.map((form) => (form.form === 'factors' ? matrix(form.right, 4 * UNITS) : []));
    const left = forms[1].form === 'factors' ? matrix(forms[1].left, RANK) : [];
    const [ofRecurrent, ofNext] = weights.map((weight) => gradientOf(weight, 1));
    await step(compressor, weights, 1);
    const changed = plus(left, plus(product(ofRecurrent, transposed(of)), product(ofNext, transposed(and))));
    expectNear(recurrent.values, product(changed, plus(of, product(transposed(left), ofRecurrent))));
    expectNear(next.values, product(changed, plus(and, product(transposed(left), ofNext))));
  });

  test.each([false, true])(
    'go on from a checkpoint as if there had been none; shared: %s',
    async (sharedProjection) => {
      const training = {
        make: () => Object.values(lstm()),
        compressorOf: (weights: readonly TrainedWeight[]) => compressorOf(weights, { sharedProjection }),
        step,
      };
      const { whole, resumed } = await trainStopped(training, { at: 3, end: 6 });
      expect(resumed.map(({ values }) => values)).toEqual(whole.map(({ values }) => values));
    },
  );

  test('end as the compressed form of the last distortion', async () => {
    const { kernel } = lstm();
    const compressor = compressorOf([kernel]);
    for (const at of [1, 2, 3]) await step(compressor, [kernel], at);
    const before = matrix(kernel.values, 4 * UNITS);
    await compressor.distort(options.steps);
    expectNear(kernel.values, before);
    expect(compressor.sizes([kernel])[0].weightsKept).toBe(RANK * (INPUTS + 4 * UNITS));
  });

  test('are trained of a rank at which they are larger than the weight, and where the output axis is in the middle', async () => {
    const { kernel } = lstm();
    const transposed = {
      ...kernel,
      name: 'lstm/transposed',
      shape: [7, 4, 5],
      layerClass: 'Conv1DTranspose',
      weight: 'kernel',
    };
    for (const [weight, rank] of [
      [kernel, 6],
      [transposed, 4],
    ] as const) {
      const compressor = compressorOf([weight], { rank });
      await step(compressor, [weight], 1);
      const before = weight.values.slice();
      await compressor.distort(options.steps);
      before.forEach((value, i) => expect(weight.values[i]).toBeCloseTo(value, 4));
    }
  });

  test('begin at the first step of the schedule; until then the weight itself is trained', async () => {
    const { kernel } = lstm();
    const layers = { 'lstm*': { rank: RANK, sharedProjection: false } };
    const settings = { method: 'low-rank', policy: 'factors', distortEvery: 1, layers } as const;
    const fromTheStart = planCompression(planned(settings), [kernel], options);
    expect([...fromTheStart.replaced]).toEqual(['lstm/kernel']);
    const plan = planCompression(planned({ ...settings, schedule: { from: 3 } }), [kernel], options);
    expect([...plan.replaced]).toEqual([]);
    const compressor = new Compressor(plan, [kernel]);
    const before = kernel.values.slice();
    const gradients = () => compressor.trained.flatMap(({ gradient }) => [...gradient]);
    for (const at of [1, 2]) await step(compressor, [kernel], at);
    expect(kernel.values).toEqual(before);
    expect(gradients().every((value) => value === 0)).toBe(true);
    expect(compressor.state).toEqual({});
    await step(compressor, [kernel], 3);
    expect(kernel.values).not.toEqual(before);
    expect(gradients().every((value) => value === 0)).toBe(false);
    expect(Object.keys(compressor.state)).toEqual(expect.arrayContaining(['lstm/kernel/left', 'lstm/kernel/right']));
  });

  test('of a weight that the model does not train are refused', () => {
    const { gradient: _, ...untrained } = lstm().kernel;
    expect(() => compressorOf([untrained as TrainedWeight])).toThrow(/the model does not train this weight/);
  });
});
