import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BinaryCodes } from '../../../../../server/compression/methods/quantize/binaryCodes.ts';
import { laplace, normal, normals, uniform } from '../../random.ts';

type Algorithm = 'greedy' | 'refined' | 'alternating';

function fitted(weights: Float32Array, bits: number, algorithm: Algorithm, iterations = 2) {
  const fit = new BinaryCodes(weights.length, { bits, algorithm, iterations });
  fit.fit(weights);
  return { ...fit, scales: fit.scales, approximation: weights.map((_, i) => fit.levels[fit.codes[i]]) };
}

function squaredError(weights: Float32Array, approximation: Float32Array): number {
  return weights.reduce((sum, weight, i) => sum + (weight - approximation[i]) ** 2, 0);
}

function relativeError(weights: Float32Array, bits: number, algorithm: Algorithm, iterations?: number): number {
  const { approximation } = fitted(weights, bits, algorithm, iterations);
  return squaredError(weights, approximation) / squaredError(weights, new Float32Array(weights.length));
}

describe('relative squared errors of 400,000 random weights agree with those of an independent implementation', () => {
  // One row; greedy, refined, alternating T = 2, alternating T = 20. The reference drew other samples of the same size:
  // a relative mean square of 400,000 values has a relative standard deviation of 0.2% to 0.4% (Laplace), and it was
  // printed to four digits. 1.5% holds both, and is far below the differences between the algorithms.
  const reference = {
    normal: [
      [0.3628, 0.3628, 0.3628, 0.3628],
      [0.1304, 0.1251, 0.1191, 0.1175],
      [0.0584, 0.0506, 0.0461, 0.037],
      [0.033, 0.0246, 0.022, 0.0117],
    ],
    laplace: [
      [0.5008, 0.5008, 0.5008, 0.5008],
      [0.2302, 0.2096, 0.1843, 0.1762],
      [0.1433, 0.117, 0.0822, 0.0563],
      [0.0956, 0.0612, 0.0534, 0.0202],
    ],
    uniform: [
      [0.2501, 0.2501, 0.2501, 0.2501],
      [0.0624, 0.0624, 0.0624, 0.0624],
      [0.0156, 0.0156, 0.0156, 0.0156],
      [0.0039, 0.0039, 0.0039, 0.0039],
    ],
  };
  const symmetric = uniform(7);
  const generators = { normal: normal(5), laplace: laplace(6), uniform: () => 2 * symmetric() - 1 };

  test.each(Object.keys(reference) as (keyof typeof reference)[])('%s', (distribution) => {
    const weights = Float32Array.from({ length: 400_000 }, generators[distribution]);
    reference[distribution].forEach((expected, i) => {
      const errors = [
        relativeError(weights, i + 1, 'greedy'),
        relativeError(weights, i + 1, 'refined'),
        relativeError(weights, i + 1, 'alternating', 2),
        relativeError(weights, i + 1, 'alternating', 20),
      ];
      errors.forEach((error, j) => expect(Math.abs(error / expected[j] - 1)).toBeLessThan(0.015));
    });
  });

  test('one bit of Gaussian weights leaves 1 - 2/pi, two converged bits the error of the 4-level Lloyd-Max quantizer', () => {
    const weights = normals(400_000, 8);
    expect(Math.abs(relativeError(weights, 1, 'greedy') - (1 - 2 / Math.PI))).toBeLessThan(0.002);
    expect(Math.abs(relativeError(weights, 2, 'alternating', 100) - 0.1175)).toBeLessThan(0.001);
  });
});

test('one bit is the sign times the mean magnitude, with sign(0) = +1', () => {
  const { approximation, scales } = fitted(Float32Array.of(3, 0, -1, -4), 1, 'greedy');
  expect(scales).toEqual(Float32Array.of(2));
  expect(approximation).toEqual(Float32Array.of(2, 2, -2, -2));
});

const rows = fc.float32Array({ min: -10, max: 10, noNaN: true, minLength: 1, maxLength: 24 });
const bitCounts = fc.integer({ min: 1, max: 4 });
const algorithms = fc.constantFrom<Algorithm>('greedy', 'refined', 'alternating');

