import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../server/compiler/eagerExecutor.ts';
import type { Executor, Program } from '../../../server/compiler/program.ts';
import { denseGradient } from './denseGradient.ts';
import { expectClose } from './expectClose.ts';
import { functionProgram, modelProgram, randomBatch, randomizeWeights } from './programs.ts';

const { layers } = tf;
const stateBytes = () => 0;
const BATCH = 4;

const compile = (program: Program, seed: number) =>
  CompiledExecutor.create(program, { batchSize: BATCH, seed, threads: 1, rowGradients: false, stateBytes });
const interpret = (program: Program, seed: number) => new EagerExecutor(program, { backend: 'cpu', seed, stateBytes });

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Gradients and losses of the steps, weights left as they are. */
async function run(executor: Executor & Pick<EagerExecutor, 'parameters'>, program: Program, steps: number[]) {
  const results: number[][] = [];
  for (const step of steps) {
    const { loss } = await executor.step(randomBatch(program, BATCH, 5), step);
    results.push([loss, ...executor.parameters.list.flatMap((parameter) => [...denseGradient(parameter)])]);
  }
  await executor.dispose();
  return results;
}

const sequence = (layer: tf.layers.Layer) => [layers.dense({ units: 4, inputShape: [3, 2] }), layer];
const randomLayers: Record<string, () => tf.layers.Layer[]> = {
  dropout: () => sequence(layers.dropout({ rate: 0.5 })),
  'dropout with a seed of its own': () => sequence(layers.dropout({ rate: 0.5, seed: 3 })),
  'dropout with a noise shape': () => sequence(layers.dropout({ rate: 0.5, noiseShape: [BATCH, 1, 4] })),
  spatialDropout1d: () => sequence(layers.spatialDropout1d({ rate: 0.5 })),
  gaussianNoise: () => sequence(layers.gaussianNoise({ stddev: 0.7 })),
  gaussianDropout: () => sequence(layers.gaussianDropout({ rate: 0.3 })),
  alphaDropout: () => sequence(layers.alphaDropout({ rate: 0.4, noiseShape: undefined as unknown as number[] })),
  'lstm with dropout and recurrent dropout': () =>
    sequence(layers.lstm({ units: 3, dropout: 0.4, recurrentDropout: 0.3 })),
  'gru with dropout and recurrent dropout': () =>
    sequence(layers.gru({ units: 3, dropout: 0.4, recurrentDropout: 0.3 })),
  'simpleRNN with dropout': () => sequence(layers.simpleRNN({ units: 3, dropout: 0.4 })),
};

describe('The random numbers of a step', () => {
  describe.each(Object.entries(randomLayers))('of %s', (_, create) => {
    const program = () => {
      const model = tf.sequential({ layers: create() });
      const made = modelProgram(model, (targets, outputs) => tf.mean(tf.square(tf.sub(outputs, targets))), {
        dtype: 'float32',
        shape: model.outputs[0].shape.slice(1) as number[],
      });
      randomizeWeights(made, 9);
      return made;
    };

    it.each([
      ['compiled', compile],
      ['eager', interpret],
    ])('%s, differ from step to step and repeat with the seed', async (__, create_) => {
      const made = program();
      const first = await run(await create_(made, 1), made, [0, 1, 2]);
      expect(first[1]).not.toEqual(first[0]);
      expect(first[2]).not.toEqual(first[1]);
      // Resumed at step 1.
      expect(await run(await create_(made, 1), made, [1, 2])).toEqual(first.slice(1));
      expect((await run(await create_(made, 2), made, [0]))[0]).not.toEqual(first[0]);
    });

    it('do not touch the evaluation', async () => {
      const made = program();
      const [compiled, eager] = [await compile(made, 1), interpret(made, 1)];
      const batch = randomBatch(made, BATCH, 5);
      const { loss } = await compiled.evaluate(batch);
      expectClose('loss', [loss], [(await eager.evaluate(batch)).loss]);
      await compiled.dispose();
    });
  });
});

