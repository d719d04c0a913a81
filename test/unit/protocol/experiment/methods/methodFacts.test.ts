import { describe, expect, test } from 'vitest';
import { isMethod, methodFacts, methodNames } from '../../../../../server/protocol/experiment/methods/index.ts';
import { compressionSchemas } from '../../../../../server/protocol/experiment/schema/compression.ts';

describe.each(methodNames)('the facts of %s', (method) => {
  const facts = methodFacts[method];
  const { shape } = compressionSchemas[method];
  const accepts = (parameters: object) => shape.layers.valueType.safeParse(parameters).success;

  test.each(Object.entries(facts.parameters))('have values of %s that the schema takes', (name, parameter) => {
    const { lowest, highest, step } = parameter.range(300);
    const matrices = [
      { rows: 300, columns: 784 },
      { rows: 100, columns: 300 },
    ];
    const values = [
      ...[lowest, lowest + step, highest, parameter.first(), parameter.first(300), parameter.first(1)],
      ...parameter.proposed(matrices),
      parameter.forRatio?.(10, matrices) ?? lowest,
    ];
    expect(values.filter((value) => !accepts({ [name]: value }))).toEqual([]);
    expect(accepts({ [name]: 'many' })).toBe(false);
  });

  test('name a rising parameter where its schedule has an end, and no other settings than the schema has', () => {
    const ends = !shape.schedule.safeParse({ from: 0 }).success;
    expect(facts.rises === undefined).toBe(!ends);
    if (facts.rises !== undefined) expect(Object.keys(facts.parameters)).toContain(facts.rises);
    expect(Object.keys(shape)).toEqual(expect.arrayContaining(Object.keys(facts.required)));
    const { valueType } = shape.layers;
    if (facts.keptParameters)
      expect('shape' in valueType && Object.keys(valueType.shape)).toEqual(
        expect.arrayContaining([...facts.keptParameters]),
      );
  });

  test('make a whole compression out of the first values', () => {
    const parameters = Object.entries(facts.parameters).map(([name, { first }]) => [name, first()] as const);
    const written = {
      method,
      distortEvery: facts.distortEvery.others,
      layers: { fc1: Object.fromEntries(parameters) },
      ...facts.required,
    };
    expect(compressionSchemas[method].safeParse(written).error).toBeUndefined();
  });
});

test('a method is known by its own name alone', () => {
  expect(['prune', 'low-rank', 'lowRank', 'toString', 7, undefined].map(isMethod)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

describe('a rank', () => {
  const { rank } = methodFacts['low-rank'].parameters;
  const matrices = [
    { rows: 784, columns: 300 },
    { rows: 300, columns: 100 },
  ];

  test.each([2, 10, 50])('for a ratio of %d is the largest that leaves 1 number of so many', (ratio) => {
    const ratioAt = (r: number) => (784 * 300 + 300 * 100) / (r * (784 + 300 + 300 + 100));
    const ranks = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(rank.forRatio?.(ratio, matrices)).toBe(Math.max(...ranks.filter((r) => ratioAt(r) >= ratio)));
  });

  test('is never larger than the shorter side, and at least 1', () => {
    expect(rank.forRatio?.(1e6, matrices)).toBe(1);
    expect(rank.forRatio?.(0.01, matrices)).toBe(100);
    expect(rank.forRatio?.(10, [])).toBeUndefined();
    expect([rank.first(), rank.first(300), rank.first(20), rank.first(1)]).toEqual([16, 16, 10, 1]);
  });
});
