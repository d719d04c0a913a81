import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fitLevels,
  startLevels,
  type FitParameters,
} from '../../../../../server/compression/methods/quantize/lloydMax.ts';
import { Random } from '../../../../../server/formats/random.ts';
import { laplace, normals } from '../../random.ts';

function fit(values: ArrayLike<number>, count: number, parameters: Partial<FitParameters> = {}, seed = 1) {
  const sorted = Float32Array.from(values).sort();
  return fitLevels(sorted, count, { start: 'uniform', iterations: 0, ...parameters }, new Random(seed));
}

/** Mean squared distance to the nearest level. */
function error(values: ArrayLike<number>, levels: ArrayLike<number>): number {
  const squares = Array.from(values, (value) => Math.min(...Array.from(levels, (level) => (value - level) ** 2)));
  return squares.reduce((a, b) => a + b, 0) / squares.length;
}

/** The least squared error of any levels: each cuts the sorted numbers into parts, whose means are the levels. */
function leastError(sorted: readonly number[], count: number): number {
  const spread = (part: readonly number[]) => {
    const mean = part.reduce((a, b) => a + b, 0) / part.length;
    return part.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  };
  const best = (from: number, parts: number): number => {
    if (parts === 1 || from === sorted.length) return from === sorted.length ? 0 : spread(sorted.slice(from));
    let least = Infinity;
    for (let to = from + 1; to <= sorted.length; to++)
      least = Math.min(least, spread(sorted.slice(from, to)) + best(to, parts - 1));
    return least;
  };
  return best(0, count) / sorted.length;
}

/** Lloyd's rounds as they are defined: assign each number, then take means; a level without numbers stays. */
function lloyd(values: readonly number[], levels: readonly number[], rounds: number): number[] {
  let now = [...levels];
  for (let round = 0; round < rounds; round++) {
    const members: number[][] = now.map(() => []);
    for (const value of values) {
      let nearest = 0;
      now.forEach((level, i) => {
        if (Math.abs(value - level) <= Math.abs(value - now[nearest])) nearest = i;
      });
      members[nearest].push(value);
    }
    now = now.map((level, i) =>
      members[i].length > 0 ? members[i].reduce((a, b) => a + b) / members[i].length : level,
    );
  }
  return now;
}

describe('starts', () => {
  test('quantiles are those of NumPy, with several equal ones where many numbers are equal', () => {
    const quantiles = (values: readonly number[], count: number) =>
      startLevels(Float32Array.from(values).sort(), count, 'quantiles', new Random(1));
    // numpy.percentile([1, 0, .75, 1, 0, .181818, 0], [0, 100/3, 200/3, 100])
    expect(quantiles([1, 0, 0.75, 1, 0, 0.181818, 0], 4)).toEqual(Float64Array.of(0, 0, 0.75, 1));
    expect(quantiles([0, 1, 2, 3, 4, 10], 3)).toEqual(Float64Array.of(0, 2.5, 10));
  });

  test('uniform ones reach from the least to the greatest number', () => {
    expect(fit([-1, 0, 0.1, 0.2, 2], 4)).toEqual(Float32Array.of(-1, 0, 1, 2));
  });

  test('random ones are numbers, drawn by the seed', () => {
    const numbers = normals(100, 3);
    const drawn = fit(numbers, 8, { start: 'random' }, 5);
    expect(drawn).toEqual(drawn.slice().sort());
    for (const level of drawn) expect(numbers).toContain(level);
    expect(fit(numbers, 8, { start: 'random' }, 5)).toEqual(drawn);
    expect(fit(numbers, 8, { start: 'random' }, 6)).not.toEqual(drawn);
  });

  test('as few different numbers as levels are the levels themselves, whatever the start', () => {
    for (const start of ['quantiles', 'uniform', 'random'] as const)
      expect(fit([3, 1, 1, 3, 7, 7], 4, { start, iterations: 5 })).toEqual(Float32Array.of(1, 3, 7, 7));
  });
});

/** None lies in the middle of two levels, where rounding would decide. */
const numbers = fc
  .uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 12 })
  .map((values) => values.map((value) => Math.fround(value + Math.sin(value) / 7)));
const starts = fc.constantFrom<FitParameters['start']>('quantiles', 'uniform', 'random');

test('rounds are those of the definition', () => {
  fc.assert(
    fc.property(
      numbers,
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 0, max: 6 }),
      starts,
      (values, count, rounds, start) => {
        if (values.length <= count) return;
        const expected = lloyd(values, Array.from(fit(values, count, { start })), rounds);
        fit(values, count, { start, iterations: rounds }).forEach((level, i) =>
          expect(level).toBeCloseTo(expected[i], 4),
        );
      },
    ),
  );
});

test('no round makes the error greater, and no error is below the least of all', () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 2, max: 4 }), starts, (values, count, start) => {
      const sorted = [...values].sort((a, b) => a - b);
      const errors = [0, 1, 2, 50].map((iterations) => error(values, fit(values, count, { start, iterations })));
      const least = leastError(sorted, Math.min(count, sorted.length));
      return errors.every((now, i) => now >= least - 1e-3 && (i === 0 || now <= errors[i - 1] + 1e-3));
    }),
    { numRuns: 50 },
  );
});

test('the best of the three starts finds the least error of most small samples', () => {
  let found = 0;
  for (let seed = 0; seed < 40; seed++) {
    const values = normals(12, seed);
    const sorted = Array.from(values).sort((a, b) => a - b);
    const errors = (['quantiles', 'uniform', 'random'] as const).map((start) =>
      error(values, fit(values, 3, { start, iterations: 50 }, seed)),
    );
    if (Math.min(...errors) <= leastError(sorted, 3) * 1.0001) found++;
  }
  expect(found).toBeGreaterThan(20);
});

describe('known optima', () => {
  // Max 1960, table I, for the normal distribution: levels and mean squared errors.
  test.each([
    [2, [-0.7979, 0.7979], 0.3634],
    [4, [-1.51, -0.4528, 0.4528, 1.51], 0.1175],
    [8, [-2.152, -1.344, -0.756, -0.2451, 0.2451, 0.756, 1.344, 2.152], 0.03454],
  ])('%i levels of normal numbers are those of Max 1960', (count, levels, distortion) => {
    const values = normals(40_000, 21);
    const fitted = fit(values, count, { start: 'quantiles', iterations: 1000 });
    // The outer levels are means of the fewest numbers.
    fitted.forEach((level, i) => expect(Math.abs(level - levels[i])).toBeLessThan(0.05));
    expect(Math.abs(error(values, fitted) / distortion - 1)).toBeLessThan(0.03);
  });

  test('four levels of Laplace numbers have the error of converged alternating codes of two bits, 0.1762', () => {
    const next = laplace(22);
    const values = Float32Array.from({ length: 40_000 }, next);
    const fitted = fit(values, 4, { start: 'uniform', iterations: 500 });
    const power = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(error(values, fitted) / power / 0.1762 - 1)).toBeLessThan(0.03);
  });
});

test('numbers that are no numbers end the search, too', () => {
  const levels = fit([NaN, 1, NaN, NaN, 2, NaN], 4, { start: 'random', iterations: 3 });
  expect(levels).toHaveLength(4);
});
