import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splice } from '../../../../../../server/compression/methods/prune/select/splice.ts';

test('cuts below 0.9 of the threshold, keeps from 1.1 on, and leaves what lies between as it was', () => {
  const scores = [0.5, 0.89, 0.91, 1, 1.09, 1.11, 2];
  const before = (mark: number) => new Uint8Array(scores.length).fill(mark);
  expect([...splice(scores, 1, before(1))]).toEqual([0, 0, 1, 1, 1, 1, 1]);
  expect([...splice(scores, 1, before(0))]).toEqual([0, 0, 0, 0, 0, 1, 1]);
});

test('the band of a negative threshold lies around it, too', () => {
  expect([...splice([-1.2, -1.05, -0.95, -0.8], -1, Uint8Array.of(1, 1, 0, 0))]).toEqual([0, 1, 0, 1]);
});

test('twice is as once, whatever the scores', () => {
  const scores = fc.array(fc.double({ noNaN: true, min: -3, max: 3 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(scores, fc.double({ noNaN: true, min: -2, max: 2 }), fc.boolean(), (values, threshold, kept) => {
      const once = splice(values, threshold, new Uint8Array(values.length).fill(Number(kept)));
      expect(splice(values, threshold, once)).toEqual(once);
    }),
  );
});
