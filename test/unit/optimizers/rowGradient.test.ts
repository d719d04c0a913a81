import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, arenaBytes } from '../../../server/memory/arena.ts';
import { createOptimizer, supportsRowGradients } from '../../../server/optimizers/optimizer.ts';
import { stateBytesOf } from './stateBytes.ts';
import type { OptimizerConfig } from '../../../server/protocol/experiment/schema.ts';
import { randomNumbers } from './random.ts';

const sgd = { type: 'sgd', learningRate: 1, momentum: 0, nesterov: false, weightDecay: 0 } as const;
const adagrad = { type: 'adagrad', learningRate: 1, initialAccumulator: 0, epsilon: 1e-7, weightDecay: 0 } as const;
const adam = { type: 'adam', learningRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 } as const;
const rmsprop = { type: 'rmsprop', learningRate: 1, decay: 0.9, momentum: 0, epsilon: 1e-7, centered: false } as const;

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 12 }),
  width: fc.integer({ min: 1, max: 9 }),
  count: fc.integer({ min: 1, max: 20 }),
  seed: fc.nat(),
});

/** An embedding [rows, width] with a gradient of `count` rows, and a small dense parameter beside it. */
function createEmbedding(config: OptimizerConfig, rows: number, width: number, count: number) {
  const lengths = [rows * width, 3];
  const arena = new Arena(
    2 * arenaBytes(rows * width) +
      arenaBytes(count * width) +
      arenaBytes(count) +
      2 * arenaBytes(3) +
      stateBytesOf(config, lengths),
  );
  return {
    arena,
    value: arena.float32(rows * width),
    dense: arena.float32(rows * width),
    rows: { indices: arena.int32(count), values: arena.float32(count * width) },
    bias: { name: 'bias', value: arena.float32(3), gradient: arena.float32(3) },
  };
}

describe('A gradient of rows', () => {
  it.each<OptimizerConfig>([sgd, adagrad])('updates as the dense gradient does, to the last bit ($type)', (config) => {
    fc.assert(
      fc.property(
        sizes,
        fc.constantFrom(undefined, { value: 0.3 }, { globalNorm: 0.5 }, { value: 0.3, globalNorm: 0.5 }),
        ({ rows, width, count, seed }, clip) => {
          const train = (form: 'rows' | 'dense') => {
            const random = randomNumbers(seed);
            const embedding = createEmbedding(config, rows, width, count);
            const { value, dense, bias } = embedding;
            const { indices, values } = embedding.rows;
            for (let i = 0; i < value.length; i++) value[i] = random();
            const gradient = form === 'rows' ? embedding.rows : dense;
            const optimizer = createOptimizer(config, clip, [{ name: 'embedding', value, gradient }, bias]);
            for (let step = 0; step < 3; step++) {
              for (let i = 0; i < count; i++) indices[i] = Math.floor(((random() + 1) / 2) * rows);
              for (let i = 0; i < values.length; i++) values[i] = random();
              dense.fill(0);
              // In float32 and in the order of the rows, as a scatter-add.
              values.forEach((g, i) => (dense[indices[Math.floor(i / width)] * width + (i % width)] += g));
              bias.gradient.fill(random());
              optimizer.step(0.1);
            }
            return { value: value.slice(), norm: optimizer.lastGradientNorm ?? 0 };
          };
          const byRows = train('rows');
          const byDense = train('dense');
          expect(byRows.norm).toBeCloseTo(byDense.norm, 12);
          if (clip?.globalNorm === undefined) expect(byRows.value).toEqual(byDense.value);
          // The norms differ in the last bits of a float64, and so may the scale in the last bit of a float32.
          else byRows.value.forEach((w, i) => expect(Math.abs(w - byDense.value[i])).toBeLessThan(1e-6));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('stands for the same gradient after its duplicates were summed', () => {
    const { value, rows, bias } = createEmbedding(sgd, 4, 2, 4);
    rows.indices.set([3, 1, 3, 3]);
    rows.values.set([1, 2, 10, 20, 100, 200, 1000, 2000]);
    const optimizer = createOptimizer(sgd, { globalNorm: 1e9 }, [{ name: 'embedding', value, gradient: rows }, bias]);
    optimizer.step(1);
    expect([...rows.indices]).toEqual([3, 1, 3, 3]);
    expect([...rows.values]).toEqual([1101, 2202, 10, 20, 0, 0, 0, 0]);
    expect([...value]).toEqual([0, 0, -10, -20, 0, 0, -1101, -2202]);
    const norm = optimizer.lastGradientNorm;
    optimizer.step(1);
    expect(optimizer.lastGradientNorm).toBe(norm);
    expect([...value]).toEqual([0, 0, -20, -40, 0, 0, -2202, -4404]);
  });

  it('is supported where a row without a gradient does not change', () => {
    expect(supportsRowGradients(sgd)).toBe(true);
    expect(supportsRowGradients(adagrad)).toBe(true);
    expect(supportsRowGradients({ ...sgd, momentum: 0.9 })).toBe(false);
    expect(supportsRowGradients({ ...sgd, weightDecay: 0.1 })).toBe(false);
    expect(supportsRowGradients({ ...adagrad, weightDecay: 0.1 })).toBe(false);
    expect(supportsRowGradients(adam)).toBe(false);
    expect(supportsRowGradients({ ...rmsprop, weightDecay: 0 })).toBe(false);
  });

  it('is refused by an optimizer that needs the dense one, and where the rows do not fit', () => {
    const create = (config: OptimizerConfig, elements: number) => {
      const { value, rows } = createEmbedding(config, 4, 2, 3);
      const gradient = { indices: rows.indices, values: rows.values.subarray(0, elements) };
      createOptimizer(config, undefined, [{ name: 'w', value, gradient }]);
    };
    expect(() => create(sgd, 6)).not.toThrow();
    expect(() => create(adam, 6)).toThrow('w: the gradient consists of rows; this optimizer needs a dense one.');
    expect(() => create(sgd, 5)).toThrow('w: 5 gradient elements in 3 rows do not fit a parameter of 8.');
  });

  it.each([-1, 4])('with the row %i of a parameter of 4 rows is an error and changes nothing', (row) => {
    const { value, rows } = createEmbedding(sgd, 4, 2, 3);
    rows.indices.set([0, 0, row]);
    rows.values.fill(1);
    const optimizer = createOptimizer(sgd, undefined, [{ name: 'embedding', value, gradient: rows }]);
    expect(() => optimizer.step(1)).toThrow(RangeError);
    expect(value.every((w) => w === 0)).toBe(true);
    expect(rows.values.every((g) => g === 1)).toBe(true);
  });
});
