import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  axesOf,
  brushOf,
  endTexts,
  isBrushed,
  movedBrush,
  placesOf,
  type Brush,
} from '../../../../webview/sweep/model/axes.ts';
import { columnsOf } from '../../../../webview/sweep/model/columns.ts';
import { frontContent } from '../../../../webview/sweep/model/frontContent.ts';
import { parseFilter } from '../../../../webview/sweep/model/filter.ts';
import { importanceOf, ranksOf } from '../../../../webview/sweep/model/importance.ts';
import { itemsOf } from '../../../../webview/sweep/model/items.ts';
import { orderedRows } from '../../../../webview/sweep/model/order.ts';
import { sweptRow, sweptRows } from './sweptRows.ts';

const rows = sweptRows([0.5, 0.9, 0.98], [1, 2]);
const together = itemsOf(rows, true);
const apart = itemsOf(rows, false);
const columns = columnsOf(together);
const column = (id: string, all = columns) => all.find((one) => one.id === id)!;

describe('the rows of a sweep', () => {
  test('are a row for each combination, with the mean over its seeds and the margin of that', () => {
    expect(together.items.map(({ runs }) => runs.map(({ seed }) => seed))).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    const [best] = together.items;
    expect(best.settings).toEqual(new Map([['compression.layers.fc1.rate', 0.5]]));
    expect(best.measures.get('test')?.mean).toBeCloseTo(0.9885, 12);
    // Two values 0.001 apart: t of one degree of freedom at 95% is 12.7062, the standard error 0.0005.
    expect(best.measures.get('test')?.margin).toBeCloseTo(12.7062 * 0.0005, 6);
    expect(best.measures.get('bytes')).toMatchObject({ mean: 500, margin: 0 });
    expect(best.measures.get('seconds')?.mean).toBe(60);
  });

  test('are a row for each run where they are not taken together, with its seed among what varies', () => {
    expect(apart.items.length).toBe(6);
    expect(apart.settings).toEqual(['compression.layers.fc1.rate', 'training.seed']);
    expect(apart.items.every(({ measures }) => measures.get('test')?.margin === undefined)).toBe(true);
  });

  test('have a column for each setting of an object that varies, as the layers of a search', () => {
    const layers = (rate: number) => `compression.layers={"fc1":{"rate":${rate}},"fc2":{"rate":0.5}}`;
    const found = itemsOf([sweptRow(1, [layers(0.9)]), sweptRow(2, ['compression=null'])], true);
    expect(found.settings).toEqual(['compression.layers.fc1.rate', 'compression.layers.fc2.rate', 'compression']);
    expect(column('fc1.rate', columnsOf(found)).text(found.items[0])).toBe('0.9');
  });

  test('have columns of what varies by short names, and of what came of it', () => {
    expect(columns.map(({ id }) => id)).toEqual(['rate', 'seed', 'test', 'bytes', 'ratio', 'seconds', 'state', 'note']);
    expect(columns.map((one) => one.text(together.items[0]))).toEqual([
      '0.5',
      '1-2',
      '98.85% ± 0.64',
      '500 B',
      '2.00x',
      '1 min 00 s',
      'finished',
      '',
    ]);
    const [{ result }] = rows;
    const lossy = itemsOf([{ ...rows[0], result: { ...result!, loss: 0.25 } }, { ...rows[1], result: { ...result!, loss: null } }], true); // prettier-ignore
    expect(column('loss', columnsOf(lossy)).text(lossy.items[0])).toBe('NaN');
    const running = itemsOf([rows[0], { ...rows[1], state: 'running', result: undefined }], true);
    const live = columnsOf(running, (run) => (run === '/runs/s.2' ? '43% · 97.10%' : undefined));
    expect(column('state', live).text(running.items[0])).toBe('1 of 2 finished · 43% · 97.10%');
    const mixed = itemsOf([rows[0], { ...rows[1], state: 'running', result: undefined }], true);
    expect(column('state', columnsOf(mixed)).text(mixed.items[0])).toBe('1 of 2 finished');
  });
});

