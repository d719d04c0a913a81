import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortest } from '../../../../until.ts';
import { downsample, POINTS_PER_COLUMN, thinned } from '../../../../../webview/charts/model/downsample.ts';

const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  fc.constantFrom(NaN, 0, 1e-6, -1e-6, Infinity),
);

/** Columns whose x does not decrease and may repeat. */
const curve = fc
  .array(fc.record({ gap: fc.double({ noNaN: true, min: 0, max: 10 }), y: numbers }), { minLength: 1, maxLength: 400 })
  .map((items) => {
    let at = 0;
    return { x: items.map(({ gap }) => (at += gap)), y: items.map(({ y }) => y) };
  });

function whole(x: readonly number[]) {
  return { minimum: x[0], maximum: Math.max(x.at(-1)!, x[0] + 1e-9) };
}

describe('down-sampling', () => {
  it('draws a bounded number of points, in the order of x', () => {
    fc.assert(
      fc.property(curve, fc.integer({ min: 1, max: 60 }), ({ x, y }, columns) => {
        const points = downsample(x, y, { window: whole(x), xScale: 'linear', yScale: 'linear', columns });
        expect(points.length).toBeLessThanOrEqual(Math.max(2, POINTS_PER_COLUMN) * columns + 2);
        for (let i = 1; i < points.length; i++) expect(points[i].x).toBeGreaterThanOrEqual(points[i - 1].x);
      }),
    );
  });

  it('keeps the least and the greatest value of every pixel column', () => {
    fc.assert(
      fc.property(curve, fc.integer({ min: 1, max: 60 }), ({ x, y }, columns) => {
        const window = whole(x);
        const points = downsample(x, y, { window, xScale: 'linear', yScale: 'linear', columns });
        const width = (window.maximum - window.minimum) / columns;
        for (let column = 0; column < columns; column++) {
          const last = column === columns - 1;
          const from = column === 0 ? -Infinity : window.minimum + column * width;
          const to = last ? Infinity : window.minimum + (column + 1) * width;
          const inside = (at: number) => at > from && at <= to;
          const all = y.filter((value, i) => inside(x[i]) && Number.isFinite(value));
          const drawn = points.filter((point) => inside(point.x) && Number.isFinite(point.y)).map((point) => point.y);
          if (all.length === 0) continue;
          expect(Math.min(...drawn)).toBe(Math.min(...all));
          expect(Math.max(...drawn)).toBe(Math.max(...all));
        }
      }),
    );
  });

  it('shows every point once the window holds few', () => {
    const x = Float64Array.from({ length: 10_000 }, (_, i) => i);
    const y = x.map((value) => Math.sin(value));
    const window = { minimum: 5000, maximum: 5100 };
    const points = downsample(x, y, { window, xScale: 'linear', yScale: 'linear', columns: 400 });
    // One on either side: the line runs to the edge.
    expect(points.map((point) => point.x)).toEqual(Array.from({ length: 103 }, (_, i) => 4999 + i));
  });

  it('breaks the line where a value is missing, among many points, too', () => {
    const x = Float64Array.from({ length: 10_000 }, (_, i) => i);
    const y = x.map((value) => (value >= 4000 && value < 6000 ? NaN : 1));
    const points = downsample(x, y, {
      window: { minimum: 0, maximum: 9999 },
      xScale: 'linear',
      yScale: 'linear',
      columns: 100,
    });
    expect(points.some((point) => Number.isNaN(point.y))).toBe(true);
    const values = points.filter((point) => point.x >= 4000 && point.x < 6000).map((point) => point.y);
    expect(values.every(Number.isNaN)).toBe(true);
  });

  it('leaves out of a log axis what is not positive', () => {
    const points = downsample([1, 2, 3, 4], [1, 0, -1, 1e-6], {
      window: { minimum: 1, maximum: 4 },
      xScale: 'linear',
      yScale: 'log',
      columns: 100,
    });
    expect(points.map((point) => point.y)).toEqual([1, NaN, NaN, 1e-6]);
  });

  it('takes less than 20 ms for 1,000,000 points on 1,000 pixels, and keeps a single spike', async () => {
    const x = Float64Array.from({ length: 1_000_000 }, (_, i) => i);
    const y = x.map((value) => 1 / (1 + value));
    y[654_321] = 1e6;
    const options = {
      window: { minimum: 0, maximum: 999_999 },
      xScale: 'linear',
      yScale: 'linear',
      columns: 1000,
    } as const;
    const took = await shortest(20, () => {
      const begin = process.cpuUsage();
      const points = downsample(x, y, options);
      const time = process.cpuUsage(begin).user / 1000;
      expect(points).toContainEqual({ x: 654_321, y: 1e6 });
      return time;
    });
    expect(took).toBeLessThan(20);
  });
});

describe('marks', () => {
  it('are thinned to one a column, and keep their places', () => {
    const x = Float64Array.from({ length: 100_000 }, (_, i) => i);
    const marks = thinned(x, { minimum: 0, maximum: 99_999 }, 'linear', 50);
    expect(marks.length).toBeLessThanOrEqual(51);
    expect(marks[0]).toBe(0);
    expect(thinned([3, 5, 9], { minimum: 4, maximum: 10 }, 'linear', 100)).toEqual([5, 9]);
  });
});