/** Numbers that a step draws: the gradient of w is what it is multiplied by. */
async function drawn(draw: (shape: number[]) => tf.Tensor): Promise<Float32Array> {
  const shape = [100, 100];
  const program = functionProgram({ w: tf.ones(shape) }, [{ dtype: 'float32', shape: [1] }], ({ w }, [x]) =>
    tf.add(tf.sum(tf.mul(w, draw(shape))), tf.mul(0, tf.sum(x))),
  );
  const executor = await compile(program, 1);
  await executor.step(randomBatch(program, BATCH, 1), 7);
  const values = denseGradient(executor.parameters.list[0]).slice();
  await executor.dispose();
  return values;
}

function moments(values: Float32Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** Five standard errors of a mean of 10,000 numbers of deviation 1. */
const FIVE_ERRORS = 0.05;

describe('The distribution of a random tensor', () => {
  it('is uniform as declared', async () => {
    const values = await drawn((shape) => tf.randomUniform(shape, -1, 3));
    const { mean, deviation } = moments(values);
    expect(Math.abs(mean - 1)).toBeLessThan(FIVE_ERRORS * 2);
    expect(Math.abs(deviation - 4 / Math.sqrt(12))).toBeLessThan(FIVE_ERRORS * 2);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThan(3);
  });

  it('is normal as declared', async () => {
    const values = await drawn((shape) => tf.randomNormal(shape, 2, 0.5));
    const { mean, deviation } = moments(values);
    expect(Math.abs(mean - 2)).toBeLessThan(FIVE_ERRORS);
    expect(Math.abs(deviation - 0.5)).toBeLessThan(FIVE_ERRORS);
    // 4.6% of a normal distribution are beyond two deviations.
    const beyond = values.filter((value) => Math.abs(value - 2) > 1).length / values.length;
    expect(Math.abs(beyond - 0.0455)).toBeLessThan(0.011);
  });

  it('is truncated at two deviations where TensorFlow.js truncates it', async () => {
    const values = await drawn((shape) => tf.truncatedNormal(shape, -1, 0.5));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...values)).toBeLessThanOrEqual(0);
    // The deviation of a standard normal number truncated at 2 is 0.8796.
    expect(Math.abs(moments(values).deviation - 0.8796 * 0.5)).toBeLessThan(FIVE_ERRORS / 2);
  });

  it.each([0.1, 0.5, 0.8])('drops the fraction %f of the units and scales the others up', async (rate) => {
    const values = await drawn((shape) => tf.dropout(tf.ones(shape), rate));
    const dropped = values.filter((value) => value === 0).length / values.length;
    expect(Math.abs(dropped - rate)).toBeLessThan(0.025);
    for (const value of values) if (value !== 0) expect(value).toBeCloseTo(1 / (1 - rate), 5);
  });

  it('stays a constant where an operation has a seed of its own', async () => {
    const values = await drawn((shape) => tf.randomNormal(shape, 0, 1, 'float32', 42));
    expect(values).toEqual(tf.randomNormal([100, 100], 0, 1, 'float32', 42).dataSync());
  });

  it('is drawn anew for each of two equal operations', async () => {
    const values = await drawn((shape) => tf.sub(tf.randomUniform(shape), tf.randomUniform(shape)));
    expect(moments(values).deviation).toBeGreaterThan(0.3);
  });

  it('is the same in every evaluation of a model that is random in inference mode, and not zero', async () => {
    const program = functionProgram({ w: tf.ones([10]) }, [{ dtype: 'float32', shape: [10] }], ({ w }, [x]) =>
      tf.mean(tf.mul(tf.dropout(x, 0.5), w)),
    );
    const executor = await compile(program, 1);
    const batch = randomBatch(program, BATCH, 1);
    const { loss } = await executor.evaluate(batch);
    await executor.step(batch, 3);
    expect((await executor.evaluate(batch)).loss).toBe(loss);
    expect(loss).not.toBe(0);
    await executor.dispose();
  });
});
