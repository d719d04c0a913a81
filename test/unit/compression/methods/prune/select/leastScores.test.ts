import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keepGreatest, scoreOfRank } from '../../../../../../server/compression/methods/prune/select/leastScores.ts';
import { normals } from '../../../random.ts';

/** The reference: sort all scores, the earlier first among equals, and mark the first `count`. */
function keptBySorting(scores: readonly Float32Array[], count: number): number[] {
  const all = scores.flatMap((array) => [...array]);
  const value = (i: number) => (Number.isNaN(all[i]) ? Infinity : all[i]);
  const nan = (i: number) => Number(Number.isNaN(all[i]));
  const order = [...all.keys()].sort((a, b) => value(a) - value(b) || nan(a) - nan(b) || a - b);
  const kept = all.map(() => 1);
  for (const i of order.slice(0, count)) kept[i] = 0;
  return kept;
}

/** Infinity minus itself is no order. */
const finite = fc.float32Array({ noDefaultInfinity: true, maxLength: 60 });
const few = fc
  .array(fc.constantFrom(0, -0, 0.5, -0.5, 1, -1, NaN), { maxLength: 40 })
  .map((values) => Float32Array.from(values));

test.each([
  ['any', finite],
  ['few different', few],
])('marks what a sort over all arrays marks: %s scores', (_, array) => {
  fc.assert(
    fc.property(fc.array(array, { maxLength: 3 }), fc.double({ min: 0, max: 1, noNaN: true }), (scores, part) => {
      const count = Math.floor(part * scores.reduce((sum, { length }) => sum + length, 0));
      const kept = keepGreatest(scores, count);
      expect(kept.map(({ length }) => length)).toEqual(scores.map(({ length }) => length));
      expect(kept.flatMap((marks) => [...marks])).toEqual(keptBySorting(scores, count));
    }),
  );
});

test('many scores are marked as by a sort, at any count', () => {
  const scores = [normals(5000, 1), normals(3001, 2, 0.01)];
  for (const count of [1, 4000, 8000, 8001]) {
    const kept = Buffer.concat(keepGreatest(scores, count));
    // A matcher's walk over so many elements takes longer than the choice.
    expect(kept.equals(Uint8Array.from(keptBySorting(scores, count)))).toBe(true);
  }
});

test('the score of a rank is that of a sorted array, of either sign', () => {
  const scores = normals(1000, 3);
  const sorted = scores.slice().sort();
  for (const rank of [1, 2, 499, 500, 501, 999, 1000]) expect(scoreOfRank([scores], rank)).toBe(sorted[rank - 1]);
});
