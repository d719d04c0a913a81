import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Arena, arenaBytes, createArenas } from '../../../server/memory/arena.ts';
import { GradientSums, gradientSumBytes } from '../../../server/optimizers/gradientSums.ts';
import { MOST_JOBS, PART } from '../../../server/optimizers/kernelJobs.ts';
import { KernelThreads } from '../../../server/optimizers/kernelThreads.ts';
import { createOptimizer, optimizerArenaBytes, supportsRowGradients } from '../../../server/optimizers/optimizer.ts';
import type { OptimizerConfig, TrainingConfig } from '../../../server/protocol/experiment/schema.ts';
import { adam, clip, config, sgd } from './configurations.ts';
import { randomNumbers } from './random.ts';

/** A short one, one of no whole number of vectors or parts, and one of several parts. */
const LENGTHS = [7, PART + 3, 3 * PART];
/** Rows of an embedding, of which some occur more than once. */
const ROWS = [3, 5, 3, 0];
const WIDTH = 6;
/** As often as state is freed of subnormal numbers, and once more. */
const STEPS = 129;

const started: KernelThreads[] = [];

afterEach(async () => {
  for (const threads of started.splice(0)) await threads.dispose();
});

function startThreads(count: number): KernelThreads {
  const threads = new KernelThreads(count);
  started.push(threads);
  return threads;
}

/** Weights after some steps, in arenas that are shared where there are several threads. */
async function train(
  config: OptimizerConfig,
  clip: TrainingConfig['clip'],
  count: number,
  steps: number,
): Promise<Float32Array[]> {
  const threads = startThreads(count);
  const random = randomNumbers(1);
  const embedding = supportsRowGradients(config) ? [10 * WIDTH] : [];
  const lengths = [...LENGTHS, ...embedding];
  const groups = lengths.map((length) => 2 * arenaBytes(length) + 256 + optimizerArenaBytes(config, length));
  // The long ones have an arena of their own.
  const arenas = createArenas(groups, Math.max(...groups), count > 1);
  const trainables = lengths.map((length, i) => {
    const value = arenas[i].float32(length);
    value.forEach((_, j) => (value[j] = random()));
    const isEmbedding = i === LENGTHS.length;
    const rows = isEmbedding ? arenas[i].int32(ROWS.length) : undefined;
    rows?.set(ROWS);
    const dense = arenas[i].float32(rows ? ROWS.length * WIDTH : length);
    return { name: `w${i}`, value, gradient: rows ? { indices: rows, values: dense } : dense, dense };
  });
  const optimizer = createOptimizer(config, clip, trainables, threads);
  await threads.start();
  for (let step = 0; step < steps; step++) {
    for (const { dense } of trainables) dense.fill(0.001 * (step + 1)).set(Float32Array.from({ length: 7 }, random));
    optimizer.step(0.01);
  }
  return [...trainables.map(({ value }) => value), ...optimizer.slots.values()].map(
    (values) => new Float32Array(values),
  );
}

/** As `toEqual`, which takes seconds for as many numbers. */
function equalBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
}

describe('Threads that update weights', () => {
  it('compute the same bits as one thread, for every optimizer, clipping and length, with rows and dense gradients', async () => {
    await fc.assert(
      fc.asyncProperty(config, clip, async (config, clip) => {
        const [several, one] = [await train(config, clip, 3, 4), await train(config, clip, 1, 4)];
        expect(several.every((values, i) => equalBits(values, one[i]))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('free the state of subnormal numbers as one thread does', async () => {
    const [several, one] = [await train(adam, undefined, 2, STEPS), await train(adam, undefined, 1, STEPS)];
    expect(several.every((values, i) => equalBits(values, one[i]))).toBe(true);
  });

  it('sum gradients up as one thread does', async () => {
    const means = async (count: number) => {
      const random = randomNumbers(2);
      const [arena] = createArenas(
        [LENGTHS.reduce((sum, length) => sum + 2 * arenaBytes(length) + gradientSumBytes(length), 0)],
        undefined,
        count > 1,
      );
      const trainables = LENGTHS.map((length, i) => {
        const [value, gradient] = [arena.float32(length), arena.float32(length)];
        return { name: `w${i}`, value, gradient };
      });
      const threads = startThreads(count);
      const sums = new GradientSums(trainables, threads);
      await threads.start();
      for (const batch of [0, 1, 2]) {
        for (const { gradient } of trainables) gradient.forEach((_, i) => (gradient[i] = random()));
        if (batch < 2) sums.add();
      }
      sums.average(3);
      return trainables.map(({ gradient }) => new Float32Array(gradient));
    };
    const [several, one] = [await means(2), await means(1)];
    expect(several.every((values, i) => equalBits(values, one[i]))).toBe(true);
  });

  it('make calls at once in arenas that are not shared', () => {
    const arena = new Arena(2 * arenaBytes(4));
    const trainable = { name: 'w', value: arena.float32(4), gradient: arena.float32(4).fill(1) };
    createOptimizer(sgd, undefined, [trainable], startThreads(2)).step(0.5);
    expect([...trainable.value]).toEqual([-0.5, -0.5, -0.5, -0.5]);
  });

  it('do all by themselves what no thread is there for yet, and more jobs than there is room for', () => {
    const count = MOST_JOBS + 3;
    const arena = new Arena(2 * count * arenaBytes(4), true);
    const trainables = Array.from({ length: count }, (_, i) => {
      return { name: `w${i}`, value: arena.float32(4), gradient: arena.float32(4).fill(1) };
    });
    const optimizer = createOptimizer(sgd, { globalNorm: 1e4 }, trainables, startThreads(2));
    optimizer.step(0.5);
    expect(optimizer.lastGradientNorm).toBe(Math.sqrt(4 * count));
    expect(trainables.every(({ value }) => value.every((weight) => weight === -0.5))).toBe(true);
  });

  it('fail with the reason where one of them does', async () => {
    const length = 64 * PART;
    const arena = new Arena(2 * arenaBytes(length), true);
    const trainable = { name: 'w', value: arena.float32(length), gradient: arena.float32(length) };
    const threads = startThreads(2);
    const optimizer = createOptimizer(sgd, undefined, [trainable], threads);
    // A gradient behind the end of the memory, as no arena gives one.
    threads.kernelsIn(arena).addGradient(trainable.value.byteOffset, arena.memory.buffer.byteLength, PART);
    expect(() => optimizer.step(0.5)).toThrow(
      /A thread that updates the weights has failed: memory access out of bounds\. Resume the run/,
    );
  });
});