describe('settings that are called like a result', () => {
  const result = (test: number, validation: number) => ({
    ...{ metric: 'accuracy', test, validation, loss: 1 - validation, bytes: 1000, bytesKept: 100, byteRatio: 10 },
  });
  const found = itemsOf(
    [
      sweptRow(1, ['data.validation=2000', 'training.loss=a'], { result: result(0.97, 0.96) }),
      sweptRow(2, ['data.validation=5000', 'training.loss=b'], { result: result(0.975, 0.98) }),
      sweptRow(3, ['data.validation=10000', 'training.loss=b'], { result: result(0.96, 0.97) }),
    ],
    true,
  );
  const all = columnsOf(found);
  const validations = (filter: string, of = all) =>
    found.items.filter(parseFilter(filter, of).passes).map(({ settings }) => settings.get('data.validation'));

  test('have columns of their own, by longer names', () => {
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual(['data.validation', 'training.loss', 'validation', 'test', 'loss', 'bytes', 'ratio', 'state', 'note']); // prettier-ignore
    expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
    const split = columnsOf(itemsOf([sweptRow(1, ['data.split.validation=0.1', 'data.name=a'])], true));
    expect(split.map(({ id }) => id)).toEqual(['split.validation', 'name', 'state', 'note']);
  });

  test('are told from the result by the filter and the order', () => {
    expect(validations('validation > 97.5%')).toEqual([5000]);
    expect(validations('data.validation > 2500').sort()).toEqual([10_000, 5000]);
    expect(validations('loss < 0.025')).toEqual([5000]);
    const sorted = orderedRows(found.items, all, { column: 'validation', descending: true }, new Set());
    expect(sorted.map(({ item }) => item.measures.get('validation')?.mean)).toEqual([0.98, 0.97, 0.96]);
  });

  test('are not what the filter compares while there is no result yet', () => {
    const settings = all.filter(({ kind }) => kind === 'setting');
    expect(parseFilter('validation > 2500', settings).problem).toContain('There is no column "validation", but data.');
  });

  test('are told from the column of the seeds, too', () => {
    const rows = [1, 2].flatMap((seed) => [1, 2].map((own) => sweptRow(2 * seed + own, [`data.seed=${own}`, `training.seed=${seed}`], { seed }))); // prettier-ignore
    expect(columnsOf(itemsOf(rows, true)).map(({ id }) => id)).toEqual(['data.seed', 'seed', 'state', 'note']);
    const apart = columnsOf(itemsOf(rows, false)).map(({ id }) => id);
    expect(apart).toEqual(['data.seed', 'training.seed', 'state', 'note']);
  });
});

describe('the filter', () => {
  const passing = (text: string, { items } = together, of = columns) =>
    items.filter(parseFilter(text, of).passes).map(({ settings }) => settings.get('compression.layers.fc1.rate'));

  test.each([
    ['', [0.5, 0.9, 0.98]],
    ['rate > 0.5', [0.9, 0.98]],
    ['RATE>=0.9 and bytes < 50', [0.98]],
    ['fc1.rate = 0.9, ratio > 5x', [0.9]],
    ['rate = 0.5 or rate = 0.98', [0.5, 0.98]],
    ['not rate = 0.5', [0.9, 0.98]],
    ['! (rate < 0.9 || bytes < 0.05 kB)', [0.9]],
    ['accuracy >= 98.5%', [0.5]],
    ['time < 2 min rate != 0.9', [0.5, 0.98]],
    ['seed = 2', [0.5, 0.9, 0.98]],
    ['seed = 3', []],
    ['state: fin', [0.5, 0.9, 0.98]],
    ['0.98', [0.98]],
    ['"0.9" finished', [0.9, 0.98]],
  ])('%j', (text, expected) => {
    expect(parseFilter(text, columns).problem).toBeUndefined();
    expect(passing(text).sort()).toEqual(expected);
  });

  test('finds each whole percentage, which a product with 0.01 often misses', () => {
    const percentages = Array.from({ length: 101 }, (_, percent) => percent);
    const rates = percentages.map((percent) => Number(`${percent}e-2`));
    const rows = rates.map((rate, i) => sweptRow(i + 1, [`compression.layers.fc1.rate=${rate}`]));
    const found = itemsOf(rows, true);
    for (const [i, rate] of rates.entries()) {
      expect(passing(`rate = ${percentages[i]}%`, found, columnsOf(found))).toEqual([rate]);
      expect(passing(`rate >= ${percentages[i]} %`, found, columnsOf(found))).toEqual(rates.slice(i));
    }
    expect(passing('rate = 9.5e1%', found, columnsOf(found))).toEqual([0.95]);
  });

  test.each([
    ['rats > 0.5', 'There is no column "rats", but rate, seed, test'],
    ['rate > ', 'Something is missing at the end.'],
    ['rate > fast', '"fast" is not a number.'],
    ['(rate > 0.5', 'A parenthesis is not closed.'],
    ['rate > 0.5)', '")" is not expected here.'],
    ['"rate', 'A quotation mark is not closed.'],
    ['and', '"&&" is not expected here.'],
  ])('says of %j what is wrong, and lets all rows pass', (text, problem) => {
    const parsed = parseFilter(text, columns);
    expect(parsed.problem).toContain(problem);
    expect(together.items.every(parsed.passes)).toBe(true);
  });

  test('never throws, whatever is typed', () => {
    const sign = fc.constantFrom(
      'rate',
      '>',
      '=',
      '(',
      ')',
      '!',
      '"',
      ' ',
      'and',
      'or',
      '0.9',
      '&',
      '|',
      '\\',
      ',',
      '%',
      '💡',
    );
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 12 }), (parts) => {
        const { passes } = parseFilter(parts.join(''), columns);
        together.items.forEach(passes);
      }),
    );
  });
});

