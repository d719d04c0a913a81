import { describe, expect, test } from 'vitest';
import { shortValue, splitValues } from '../../../../extension/runs/overrideText.ts';

describe('changed values in a line', () => {
  test.each([
    ['', []],
    ['  training.seed=2   training.steps=10 ', ['training.seed=2', 'training.steps=10']],
    [
      'compression.layers={"fc1": {"rate": 0.9}} training.seed=2',
      ['compression.layers={"fc1": {"rate": 0.9}}', 'training.seed=2'],
    ],
    ['model="my model.ts" training.seed=2', ['model="my model.ts"', 'training.seed=2']],
    ['model="a \\" b" x=1', ['model="a \\" b"', 'x=1']],
    ['broken="not closed x=1', ['broken="not closed x=1']],
  ])('%j are %j', (line, values) => {
    expect(splitValues(line)).toEqual(values);
  });

  test.each([
    ['training.seed=2', 'seed=2'],
    ['compression.layers.fc1.rate=0.9', 'fc1.rate=0.9'],
    ['compression.layers={}', 'layers={}'],
    ['model=./a.ts', 'model=./a.ts'],
  ])('%s is short: %s', (override, short) => {
    expect(shortValue(override)).toBe(short);
  });
});
