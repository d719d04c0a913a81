import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Random } from '../../../server/formats/random.ts';

test('the numbers are those of the reference code for every seed and stream', () => {
  // From fixtures/make_fixtures.py, which checks itself against the published test vectors.
  const url = new URL('./fixtures/random.json', import.meta.url);
  const cases = JSON.parse(readFileSync(url, 'utf8')) as { seed: number; stream: number; numbers: number[] }[];
  for (const { seed, stream, numbers } of cases) {
    const random = new Random(seed, stream);
    expect(numbers.map(() => random.uint32())).toEqual(numbers);
  }
});

test('uniform numbers have the mean 1/2 and the variance 1/12', () => {
  const random = new Random(3);
  const draws = Array.from({ length: 100_000 }, () => random.uniform());
  const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
  const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
  // Five standard errors: sqrt(1/12 / 1e5) = 0.0009, sqrt(1/180 / 1e5) = 0.00024.
  expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.0046);
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.0012);
  expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...draws)).toBeLessThan(1);
});

test('every order of four items is equally likely', () => {
  const random = new Random(5);
  const counts = new Map<string, number>();
  const draws = 24_000;
  for (let i = 0; i < draws; i++) {
    const items = Uint32Array.of(0, 1, 2, 3);
    random.shuffle(items);
    counts.set(items.join(), (counts.get(items.join()) ?? 0) + 1);
  }
  const expected = draws / 24;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(counts.size).toBe(24);
  expect(chiSquare).toBeLessThan(49.7); // 99.9th percentile of chi-square with 23 degrees of freedom
});
