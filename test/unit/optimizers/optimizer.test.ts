import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, arenaBytes } from '../../../server/memory/arena.ts';
import type { Trainable } from '../../../server/optimizers/optimizer.ts';
import { createOptimizer, optimizerArenaBytes } from '../../../server/optimizers/optimizer.ts';
import type { OptimizerConfig } from '../../../server/protocol/experiment/schema.ts';
import { adam, clip, config, sgd } from './configurations.ts';
import { stateBytesOf } from './stateBytes.ts';
import { randomNumbers } from './random.ts';
import { clipReference, trainReference } from './reference.ts';

const LEARNING_RATE = 0.05;
/** Parameters of about 1 after 5 updates in float32, compared with float64. */
const TOLERANCE = 2e-6;

/** Parameters with room for an optimizer's state behind them. */
function createTrainables(config: OptimizerConfig, lengths: readonly number[], random: () => number) {
  const bytes = 2 * lengths.reduce((sum, length) => sum + arenaBytes(length), 0);
  const arena = new Arena(bytes + stateBytesOf(config, lengths));
  const trainables = lengths.map((length, i) => ({
    name: `w${i}`,
    value: arena.float32(length),
    gradient: arena.float32(length),
  }));
  for (const { value } of trainables) randomize(value, random);
  return { arena, trainables };
}

function randomize(array: Float32Array, random: () => number): void {
  array.forEach((_, i) => (array[i] = random()));
}

