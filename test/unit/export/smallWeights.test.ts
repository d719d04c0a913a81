import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { smallestForm } from '../../../server/export/smallWeights.ts';
import { sectionBytes } from '../../../server/formats/packed/packedWeight.ts';
import { Random } from '../../../server/formats/random.ts';

const shape = [60, 50];

/** Random numbers of a weight, each `of` what is random for it from 0 to 1. */
function values(of: (random: Random) => number): Float32Array {
  const random = new Random(3);
  return Float32Array.from({ length: 3000 }, () => of(random));
}

describe('the smallest form that gives a weight back', () => {
  test.each([
    ['dense', 'different numbers', values((random) => random.uniform() - 0.5)],
    ['sparse', 'a tenth of different numbers', values((random) => Math.max(0, random.uniform() - 0.9))],
    ['sparse', 'zeros', new Float32Array(3000)],
    ['levels', 'sixteen numbers', values((random) => Math.floor(16 * random.uniform()) / 7)],
    ['levels', 'a single number', new Float32Array(3000).fill(0.3)],
    [
      'sparse-coded',
      'a tenth of four numbers',
      values((random) => Math.max(0, Math.floor(40 * random.uniform()) - 35)),
    ],
    ['sparse-coded', 'a tenth of one number', values((random) => (random.uniform() < 0.1 ? -2 : 0))],
  ])('is %s for %s', (form, _, numbers) => {
    const found = smallestForm(shape, numbers);
    expect(found.form).toBe(form);
    expect(found.rebuild()).toEqual(numbers);
  });

  test('is never larger than that of a pruned weight', () => {
    const number = fc.constantFrom(0, 0, 0.25, -1.5, 3);
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 2000 }), (array) => {
        const numbers = Float32Array.from(array);
        const found = smallestForm([numbers.length], numbers);
        expect(sectionBytes(found)).toBeLessThanOrEqual(numbers.byteLength);
        expect(found.rebuild()).toEqual(numbers);
      }),
    );
  });

  test('has levels for what saves more than decoding them takes', () => {
    expect(smallestForm([64], new Float32Array(64).fill(1)).form).toBe('dense');
  });
});
