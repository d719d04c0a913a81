import { expect, test } from 'vitest';
import type { ChartContent, Series } from '../../../../webview/charts/model/content.ts';
import { nearestPoint, placeText, readAt } from '../../../../webview/charts/readout.ts';

const series = (id: string, x: number[], mark?: Series['mark']): Series => ({
  id,
  label: id,
  color: 0,
  x: Float64Array.from(x),
  y: Float64Array.from(mark === 'bins' ? x.slice(1) : x),
  ...(mark && { mark }),
});
const content = (...all: Series[]): ChartContent => ({ x: { label: 'step' }, y: { label: 'loss' }, series: all });
const idsAt = (chart: ChartContent, x: number) => readAt(chart, new Set(), x).map(({ series: { id } }) => id);
const placeAt = (chart: ChartContent, x: number) => placeText(chart, nearestPoint(readAt(chart, new Set(), x), x)!);

test('a run that has ended has no value at the steps of one that goes on', () => {
  const chart = content(series('short', [0, 50, 100, 150]), series('long', [0, 200, 400, 600, 800]));
  expect(idsAt(chart, 120)).toEqual(['short', 'long']);
  expect(idsAt(chart, 620)).toEqual(['long']);
  // The step of the point that is read, not of the first series.
  expect(placeAt(chart, 620)).toBe('step 600');
  expect(placeAt(chart, 140)).toBe('step 150');
  expect(placeAt(chart, 190)).toBe('step 200');
});

test('beyond the last point of all, the last values are read', () => {
  const chart = content(series('short', [0, 50, 100]), series('long', [0, 100, 200]));
  expect(idsAt(chart, 900)).toEqual(['short', 'long']);
  expect(placeAt(chart, 900)).toBe('step 200');
});

test('single points and bins are read wherever they are', () => {
  const chart = content(series('one', [10]), series('bins', [0, 1, 2], 'bins'), series('line', [0, 1, 2]));
  expect(idsAt(chart, 1.5)).toEqual(['one', 'bins', 'line']);
  expect(placeAt(chart, 1.5)).toBe('step 1 … 2');
});
