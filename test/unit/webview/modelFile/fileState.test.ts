import { describe, expect, test } from 'vitest';
import { FileState } from '../../../../webview/modelFile/fileState.ts';
import { tensorHistogramContent, tensorSpectrumContent } from '../../../../webview/modelFile/contents.ts';
import { shownFile } from './shownFile.ts';

const opened = (bytes?: number) => {
  const state = new FileState();
  state.apply({ type: 'file', file: shownFile(bytes) });
  return state;
};
const inOrder = { descending: false };
const statistics = { zeros: 3, notFinite: 1, minimum: -1, maximum: 1, mean: 0, deviation: 0.5 };

describe('what is asked for', () => {
  test('of a small file is all of it, what is seen first, without what cannot be read', () => {
    expect(opened().wanted([2], undefined, inOrder)).toEqual({ statistics: [2, 0, 1] });
  });

  test('of a large one is what is seen, unless it is sorted by what the numbers come to', () => {
    const state = opened(1e9);
    expect(state.wanted([1], undefined, inOrder)).toEqual({ statistics: [1] });
    expect(state.wanted([1], undefined, { key: 'bytes', descending: true })).toEqual({ statistics: [1] });
    expect(state.wanted([1], undefined, { key: 'zeros', descending: true })).toEqual({ statistics: [1, 0, 2] });
  });

  test('is not asked for again once it is known, or known to be unreadable', () => {
    const state = opened();
    state.apply({ type: 'statistics', tensor: 0, statistics });
    state.apply({ type: 'tensorProblem', tensor: 2, message: 'cut off' });
    expect(state.wanted([], 0, inOrder)).toEqual({ statistics: [1], histogram: 0 });
    const histogram = { minimum: -1, maximum: 1, zeros: 3, counts: new Float64Array(100) };
    state.apply({ type: 'histogram', tensor: 0, histogram });
    expect(state.wanted([], 0, inOrder)).toEqual({ statistics: [1] });
    expect(state.wanted([], 3, inOrder)).toEqual({ statistics: [1] });
  });
});

test('tensors are found by a part of their names, whatever the letters', () => {
  const names = opened()
    .found('FC', { key: 'bytes', descending: true })
    .map(({ tensor }) => tensor.name);
  expect(names).toEqual(['fc1/kernel', 'fc1/bias']);
});

test('a file that cannot be read any more takes its tensors away', () => {
  const state = opened();
  state.apply({ type: 'problem', message: 'gone' });
  expect(state).toMatchObject({ file: undefined, tensors: [], problem: { message: 'gone' } });
  // Late news of the file before.
  state.apply({ type: 'statistics', tensor: 0, statistics });
  expect(state.tensors).toEqual([]);
});

describe('the charts', () => {
  const { tensors } = shownFile();
  const histogram = { minimum: -1, maximum: 1, zeros: 3, counts: Float64Array.of(2, 0, 4, 1) };

  test('have all numbers, or all but the zeros', () => {
    const content = (withZeros: boolean) =>
      tensorHistogramContent(tensors[0], statistics, histogram, { scale: 'log', withZeros });
    expect([...Array.from(content(true).series[0].y)]).toEqual([2, 0, 4, 1]);
    expect([...Array.from(content(false).series[0].y)]).toEqual([2, 0, 1, 1]);
    expect(content(true).summary).toBe('50% zeros · 1 not finite · mean 0 · standard deviation 0.5');
  });

  test('of a spectrum say how many values have most of the energy', () => {
    const content = tensorSpectrumContent(Float64Array.of(4, 1, 0.01), 'log');
    expect(content.summary).toBe(
      '90% of the energy is in the first 1 of 3 values. 99% of the energy is in the first 2 of 3 values.',
    );
    expect([...Array.from(content.series[0].x)]).toEqual([1, 2, 3]);
  });
});
