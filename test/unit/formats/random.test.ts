import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Random, type Seeding } from '../../../server/formats/random.ts';

test('the numbers are those of the reference code for every seed, stream and seeding', () => {
  // From fixtures/make_fixtures.py: NumPy's seed sequence, and a generator that is checked against published numbers.
  const url = new URL('./fixtures/random.json', import.meta.url);
  const cases = JSON.parse(readFileSync(url, 'utf8')) as {
    seed: number;
    stream: number;
    seeding: Seeding;
    numbers: number[];
  }[];
  expect(new Set(cases.map(({ seeding }) => seeding))).toEqual(new Set([1, 2]));
  for (const { seed, stream, seeding, numbers } of cases) {
    const random = new Random(seed, stream, seeding);
    expect(numbers.map(() => random.uint32())).toEqual(numbers);
  }
});

test('the streams of many seeds have no numbers in common', () => {
  const bases = [0, 2 ** 32 - 1, 2 ** 40, 2 ** 42];
  const streams = bases.flatMap((base) => Array.from({ length: 60 }, (_, i) => base + i));
  const seeds = [0, 2 ** 32 - 2].flatMap((base) => Array.from({ length: 60 }, (_, i) => base + i));
  const beginnings = new Set<string>();
  for (const seed of seeds) {
    for (const stream of streams) {
      const random = new Random(seed, stream);
      beginnings.add(Array.from({ length: 4 }, () => random.uint32()).join());
    }
  }
  expect(beginnings.size).toBe(seeds.length * streams.length);
});

test('no epoch of a seed has the order of samples of an epoch of another', () => {
  const orders = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    for (let epoch = 0; epoch < 20; epoch++) {
      const order = Uint32Array.from({ length: 30 }, (_, i) => i);
      new Random(seed, epoch).shuffle(order);
      orders.add(order.join());
    }
  }
  expect(orders.size).toBe(400);
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