test('scales are finite, descending and non-negative for any row, also one of a few or of equal weights', () => {
  fc.assert(
    fc.property(rows, bitCounts, algorithms, (weights, bits, algorithm) => {
      const { scales, approximation } = fitted(weights, bits, algorithm);
      for (let i = 0; i < bits; i++) {
        expect(scales[i]).toBeGreaterThanOrEqual(0);
        if (i > 0) expect(scales[i]).toBeLessThanOrEqual(scales[i - 1]);
      }
      expect(approximation.every(Number.isFinite)).toBe(true);
    }),
  );
  for (const weights of [new Float32Array(5), new Float32Array(5).fill(-0.3), Float32Array.of(7)])
    for (const algorithm of ['greedy', 'refined', 'alternating'] as const) {
      // float32 scales and the 1e-8 that keeps B'B definite
      const { approximation } = fitted(weights, 3, algorithm);
      approximation.forEach((value, i) => expect(Math.abs(value - weights[i])).toBeLessThan(1e-6 * 7));
    }
});

test('codes of one bit stay when they are found again', () => {
  fc.assert(
    fc.property(rows, algorithms, (weights, algorithm) => {
      const once = fitted(weights, 1, algorithm).approximation;
      const twice = fitted(once, 1, algorithm).approximation;
      // A mean of equal magnitudes in float64, rounded to float32.
      twice.forEach((value, i) => expect(Math.abs(value - once[i])).toBeLessThanOrEqual(2 ** -23 * Math.abs(once[i])));
    }),
  );
});

test('weights that are the sums of a few scales in all combinations are found exactly', () => {
  // Each code as often as any other: then means over the weights are the scales themselves.
  const scales = [4, 2, 1];
  const weights = Float32Array.from({ length: 8 }, (_, code) =>
    scales.reduce((sum, scale, bit) => sum + (code & (1 << bit) ? scale : -scale), 0),
  );
  for (const algorithm of ['greedy', 'refined', 'alternating'] as const) {
    const found = fitted(weights, 3, algorithm);
    found.scales.forEach((scale, i) => expect(scale).toBeCloseTo(scales[i], 5));
    found.approximation.forEach((value, i) => expect(value).toBeCloseTo(weights[i], 5));
  }
});

test('alternating is never worse than greedy, and more rounds are never worse', () => {
  fc.assert(
    fc.property(rows, bitCounts, (weights, bits) => {
      const errors = [
        fitted(weights, bits, 'greedy'),
        ...[1, 2, 5, 20].map((iterations) => fitted(weights, bits, 'alternating', iterations)),
      ].map(({ approximation }) => squaredError(weights, approximation));
      // Rounding of the scales to float32 and the regularization, relative to the norm of the row.
      const slack = 1e-5 * squaredError(weights, new Float32Array(weights.length)) + 1e-12;
      for (let i = 1; i < errors.length; i++) expect(errors[i]).toBeLessThanOrEqual(errors[i - 1] + slack);
    }),
  );
});

test('refined scales solve the least squares problem of their codes', () => {
  const weights = normals(200, 9);
  const { codes, approximation } = fitted(weights, 3, 'refined');
  // The residual is orthogonal to every plane: B'(w - B alpha) = 0, up to float32 scales.
  for (let plane = 0; plane < 3; plane++) {
    const projection = weights.reduce(
      (sum, weight, i) => sum + (weight - approximation[i]) * ((codes[i] >> plane) & 1 ? 1 : -1),
      0,
    );
    expect(Math.abs(projection)).toBeLessThan(200 * 1e-6);
  }
});

test('a weight at a midpoint of two levels takes the upper one', () => {
  // Levels come in pairs of one magnitude, so that 0 is halfway between the two in the middle.
  const { approximation, levels } = fitted(Float32Array.of(-3, -1, 0, 1, 3, -2, 2), 2, 'alternating');
  expect(approximation[2]).toBe(Math.fround(Math.min(...levels.filter((level) => level > 0))));
});