describe('importance', () => {
  const metric = column('test');

  test('ranks have the mean rank of equals', () => {
    expect(ranksOf([10, 30, 20, 20])).toEqual([1, 4, 2.5, 2.5]);
  });

  test('is that of Kruskal and Wallis, adjusted, and 1 where the setting decides alone', () => {
    const alone = itemsOf(
      sweptRows([0.5, 0.9, 0.98], [1, 2, 3], (rate, seed) => 1 - rate - seed / 1000),
      false,
    );
    const all = columnsOf(alone);
    const found = importanceOf(alone.items, all, column('test', all));
    expect(found.map(({ column: { id } }) => id)).toEqual(['rate', 'seed']);
    // scipy.stats.kruskal([7, 8, 9], [4, 5, 6], [1, 2, 3]) has H = 7.2: 1 - (1 - 7.2 / 8) 8 / 6.
    expect(found[0].share).toBeCloseTo(1 - ((1 - 7.2 / 8) * 8) / 6, 12);
    expect(found[0].trend).toBeCloseTo(-0.9486832980505138, 12);
    expect(found[1].share).toBe(0);
  });

  test('cannot be told of a setting with one value, or of as many values as rows', () => {
    expect(importanceOf(together.items, columns, metric).map(({ share }) => share)).toEqual([undefined]);
    const one = itemsOf(sweptRows([0.9], [1, 2]), false);
    expect(importanceOf(one.items, columnsOf(one), metric).map(({ share }) => share)).toEqual([undefined, undefined]);
  });

  test('of chance alone is near 0: many random values are taken together by their size', () => {
    const random = Array.from({ length: 400 }, (_, i) => ((i * 7919) % 4001) / 4001);
    const runs = random.map((rate, i) =>
      sweptRow(i + 1, [`training.optimizer.learningRate=${rate}`], {
        result: { metric: 'loss', test: ((i * 104_729) % 5003) / 5003, bytes: 10, bytesKept: 5, byteRatio: 2 },
      }),
    );
    const chance = itemsOf(runs, true);
    const [{ share }] = importanceOf(chance.items, columnsOf(chance), column('test', columnsOf(chance)));
    expect(share).toBeLessThan(0.05);
  });
});

