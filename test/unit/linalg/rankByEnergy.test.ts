import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rankByEnergy } from '../../../server/linalg/rankByEnergy.ts';

// From the project's notes on the paper, where the sums of values and of squares differ.
test.each([
  [0.8, 2, 2],
  [0.9, 3, 2],
  [0.95, 4, 2],
  [1, 6, 6],
])('an energy of %d of 5, 3, 1, 0.5, 0.3, 0.2 keeps %i of the values, and %i by their squares', (energy, values, squares) => {
  const spectrum = [5, 3, 1, 0.5, 0.3, 0.2];
  expect(rankByEnergy(spectrum, energy)).toBe(values);
  expect(rankByEnergy(spectrum, energy, 'squares')).toBe(squares);
});

test('values of 0 are never kept, and a sum that is reached exactly is enough', () => {
  expect(rankByEnergy([3, 0, 0], 1)).toBe(1);
  expect(rankByEnergy([0, 0], 1)).toBe(0);
  expect(rankByEnergy([], 0.9)).toBe(0);
  expect(rankByEnergy([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 0.7)).toBe(7);
});

test('more energy never keeps fewer values, and what is kept has it', () => {
  const spectra = fc
    .array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 20 })
    .map((values) => values.sort((a, b) => b - a));
  const energies = fc.double({ min: 0.01, max: 1, noNaN: true });
  fc.assert(
    fc.property(spectra, energies, energies, (values, one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)];
      expect(rankByEnergy(values, less)).toBeLessThanOrEqual(rankByEnergy(values, more));
      const sum = (kept: readonly number[]) => kept.reduce((total, value) => total + value, 0);
      expect(sum(values.slice(0, rankByEnergy(values, more)))).toBeGreaterThanOrEqual(more * sum(values) * (1 - 1e-12));
    }),
  );
});
