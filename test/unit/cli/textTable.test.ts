import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sparkline, textTable } from '../../../server/cli/textTable.ts';

describe('textTable', () => {
  const table = {
    header: ['layer', 'weights'],
    rows: [
      ['a-rather-long-layer-name', '1,000'],
      ['b', '7'],
    ],
    right: new Set([1]),
  };

  it('lines columns up, numbers to the right', () => {
    expect(textTable(table, Infinity)).toEqual([
      'layer                     weights',
      'a-rather-long-layer-name    1,000',
      'b                               7',
    ]);
  });

  it('cuts the widest column where the terminal is narrow', () => {
    expect(textTable(table, 20)).toEqual(['layer        weights', 'a-rather-l…    1,000', 'b                  7']);
  });
});

describe('sparkline', () => {
  it('goes from the lowest value to the highest', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 80)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([-1e-6, 0, 1e-6], 80)).toBe('▁▅█');
  });

  it('shows a constant as a level line, one value as one bar, and nothing for none', () => {
    expect(sparkline([3, 3, 3], 80)).toBe('▅▅▅');
    expect(sparkline([3], 80)).toBe('▅');
    expect(sparkline([], 80)).toBe('');
  });

  it('leaves a gap where there is no number', () => {
    expect(sparkline([0, NaN, 1, Infinity], 80)).toBe('▁ █ ');
  });

  it('is never wider than it may be, and has a lowest and a highest bar', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 60 }),
        (values, columns) => {
          const chart = sparkline(values, columns);
          expect(chart).toHaveLength(Math.min(values.length, columns));
          expect(chart).toMatch(/^([▁▂▃▄▅▆▇█]*▁[▁▂▃▄▅▆▇█]*|▅+)$/);
        },
      ),
    );
  });
});

it('a cell makes no lines of its own and moves no column', () => {
  const [header, row] = textTable({ header: ['a', 'b'], rows: [['x\ny\u001b[2K', 'z']] }, Infinity);
  expect([header, row]).toEqual(['a       b', 'x y[2K  z']);
});
