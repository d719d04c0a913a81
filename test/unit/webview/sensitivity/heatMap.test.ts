import { describe, expect, it } from 'vitest';
import { cellText, columnText } from '../../../../webview/sensitivity/mapTable.ts';
import { heatMap } from '../../../../webview/sensitivity/model/heatMap.ts';
import { sensitivityReport } from './report.ts';

describe('the map of layers by settings', () => {
  const { columns, rows, bounds } = heatMap(sensitivityReport());

  it('has a column for each value that layers share, and one for each place of those that each has for itself', () => {
    expect(columns.map(({ parameter, setting, range }) => [parameter, setting, range])).toEqual([
      ['rate', 0.5, [0.5, 0.5]],
      ['rate', 0.8, [0.8, 0.8]],
      ['rate', 0.9, [0.9, 0.9]],
      ['rate', 0.99, [0.99, 0.99]],
      ['rank', undefined, [38, 100]],
      ['rank', undefined, [4, 54]],
      ['rank', undefined, [2, 27]],
    ]);
    expect(columns.map(columnText)).toEqual([
      ...['pruning rate 50%', 'pruning rate 80%', 'pruning rate 90%', 'pruning rate 99%'],
      ...['rank 38-100', 'rank 4-54', 'rank 2-27'],
    ]);
  });

  it('has a row for each layer, with nothing where it was not measured', () => {
    expect(rows.map(({ key }) => key)).toEqual(['fc1', 'fc2', 'fc3']);
    expect(rows.map(({ cells }) => cells.map((cell) => cell?.setting))).toEqual([
      [0.5, 0.8, 0.9, 0.99, 100, 54, 27],
      [0.5, 0.8, 0.9, 0.99, 38, 19, 9],
      [0.5, 0.8, 0.9, 0.99, undefined, 4, 2],
    ]);
  });

  it('grades drops by the allowed one: within it, and up to 4, 16 and 64 times of it', () => {
    expect(bounds).toEqual([0.005, 0.02, 0.08, 0.32]);
    expect(rows[0].cells.map((cell) => cell?.level)).toEqual([0, 0, 2, 3, 0, 0, 2]);
    expect(rows[2].cells[3]?.level).toBeUndefined();
    const beyond = sensitivityReport();
    const cells = beyond.cells.map((cell) => ({ ...cell, drop: 0.5 }));
    expect(heatMap({ ...beyond, cells }).rows[0].cells[0]?.level).toBe(4);
  });

  it('grades by half a percent of the metric where no drop was allowed', () => {
    expect(heatMap(sensitivityReport({ suggestion: undefined })).bounds[0]).toBe(0.005);
    expect(heatMap(sensitivityReport({ suggestion: undefined, metric: 'perplexity', value: 120 })).bounds[0]).toBe(0.6);
  });

  it('marks what is suggested', () => {
    expect(rows.flatMap(({ key, cells }) => cells.filter((cell) => cell?.isSuggested).map((cell) => [key, cell?.setting]))).toEqual([['fc1', 0.8], ['fc3', 2]]); // prettier-ignore
  });

  it('says a cell in words', () => {
    const [fc1, , fc3] = rows;
    expect(cellText('fc1', fc1.cells[1]!, 'accuracy')).toBe(
      'fc1, pruning rate 80%: accuracy 97.65%, drop 0.0035, 188 kB, 5.00x smaller, suggested',
    );
    expect(cellText('fc3', fc3.cells[3]!, 'accuracy')).toContain('the model is not finite');
  });

  it('is empty of a model without layers', () => {
    expect(heatMap(sensitivityReport({ weights: [], cells: [] }))).toMatchObject({ columns: [], rows: [] });
  });
});
