import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, arenaBytes, createArenas } from '../../../server/memory/arena.ts';
import { GradientSums, gradientSumBytes } from '../../../server/optimizers/gradientSums.ts';

const { fround } = Math;

/** The reference: float32 sums in the order of the batches, times 1 / count. */
function meanOf(batches: readonly Float32Array[]): Float32Array {
  const scale = fround(1 / batches.length);
  return batches[0].map((_, i) => {
    const sum = batches.slice(0, -1).reduce((sum, batch) => fround(sum + batch[i]), 0);
    return fround(scale * fround(sum + batches.at(-1)![i]));
  });
}

describe('The sums of gradients', () => {
  it('give the mean over the batches of each step, in place, for any lengths, in arenas of their own', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 13 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 2, max: 5 }), fc.nat(), (sizes, count, seed) => {
        const groups = sizes.map((size) => 2 * arenaBytes(size) + gradientSumBytes(size));
        const trainables = createArenas(groups, 300).map((arena, i) => ({
          name: `w${i}`,
          value: arena.float32(sizes[i]),
          gradient: arena.float32(sizes[i]),
        }));
        const sums = new GradientSums(trainables);
        for (const step of [0, 1]) {
          const batches = trainables.map(({ gradient }, i) =>
            Array.from({ length: count }, (_, batch) =>
              gradient.map((__, j) => Math.sin(seed + step * 1000 + batch * 100 + i * 20 + j)),
            ),
          );
          for (let batch = 0; batch < count; batch++) {
            trainables.forEach(({ gradient }, i) => gradient.set(batches[i][batch]));
            if (batch < count - 1) sums.add();
          }
          sums.average(count);
          trainables.forEach(({ gradient }, i) => expect(gradient).toEqual(meanOf(batches[i])));
          expect(trainables.every(({ value }) => value.every((weight) => weight === 0))).toBe(true);
        }
      }),
    );
  });

  it('refuse a gradient of rows, and one outside of an arena', () => {
    const arena = new Arena(10 * arenaBytes(4));
    const value = arena.float32(4);
    const rows = { indices: arena.int32(1), values: arena.float32(2) };
    for (const gradient of [rows, new Float32Array(4)])
      expect(() => new GradientSums([{ name: 'w', value, gradient }])).toThrow('w: the gradient must be a dense view');
  });
});
