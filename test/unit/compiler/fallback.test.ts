import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createExecutor } from '../../../server/compiler/createExecutor.ts';
import { UnsupportedKernel } from '../../../server/compiler/import/kernel.ts';
import { UserError } from '../../../server/protocol/userError.ts';
import type { Program } from '../../../server/compiler/program.ts';
import { compareExecutors } from './compareExecutors.ts';
import { modelProgram, randomBatch, randomizeWeights } from './programs.ts';

const { layers } = tf;
const BATCH = 2;
const options = {
  batchSize: BATCH,
  evaluationBatchSize: BATCH,
  seed: 1,
  threads: 1,
  rowGradients: false,
  stateBytes: () => 0,
};

/** A user's layer that keeps the shape. */
class OwnLayer extends tf.layers.Layer {
  static className = 'OwnLayer';
  readonly #compute: (x: tf.Tensor) => tf.Tensor;

  constructor(name: string, compute: (x: tf.Tensor) => tf.Tensor) {
    super({ name });
    this.#compute = compute;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.#compute([inputs].flat()[0]);
  }
}

const program = (compute: (x: tf.Tensor) => tf.Tensor) => programOf(new OwnLayer('mine', compute));

function programOf(mine: tf.layers.Layer): Program {
  const model = tf.sequential({
    layers: [
      layers.dense({ units: 4, inputShape: [3] }),
      layers.batchNormalization(),
      mine,
      layers.dense({ units: 1 }),
    ],
  });
  return modelProgram(model, (targets, outputs) => tf.mean(tf.square(tf.sub(outputs, targets))), {
    dtype: 'float32',
    shape: [1],
  });
}

const create = (made: Program, kind: 'auto' | 'compiled' | 'eager') =>
  createExecutor(made, kind, import.meta.dirname, { ...options, evaluationBatchSize: options.batchSize });

beforeAll(async () => {
  await tf.setBackend('cpu');
});

let calls = 0;
let own: tf.Variable | undefined;
const outside = tf.variable(tf.scalar(1), false);
const firstFour = (image: tf.Tensor4D) => tf.slice(image, [0, 0, 0, 0], [-1, 2, 2, 1]);

/** Numbers a sample, treated as an image. */
function images(x: tf.Tensor, shape: [number, number, number], compute: (image: tf.Tensor4D) => tf.Tensor): tf.Tensor {
  return tf.reshape(compute(tf.reshape<tf.Rank.R4>(x, [-1, ...shape])), [x.shape[0], -1]);
}

const refused: Record<string, { compute: (x: tf.Tensor) => tf.Tensor; operation: string }> = {
  'an operation without a lowering': {
    operation: 'Dilation2D',
    compute: (x) => images(x, [2, 2, 1], (image) => tf.dilation2d(image, tf.zeros([1, 1, 1]), 1, 'same')),
  },
  'a tensor of random numbers made in JavaScript': {
    operation: 'Math.random',
    compute: (x) => tf.mul(x, tf.tensor1d(Array.from({ length: 4 }, () => Math.random()))),
  },
  'a random number as an argument': {
    operation: 'Math.random',
    compute: (x) => tf.clipByValue(x, -1, 1 + Math.random()),
  },
  // Both recordings take the same branch.
  'a branch on a random number': {
    operation: 'Math.random',
    compute: (x) => (Math.random() < 1e-6 ? tf.zerosLike(x) : tf.mul(x, 2)),
  },
  'random numbers of a distribution that is not known': {
    operation: 'randomGamma',
    compute: (x) => tf.add(x, tf.randomGamma([4], 2)),
  },
  'a single random number': {
    operation: 'randomUniform',
    compute: (x) => tf.mul(x, tf.randomUniform([])),
  },
  'random integers': {
    operation: 'randomUniform',
    compute: (x) => tf.add(x, tf.randomUniform([4], 0, 9, 'int32')),
  },
  'a number that counts towards an argument': {
    operation: 'Clip',
    compute: (x) => tf.clipByValue(x, -1, 1 + calls++),
  },
  'a number that counts the calls': {
    operation: 'tf.tensor',
    compute: (x) => tf.mul(x, calls++),
  },
  'a depthwise convolution of channels first': {
    operation: 'DepthwiseConv2dNative',
    compute: (x) =>
      images(x, [2, 1, 2], (image) => tf.depthwiseConv2d(image, tf.ones([1, 1, 2, 1]), 1, 'valid', 'NCHW')),
  },
  'a convolution that leaves out windows because TensorFlow.js takes its width from its height': {
    operation: 'Conv2D',
    compute: (x) =>
      images(x, [2, 2, 1], (image) => firstFour(tf.conv2d(tf.tile(image, [1, 2, 2, 1]), tf.ones([3, 1, 1, 1]), 1, 0))),
  },
  'an average pooling that rounds its size up': {
    operation: 'AvgPool',
    compute: (x) =>
      images(x, [2, 2, 1], (image) => firstFour(tf.avgPool(tf.tile(image, [1, 2, 2, 1]), 1, 2, 0, 'ceil'))),
  },
  'an attribute of a kernel that the compiler does not know': {
    operation: 'Sigmoid',
    compute: (x) => tf.engine().runKernel('Sigmoid', { x }, { slope: 2 }),
  },
  'an operation that ONNX Runtime does not have for integers': {
    operation: 'Conv',
    compute: (x) => {
      const ones = (...shape: [number, number, number, number, number]) => tf.ones<tf.Rank.R5>(shape, 'int32');
      const counted = tf.conv3d(ones(1, 1, 2, 2, 1), ones(1, 1, 1, 1, 1), 1, 'valid');
      return tf.add(x, tf.reshape(tf.cast(counted, 'float32'), [4]));
    },
  },
  'a variable of its own that it assigns to': {
    operation: 'assign',
    compute: (x) => {
      outside.assign(tf.add(outside, 1));
      return tf.mul(x, outside);
    },
  },
  'a variable of its own that it makes in its first call': {
    operation: 'assign',
    compute: (x) => {
      own ??= tf.variable(tf.scalar(1), false);
      own.assign(tf.mul(own, 0.5));
      return tf.mul(x, own);
    },
  },
  'a look at a value inside the step': {
    operation: 'dataSync',
    compute: (x) => tf.mul(x, x.dataSync()[0] > 0 ? 1 : 2),
  },
};

