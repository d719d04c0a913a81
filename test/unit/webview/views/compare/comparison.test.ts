import { expect, test } from 'vitest';
import { comparisonOf, orderedRows, type ComparedGroup } from '../../../../../webview/views/compare/comparison.ts';
import { groupResult, type RunResult } from '../../../../../webview/views/compare/results.ts';

const result = (value: number, more: Partial<RunResult> = {}): RunResult => ({
  metric: 'accuracy',
  value,
  final: true,
  bytes: 1000 * value,
  byteRatio: 1 / value,
  hasFile: true,
  steps: 100,
  ...more,
});

function group(key: string, settings: Record<string, string>, ...results: RunResult[]): ComparedGroup {
  return { key, label: key, color: 0, result: groupResult(results), settings: new Map(Object.entries(settings)) };
}

const groups = [
  group('a', { 'training.steps': '100', 'compression.layers.fc1.rate': '0.9' }, result(0.8), result(0.9)),
  group('b', { 'training.steps': '100', 'compression.layers.fc1.rate': '0.95' }, result(0.7)),
  group('c', { 'training.steps': '100' }, { final: false, steps: 100 }),
];

test('runs are rows: their results, and only the settings in which they differ, by short names', () => {
  const { columns, rows } = comparisonOf(groups);
  expect(columns.map(({ title }) => title)).toEqual([
    'Test accuracy',
    'Size',
    'Smaller by',
    'Fewer weights by',
    'Training time',
    'rate',
  ]);
  expect(columns.at(-1)?.fullTitle).toBe('compression.layers.fc1.rate');
  expect(rows.map(({ cells }) => cells.get('compression.layers.fc1.rate')?.text)).toEqual(['0.9', '0.95', undefined]);
});

test('seeds are a mean with its uncertainty, and the best is marked', () => {
  const [seeds, one, running] = comparisonOf(groups).rows;
  expect(seeds.cells.get('value')).toMatchObject({
    text: expect.stringMatching(/^85\.00% ± \d+\.\d\d%$/),
    tag: 'best',
  });
  expect(one.cells.get('value')).toMatchObject({ text: '70.00%', value: 0.7 });
  expect(running.cells.get('value')).toBeUndefined();
});

test('a group of seeds tells how much it differs from the first, and if that is more than noise', () => {
  const [first, second] = groups;
  const { columns, rows } = comparisonOf([
    first,
    { ...second, difference: { mean: -0.1, margin: 0.2, isMoreThanNoise: false } },
  ]);
  expect(columns.map(({ title }) => title)).toContain('Difference to a');
  expect(rows.map(({ cells }) => cells.get('difference'))).toEqual([
    undefined,
    { text: '-0.1 ± 0.2', value: -0.1, tag: 'no more than noise' },
  ]);
});

test('rows are sorted by any column, both ways, those without a value last', () => {
  const { rows } = comparisonOf(groups);
  const order = (column: string | undefined, descending: boolean) =>
    orderedRows(rows, { ...(column !== undefined && { column }), descending })
      .map(({ key }) => key)
      .join('');
  expect(order('value', true)).toBe('abc');
  expect(order('value', false)).toBe('bac');
  expect(order('compression.layers.fc1.rate', true)).toBe('bac');
  expect(order('run', true)).toBe('cba');
  expect(order(undefined, false)).toBe('abc');
});