describe('An optimizer', () => {
  it('takes the first steps of a tensor that is trained later as those of one that is trained from the beginning', () => {
    const moved = (stepsBefore: number) => {
      const { trainables } = createTrainables(adam, [3], () => 1);
      const optimizer = createOptimizer(adam, undefined, [{ ...trainables[0], stepsBefore }]);
      const [{ value, gradient }] = trainables;
      for (let step = 0; step < stepsBefore; step++) optimizer.step(LEARNING_RATE);
      expect([...value]).toEqual([1, 1, 1]);
      return Array.from({ length: 20 }, (_, step) => {
        gradient.fill(1 + Math.sin(step));
        optimizer.step(LEARNING_RATE);
        return [...value];
      });
    };
    expect(moved(1000)).toEqual(moved(0));
  });

  it('follows the formulas of the papers in float64, with any length, clipping and weight decay', () => {
    fc.assert(
      fc.property(
        config,
        clip,
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (config, clip, lengths, seed) => {
          const random = randomNumbers(seed);
          const { trainables } = createTrainables(config, lengths, random);
          const initial = trainables.map(({ value }) => [...value]);
          const optimizer = createOptimizer(config, clip, trainables);
          const gradients = Array.from({ length: 5 }, () => {
            for (const { gradient } of trainables) randomize(gradient, random);
            optimizer.step(LEARNING_RATE);
            return trainables.map(({ gradient }) => [...gradient]);
          });

          const expected = trainReference(config, clip, LEARNING_RATE, initial, gradients);
          trainables.forEach(({ value }, p) =>
            value.forEach((w, i) => expect(Math.abs(w - expected[p][i])).toBeLessThan(TOLERANCE)),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('touches nothing beside its parameters, where these are no whole number of vectors', () => {
    fc.assert(
      fc.property(config, fc.integer({ min: 0, max: 9 }), (config, length) => {
        const arena = new Arena(optimizerArenaBytes(config, length) + 2 * arenaBytes(64));
        const [values, gradients] = [arena.float32(64).fill(7), arena.float32(64).fill(NaN)];
        const trainable = {
          name: 'w',
          value: values.subarray(3, 3 + length),
          gradient: gradients.subarray(5, 5 + length),
        };
        trainable.gradient.fill(0.5);
        createOptimizer(config, { globalNorm: 1 }, [trainable]).step(LEARNING_RATE);

        expect(trainable.value.every((w) => w < 7)).toBe(true);
        expect([...values.subarray(0, 3), ...values.subarray(3 + length)].every((w) => w === 7)).toBe(true);
      }),
    );
  });

  it('takes exactly the bytes that it announces', () => {
    fc.assert(
      fc.property(config, fc.array(fc.nat(40)), (config, lengths) => {
        const { trainables } = createTrainables(config, lengths, () => 0);
        const optimizer = createOptimizer(config, undefined, trainables);
        const bytes = [...optimizer.slots.values()].reduce((sum, slot) => sum + arenaBytes(slot.length), 0);
        expect(bytes).toBe(stateBytesOf(config, lengths));
      }),
    );
  });

  it('goes on exactly after its slots and iterations were saved and restored', () => {
    fc.assert(
      fc.property(config, fc.nat(), (config, seed) => {
        const run = (restartAfter: number | undefined) => {
          const random = randomNumbers(seed);
          const bytes = 2 * arenaBytes(9) + 2 * optimizerArenaBytes(config, 9);
          const arena = new Arena(bytes);
          const trainable = { name: 'w', value: arena.float32(9), gradient: arena.float32(9) };
          randomize(trainable.value, random);
          let optimizer = createOptimizer(config, undefined, [trainable]);
          for (let step = 0; step < 6; step++) {
            if (step === restartAfter) {
              const saved = optimizer;
              optimizer = createOptimizer(config, undefined, [trainable]);
              optimizer.iterations = saved.iterations;
              for (const [name, slot] of optimizer.slots) slot.set(saved.slots.get(name)!);
            }
            randomize(trainable.gradient, random);
            optimizer.step(LEARNING_RATE);
          }
          return trainable.value;
        };
        expect(run(3)).toEqual(run(undefined));
      }),
    );
  });

  it('names its state after the parameter', () => {
    const { trainables } = createTrainables(adam, [2], () => 0);
    const named: Trainable[] = [{ ...trainables[0], name: 'fc1/kernel' }];
    expect([...createOptimizer(adam, undefined, named).slots.keys()]).toEqual(['fc1/kernel/m', 'fc1/kernel/v']);
  });

  it('reports the global norm of gradients clipped by value', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }), fc.nat(), (lengths, seed) => {
        const random = randomNumbers(seed);
        const { trainables } = createTrainables(sgd, lengths, random);
        for (const { gradient } of trainables) randomize(gradient, random);
        const optimizer = createOptimizer(sgd, { value: 0.5, globalNorm: 1 }, trainables);
        optimizer.step(LEARNING_RATE);

        const clipped = clipReference(
          trainables.map(({ gradient }) => [...gradient]),
          { value: 0.5 },
        );
        // Both sums are float64; only their order differs.
        expect(optimizer.lastGradientNorm).toBeCloseTo(Math.hypot(...clipped.flat()), 12);
      }),
    );
  });

  it('has a finite norm for gradients whose squares overflow float32', () => {
    const { trainables } = createTrainables(sgd, [5], () => 0);
    trainables[0].gradient.fill(1e30);
    const optimizer = createOptimizer(sgd, { globalNorm: 1 }, trainables);
    optimizer.step(1);
    expect(optimizer.lastGradientNorm! / (Math.sqrt(5) * 1e30)).toBeCloseTo(1, 6);
    // Each element is 1 / sqrt(5) of a gradient of norm 1.
    trainables[0].value.forEach((w) => expect(w).toBeCloseTo(-1 / Math.sqrt(5), 6));
  });

  it.each([NaN, Infinity])('changes nothing when the gradient norm is not finite (%f), and tells', (bad) => {
    const random = randomNumbers(1);
    const { trainables } = createTrainables(adam, [6, 3], random);
    const before = trainables.map(({ value }) => value.slice());
    const optimizer = createOptimizer(adam, { globalNorm: 5 }, trainables);
    trainables[1].gradient[2] = bad;
    optimizer.step(LEARNING_RATE);

    expect(Number.isFinite(optimizer.lastGradientNorm)).toBe(false);
    expect(optimizer.iterations).toBe(0);
    expect(trainables.map(({ value }) => value)).toEqual(before);
    expect([...optimizer.slots.values()].every((slot) => slot.every((s) => s === 0))).toBe(true);
  });

  it('lets NaN through clipping by value, so that it is seen', () => {
    const { trainables } = createTrainables(sgd, [5], () => 0);
    trainables[0].gradient.fill(NaN);
    createOptimizer(sgd, { value: 1 }, trainables).step(1);
    expect(trainables[0].value.every(Number.isNaN)).toBe(true);
  });

  it('stays finite with centered RMSProp where a gradient is always zero', () => {
    const rmsprop = {
      type: 'rmsprop',
      learningRate: 1,
      decay: 0.9,
      momentum: 0,
      epsilon: 1e-7,
      centered: true,
    } as const;
    const config = { ...rmsprop, weightDecay: 0 };
    const { trainables } = createTrainables(config, [5], () => 1);
    createOptimizer(config, undefined, trainables).step(LEARNING_RATE);
    expect([...trainables[0].value]).toEqual([1, 1, 1, 1, 1]);
  });

  it('removes subnormal numbers from its state, which would make every later step slow', () => {
    const { trainables } = createTrainables(adam, [6], () => 0);
    const optimizer = createOptimizer(adam, undefined, trainables);
    const m = optimizer.slots.get('w0/m')!;
    m.set([1e-40, -1e-40, NaN, 1e-20, 0, -1e-40]);
    for (let step = 0; step < 128; step++) optimizer.step(LEARNING_RATE);
    // 1e-20 * 0.9^128 = 1.4e-26 is a normal number.
    expect([...m].map((x) => (Number.isNaN(x) ? 'NaN' : x === 0 ? '0' : 'normal'))).toEqual([
      '0',
      '0',
      'NaN',
      'normal',
      '0',
      '0',
    ]);
  });

  it('refuses views of another arena and gradients of another length', () => {
    const { trainables } = createTrainables(sgd, [5], () => 0);
    const [{ value }] = trainables;
    const create = (gradient: Float32Array) => createOptimizer(sgd, undefined, [{ name: 'w', value, gradient }]);
    expect(() => create(new Float32Array(5))).toThrow(/w: .*arena/);
    expect(() => create(value.subarray(1))).toThrow('w: the gradient has 4 elements, the parameter 5.');
  });
});