describe('A layer with', () => {
  it.each(Object.entries(refused))('%s is refused by name', async (_, { compute, operation }) => {
    const error = await create(program(compute), 'compiled').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnsupportedKernel);
    expect(error).toMatchObject({ kernel: operation, layer: 'mine' });
  });

  it.each(Object.entries(refused))('%s is run eagerly, with a warning that names it', async (_, row) => {
    const made = program(row.compute);
    const before = made.weights.map(({ variable }) => variable.dataSync().slice());
    const { executor, parameters, warning } = await create(made, 'auto');
    expect(warning).toContain(`The operation ${row.operation} of the layer 'mine' cannot be compiled: `);
    expect(executor.description).toContain('TensorFlow.js');
    // Neither the trace nor the trial of a backend leaves anything behind.
    expect(parameters.list.map(({ value }) => new Float32Array(value))).toEqual(before);
    const batch = randomBatch(made, BATCH, 1);
    expect(Number.isFinite((await executor.step(batch, 0)).loss)).toBe(true);
    expect(Number.isFinite((await executor.evaluate(batch)).loss)).toBe(true);
    await executor.dispose();
  });

  it.each([
    'a convolution that leaves out windows because TensorFlow.js takes its width from its height',
    'an average pooling that rounds its size up',
  ])('%s is run by the backend that computes all of its result', async (name) => {
    const made = program(refused[name].compute);
    const { executor } = await create(made, 'auto');
    expect(executor.description).toContain('cpu');
    await executor.dispose();
  });

  it('a field that counts its calls is refused by name: it may branch on it after many steps', async () => {
    class Warmup extends OwnLayer {
      steps = 0;

      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return ++this.steps > 100 ? super.call(inputs) : tf.relu(super.call(inputs));
      }
    }
    const error = await create(programOf(new Warmup('warmup', tf.tanh)), 'compiled').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ layer: 'warmup', message: "it changes its field 'steps' at every step" });
  });

  it.each([
    ['a linspace', (x: tf.Tensor) => tf.add(x, tf.linspace(0, 1, 4))],
    ['a range of integers', (x: tf.Tensor) => tf.add(x, tf.cast(tf.range(-1, 7, 2, 'int32'), 'float32'))],
    ['a range that counts down without a step', (x: tf.Tensor) => tf.add(x, tf.range(2, -2))],
    ['a range that counts down to a fraction', (x: tf.Tensor) => tf.add(x, tf.range(2.5, -2))],
    ['a range that counts down by a step', (x: tf.Tensor) => tf.add(x, tf.range(2, -2, -1))],
    ['the sum of an empty range', (x: tf.Tensor) => tf.add(x, tf.sum(tf.range(3, 0, 2)))],
    ['a cumulative product of constants', (x: tf.Tensor) => tf.mul(x, tf.cumprod(tf.tensor1d([1, 0.5, 2, 0.5])))],
    ['a table of tangents', (x: tf.Tensor) => tf.mul(x, tf.tan(tf.range(0, 4)))],
  ])('%s alone has a constant that TensorFlow.js computes once, and is compiled', async (_, compute) => {
    const made = program(compute);
    randomizeWeights(made, 2);
    await compareExecutors(made, [randomBatch(made, BATCH, 1)]);
  });

  it.each([
    ['a mask', () => tf.tensor1d([1, 0, 1, 1])],
    ['a table that it computes', () => tf.sin(tf.mul(tf.range(0, 4), tf.scalar(0.5)))],
    ['a variable', () => tf.variable(tf.tensor1d([1, 0.5, 2, 1]), false)],
  ])('%s that it keeps from its first call on is compiled', async (_, make) => {
    let kept: tf.Tensor | undefined;
    const made = program((x) => tf.mul(x, (kept ??= tf.keep(make()))));
    randomizeWeights(made, 2);
    const { executor, warning } = await create(made, 'auto');
    expect(warning).toBeUndefined();
    await executor.dispose();
    await compareExecutors(made, [randomBatch(made, BATCH, 1)]);
  });

  it('a loss that keeps a tensor from its first call on is compiled', async () => {
    let kept: tf.Tensor | undefined;
    const model = tf.sequential({ layers: [layers.dense({ units: 1, inputShape: [3] })] });
    const twice = (targets: tf.Tensor, outputs: tf.Tensor) =>
      tf.mean(tf.mul((kept ??= tf.keep(tf.scalar(2))), tf.squaredDifference(targets, outputs)));
    const made = modelProgram(model, twice, { dtype: 'float32', shape: [1] });
    await (await create(made, 'compiled')).executor.dispose();
    await compareExecutors(made, [randomBatch(made, BATCH, 1)]);
  });

  it('a variable that it counts in has its first value when the training begins', async () => {
    const counter = tf.variable(tf.scalar(7), false);
    const made = program((x) => {
      counter.assign(tf.add(counter, 1));
      return tf.mul(x, counter);
    });
    const { executor } = await create(made, 'auto');
    expect(counter.dataSync()[0]).toBe(7);
    await executor.step(randomBatch(made, BATCH, 1), 0);
    expect(counter.dataSync()[0]).toBe(8);
    await executor.dispose();
  });

  it('a table that it keeps is run eagerly where another operation is refused', async () => {
    let kept: tf.Tensor | undefined;
    const positions = () => tf.sin(tf.mul(tf.range(0, 4), tf.scalar(0.5)));
    const refusing = (x: tf.Tensor, table: tf.Tensor) =>
      refused['an operation without a lowering'].compute(tf.mul(x, table));
    const { executor, warning } = await create(
      program((x) => refusing(x, (kept ??= tf.keep(positions())))),
      'auto',
    );
    expect(warning).toContain('Dilation2D');
    expect(Array.from(kept!.dataSync())).toEqual(Array.from(positions().dataSync()));
    await executor.dispose();
  });

  it('a tensor that it uses again without having kept it is refused', async () => {
    let disposed: tf.Tensor | undefined;
    const made = program((x) => tf.mul(x, (disposed ??= tf.tensor1d([1, 0, 1, 1]))));
    await expect(create(made, 'compiled')).rejects.toMatchObject({ kernel: 'tf.keep', layer: 'mine' });
  });

  it.each([
    ['samples', (x: tf.Tensor) => tf.exp(x)],
    ['random numbers', () => tf.randomNormal([4])],
  ])('a tensor of %s that it keeps is refused, with the setting that trains it', async (_, make) => {
    let kept: tf.Tensor | undefined;
    const made = program((x) => tf.mul(x, (kept ??= tf.keep(make(x)))));
    const error = await create(made, 'auto').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain("The operation tf.keep of the layer 'mine' cannot be compiled: ");
    expect((error as UserError).remedy).toContain('training.executor to "eager"');
    tf.dispose(kept);
    kept = undefined;
    const { executor } = await create(made, 'eager');
    expect((await executor.step(randomBatch(made, BATCH, 1), 0)).loss).toBeGreaterThan(0);
    await executor.dispose();
  });

  it('a choice by a random tensor is compiled, and made anew at every step', async () => {
    const half = (x: tf.Tensor) =>
      tf.where(tf.greater(tf.slice(tf.randomUniform([2]), 0, 1), 0.5), tf.mul(x, 2), tf.zerosLike(x));
    const made = program(half);
    const { executor, warning } = await create(made, 'auto');
    expect(warning).toBeUndefined();
    const batch = randomBatch(made, BATCH, 1);
    const losses: number[] = [];
    for (let step = 0; step < 12; step++) losses.push((await executor.step(batch, step)).loss);
    expect(new Set(losses).size).toBe(2);
    await executor.dispose();
  });

  it('nothing unusual is compiled without a warning', async () => {
    const { executor, warning } = await create(program(tf.relu), 'auto');
    expect(warning).toBeUndefined();
    expect(executor.description).toContain('ONNX Runtime');
    await executor.dispose();
  });

  it('a call of its own instance still has it after the trace', async () => {
    const made = program(tf.relu);
    const layer = made.layers[2];
    const own = layer.call.bind(layer);
    layer.call = own;
    const { executor } = await create(made, 'compiled');
    expect(layer.call).toBe(own);
    await executor.dispose();
  });
});