describe('size against metric', () => {
  test('has a point for each row with the interval of its seeds, and the front', () => {
    const { series, summary } = frontContent(together.items, column('test'), ({ id }) => id, undefined);
    expect(series.map(({ id }) => id)).toEqual(['rows', 'intervals', 'front']);
    expect(series[0].x).toEqual([20, 100, 500]);
    expect(series[0].describe?.(0)).toMatch(/^s\.5: 97\.89% ± 0\.64, 20 B$/);
    expect(Number(series[1].y[0]) - Number(series[1].from?.[0])).toBeCloseTo(2 * 12.7062 * 0.0005, 6);
    expect(summary).toBe('3 of 3 rows are Pareto-optimal in size and metric.');
  });

  test('sets the chosen row off, and is empty without a finished run', () => {
    const chosen = frontContent(together.items, column('test'), ({ id }) => id, 's.5');
    expect(chosen.series[0]).toMatchObject({ id: 'chosen', x: [20] });
    const planned = itemsOf([sweptRow(1, ['training.seed=1'], { state: 'planned' })], true);
    expect(frontContent(planned.items, column('test'), ({ id }) => id, undefined).series[0].x).toEqual([]);
  });
});

describe('parallel coordinates', () => {
  const axes = axesOf(together.items, columns);

  test('have an axis for each column with more than one value', () => {
    expect(axes.map(({ column: { id } }) => id)).toEqual(['rate', 'test', 'bytes', 'ratio']);
    expect(axes[0].ticks.map(({ text }) => text)).toEqual(['0.5', '0.9', '0.98']);
    expect(together.items.map((item) => axes[0].place(item))).toEqual(
      [0, 0.4 / 0.48, 1].map((place) => expect.closeTo(place, 12)),
    );
    expect(axes[0].valueAt(0.5)).toBeCloseTo(0.74, 12);
    expect(axes[0].textOf(0.74)).toBe('0.74');
  });

  test('write a time that is rounded to the same text once', () => {
    const rows = sweptRows([0.5, 0.9, 0.98], [1]).map((row, i) => ({
      ...row,
      result: { ...row.result!, seconds: [1.1, 1.3, 2.4][i] },
    }));
    const timed = itemsOf(rows, true);
    const axis = axesOf(timed.items, columnsOf(timed)).find(({ column: { id } }) => id === 'seconds')!;
    expect(axis.ticks.map(({ text }) => text)).toEqual(['1 s', '2 s']);
  });

  test('stand words in their order, and rows without a value nowhere', () => {
    const words = itemsOf([sweptRow(1, ['model=a']), sweptRow(2, ['model=b']), sweptRow(3, ['model=c'])], true);
    const [axis] = axesOf(words.items, columnsOf(words));
    expect(words.items.map((item) => axis.place(item))).toEqual([0, 0.5, 1]);
    expect(axis.valueAt(0.6)).toBe('b');
    expect(axes[1].place({ ...together.items[0], measures: new Map() })).toBeUndefined();
  });

  test('have none for a result of which one value alone is finite, and a row without a finite value has no place', () => {
    const rows = sweptRows([0.5, 0.9, 0.98], [1]);
    const testsOf = (...tests: readonly (number | null)[]) => {
      const found = itemsOf(rows.map((row, i) => ({ ...row, result: { ...row.result!, test: tests[i] } })), true); // prettier-ignore
      const axis = axesOf(found.items, columnsOf(found)).find(({ column: { id } }) => id === 'test');
      return axis && found.items.map((item) => axis.place(item));
    };
    expect(testsOf(null, 0.9, null)).toBeUndefined();
    expect(testsOf(0.9, 0.9, null)).toBeUndefined();
    expect(testsOf(0.8, 0.9, null)).toEqual([1, 0, undefined]);
  });

  test('let those rows pass that lie in all brushes', () => {
    const brushes = new Map<string, Brush>([
      ['rate', { from: 0.75 }],
      ['bytes', { from: 70, to: 100 }],
    ]);
    const passing = together.items.filter((item) => isBrushed(item, axes, brushes));
    expect(passing.map(({ settings }) => [...settings.values()])).toEqual([[0.9]]);
  });

  test('have brushes that hold the same when the axis gets longer, and more at an end that is that of the axis', () => {
    const testsOf = (tests: readonly number[], brush: (axis: (typeof axes)[number]) => Brush | undefined) => {
      const all = (count: number) => {
        const rows = sweptRows([0.5, 0.6, 0.7, 0.8, 0.9], [1]).map((row, i) => ({
          ...row,
          ...(i < count
            ? { result: { ...row.result!, test: tests[i] } }
            : { state: 'running' as const, result: undefined }),
        }));
        const { items, ...rest } = itemsOf(rows, true);
        return { items, axes: axesOf(items, columnsOf({ items, ...rest })) };
      };
      const axisOf = (of: typeof axes) => of.find(({ column: { id } }) => id === 'test')!;
      const before = all(3);
      const brushes = new Map([['test', brush(axisOf(before.axes))!]]);
      return [before, all(5)].map(({ items, axes: own }) => ({
        passing: items.filter((item) => isBrushed(item, own, brushes)).map(({ measures }) => measures.get('test')!.mean).sort(), // prettier-ignore
        texts: endTexts(axisOf(own), brushes.get('test')!),
      }));
    };
    const tests = [0.9, 0.94, 0.96, 0.1, 0.99];
    expect(testsOf(tests, (axis) => brushOf(axis, { from: 0.5, to: 1 }))).toEqual([
      { passing: [0.94, 0.96], texts: ['93.00%', '96.00%'] },
      { passing: [0.94, 0.96, 0.99], texts: ['93.00%', '99.00%'] },
    ]);
    const inner = testsOf(tests, (axis) => brushOf(axis, { from: 0.1, to: 0.9 }));
    expect(inner.map(({ passing }) => passing)).toEqual([[0.94], [0.94]]);
    expect(inner[1].texts).toEqual(inner[0].texts);
    // A loss that a linear axis held and the later, logarithmic one does not reach down to.
    expect(testsOf([0.9, 0.94, 0.96, 0.001, 0.99], () => ({ from: -1 }))[1].passing).toHaveLength(5);
  });

  test('have words in the order of the plan, so that a brush holds the same words whatever the results are', () => {
    const passing = (tests: readonly (number | undefined)[], brush: Brush) => {
      const [{ result }] = rows;
      const swept = ['a', 'b', 'c'].map((model, i) => {
        const test = tests.at(i);
        return sweptRow(i + 1, [`model=${model}`], test === undefined ? { state: 'running' } : { result: { ...result!, test } }); // prettier-ignore
      });
      const found = itemsOf(swept, true);
      const own = axesOf(found.items, columnsOf(found));
      expect(own[0].ticks.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
      return found.items.filter((item) => isBrushed(item, own, new Map([['model', brush]]))).map(({ settings }) => settings.get('model')).sort(); // prettier-ignore
    };
    for (const tests of [[], [0.9, 0.95, 0.99], [0.99, 0.9, 0.95]]) {
      expect(passing(tests, { from: 'b' })).toEqual(['b', 'c']);
      expect(passing(tests, { to: 'a' })).toEqual(['a']);
      expect(passing(tests, { from: 'gone', to: 'b' })).toEqual(['a', 'b']);
    }
  });

  test('have brushes whose ends keys move within the axis, until they hold everything', () => {
    const [axis] = axes;
    const moved = (places: { from: number; to: number } | undefined, by: number, end: 'from' | 'to') => {
      const next = movedBrush(axis, places && brushOf(axis, places), by, end);
      if (next === undefined) return undefined;
      const { from, to } = placesOf(axis, next);
      return [from, to].map((place) => Number(place.toFixed(12)));
    };
    expect(moved(undefined, 0.25, 'from')).toEqual([0.25, 1]);
    expect(movedBrush(axis, undefined, 0.25, 'from')?.to).toBeUndefined();
    expect(moved(undefined, 0.25, 'to')).toBeUndefined();
    expect(moved({ from: 0.25, to: 0.5 }, -0.5, 'to')).toEqual([0.25, 0.25]);
    expect(moved({ from: 0.25, to: 0.5 }, 0.5, 'from')).toEqual([0.5, 0.5]);
    expect(moved({ from: 0, to: 0.75 }, 0.25, 'to')).toBeUndefined();
    // A brush beyond an axis that has become shorter is at its end.
    expect(placesOf(axis, { from: 2, to: 3 })).toEqual({ from: 1, to: 1 });
    expect(together.items.filter((item) => isBrushed(item, axes, new Map([['rate', { from: 2 }]])))).toEqual([]);
  });
});
