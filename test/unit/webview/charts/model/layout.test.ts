import { describe, expect, it } from 'vitest';
import type { ChartContent, Series } from '../../../../../webview/charts/model/content.ts';
import { contentRows, fileHeadings, toCsv } from '../../../../../webview/charts/export.ts';
import { layout } from '../../../../../webview/charts/model/layout.ts';
import { smoothed } from '../../../../../webview/charts/model/smooth.ts';
import { formatSeconds } from '../../../../../webview/charts/model/format.ts';

function content(series: Partial<Series>[], rest: Partial<ChartContent> = {}): ChartContent {
  return {
    x: { label: 'step' },
    y: { label: 'loss' },
    series: series.map((one, i) => ({ id: `s${i}`, label: `series ${i}`, color: i, x: [], y: [], ...one })),
    ...rest,
  };
}

describe('the layout of a chart', () => {
  it('is empty without a finite value, and has an axis nevertheless', () => {
    const drawn = layout(content([{ x: [1, 2], y: [NaN, NaN] }]), undefined, 300, new Set());
    expect(drawn.isEmpty).toBe(true);
    expect(drawn.y).toEqual({ minimum: 0, maximum: 1 });
  });

  it('scales y to what is seen: a spike outside of the window does not flatten the curve', () => {
    const series = { x: [0, 1, 2, 3, 4], y: [1000, 1, 2, 1, 2] };
    const { y } = layout(content([series]), { minimum: 1, maximum: 4 }, 300, new Set());
    expect(y.maximum).toBeLessThan(3);
  });

  it('shows all of the axis in the place of a window that lies beside it', () => {
    const series = { x: [0, 1, 2, 3, 4], y: [1, 2, 3, 4, 5] };
    const seen = (minimum: number, maximum: number) => {
      const { x, isZoomed } = layout(content([series]), { minimum, maximum }, 300, new Set());
      return [x.minimum, x.maximum, isZoomed];
    };
    expect(seen(3, 6)).toEqual([3, 6, true]);
    expect(seen(4, 6)).toEqual([0, 4, false]);
    expect(seen(-2, 0)).toEqual([0, 4, false]);
    expect(layout(content([series]), undefined, 300, new Set()).isZoomed).toBe(false);
  });

  it('does not go below 0 for values that never do, and does for those that do', () => {
    expect(layout(content([{ x: [0, 1], y: [0.01, 3] }]), undefined, 300, new Set()).y.minimum).toBe(0);
    expect(layout(content([{ x: [0, 1], y: [-0.01, 3] }]), undefined, 300, new Set()).y.minimum).toBeLessThan(-0.01);
  });

  it('leaves out first values far above the others where they settle, and says so; zoomed in they are seen', () => {
    const y = Array.from({ length: 200 }, (_, i) => (i < 3 ? 50 - 10 * i : 1 + 1 / (1 + i)));
    const series = { x: y.map((_, i) => i), y };
    const loss = { label: 'loss', settles: true };
    const drawn = (of: number[], window?: { minimum: number; maximum: number }) =>
      layout(content([{ ...series, y: of }], { y: loss }), window, 300, new Set());
    expect(drawn(y)).toMatchObject({ startsAbove: true, y: { maximum: expect.closeTo(1.1, 0) } });
    expect(drawn(y, { minimum: 0, maximum: 100 })).toMatchObject({ startsAbove: false });
    expect(drawn(y, { minimum: 0, maximum: 100 }).y.maximum).toBeGreaterThan(50);
    const gentle = y.map((_, i) => 2 - i / 200);
    expect(drawn(gentle).startsAbove).toBe(false);
    expect(drawn([5, 1]).startsAbove).toBe(false);
  });

  it('does not go beyond the greatest value that there can be', () => {
    const accuracy = { label: 'accuracy', limit: 1 };
    const shown = (y: number[]) =>
      layout(content([{ x: y.map((_, i) => i), y }], { y: accuracy }), undefined, 300, new Set()).y;
    expect(shown([1])).toEqual({ minimum: 0.5, maximum: 1 });
    expect(shown([0.5, 0.99]).maximum).toBe(1);
    expect(shown([0.5, 0.6]).maximum).toBeCloseTo(0.605, 12);
    // A value that cannot be is shown all the same.
    expect(shown([2, 3]).maximum).toBeGreaterThan(3);
  });

  it('draws a histogram as an outline that stands on 0, on a log axis above 0', () => {
    const bins = { mark: 'bins', x: [0, 1, 2], y: [4, 0] } as const;
    const linear = layout(content([bins]), undefined, 300, new Set());
    expect(linear.drawn[0].points.map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [0, 4],
      [1, 4],
      [1, 0],
      [2, 0],
      [2, 0],
    ]);
    expect(linear.y.minimum).toBe(0);
    const log = layout(content([bins], { y: { label: 'weights', scale: 'log' } }), undefined, 300, new Set());
    expect(log.drawn[0].base).toBe(2);
    expect(log.y.minimum).toBeGreaterThan(0);
  });

  it('draws a band between its two edges, smoothed as its line is, and shows all of it', () => {
    const band = { mark: 'band', x: [0, 1], y: [3, 5], from: [1, 1], smooth: true } as const;
    const { drawn, y } = layout(content([band]), undefined, 300, new Set());
    expect(drawn[0].points.map((point) => point.y)).toEqual([3, 5]);
    expect(drawn[0].lower?.map((point) => point.y)).toEqual([1, 1]);
    expect([y.minimum <= 1, y.maximum >= 5]).toEqual([true, true]);
    const smooth = layout(content([band], { smoothing: 0.5 }), undefined, 300, new Set());
    expect(smooth.drawn[0].points.map((point) => point.y)).toEqual([...smoothed([3, 5], 0.5)]);
  });

  it('draws intervals as bars from end to end, off the edges of the chart', () => {
    const intervals = { mark: 'intervals', x: [1, 2], y: [4, 5], from: [2, 1] } as const;
    const { drawn, x } = layout(content([intervals]), undefined, 300, new Set());
    expect(drawn[0].stems).toEqual([
      { x: 1, from: 2, to: 4 },
      { x: 2, from: 1, to: 5 },
    ]);
    expect(x.minimum).toBeLessThan(1);
  });

  it('keeps the raw line behind a smoothed one', () => {
    const drawn = layout(
      content([{ x: [0, 1, 2], y: [0, 1, 0], smooth: true }], { smoothing: 0.5 }),
      undefined,
      300,
      new Set(),
    );
    expect(drawn.drawn[0].raw?.map(({ y }) => y)).toEqual([0, 1, 0]);
    expect(drawn.drawn[0].points[1].y).toBeCloseTo(2 / 3, 12);
  });

  it('counts what a log axis has no place for, and leaves hidden series out', () => {
    const two = content(
      [
        { x: [0, 1], y: [0, 1] },
        { x: [0, 1], y: [50, 100] },
      ],
      { y: { label: 'loss', scale: 'log' } },
    );
    const { leftOut, y, drawn } = layout(two, undefined, 300, new Set(['s1']));
    expect(leftOut).toBe(1);
    expect(y.maximum).toBeLessThan(10);
    expect(drawn.map(({ series }) => series.id)).toEqual(['s0']);
  });

  it('keeps of dense stems those that rise and fall most', () => {
    const x = Float64Array.from({ length: 20_000 }, (_, i) => i);
    const y = x.map(() => 0.1);
    y[777] = 5;
    y[778] = -3;
    const { drawn } = layout(content([{ mark: 'stems', x, y }]), undefined, 200, new Set());
    expect(drawn[0].stems!.length).toBeLessThanOrEqual(402);
    expect(drawn[0].stems).toContainEqual({ x: 777, from: 0, to: 5 });
    expect(drawn[0].stems).toContainEqual({ x: 778, from: 0, to: -3 });
  });
});

describe('smoothing', () => {
  it('leaves a constant as it is from the first value on, and goes around NaN', () => {
    const values = smoothed([2, 2, NaN, 2], 0.9);
    for (const i of [0, 1, 3]) expect(values[i]).toBeCloseTo(2, 12);
    expect(values[2]).toBeNaN();
  });

  it('is the debiased moving average of TensorBoard', () => {
    // By hand: m = 0.5 m + 0.5 y, divided by 1 - 0.5^n.
    const [, second, third] = smoothed([1, 3, 5], 0.5);
    expect(second).toBeCloseTo((0.25 * 1 + 0.5 * 3) / 0.75, 12);
    expect(third).toBeCloseTo((0.125 * 1 + 0.25 * 3 + 0.5 * 5) / 0.875, 12);
  });
});

describe('a chart as a file', () => {
  it('has series that share their x side by side, a missing value as an empty field', () => {
    const csv = toCsv(
      contentRows(
        content([
          { x: [1, 2], y: [0.5, NaN] },
          { x: [1, 2], y: [3, 4], label: 'a, "b"' },
        ]),
        fileHeadings,
      ),
    );
    expect(csv).toBe('step,series 0,"a, ""b"""\r\n1,0.5,3\r\n2,,4\r\n');
  });

  it('has others one below the other, with names that no spreadsheet runs', () => {
    const csv = toCsv(
      contentRows(
        content([
          { x: [1], y: [2], label: '=1+1' },
          { x: [5], y: [6] },
        ]),
        fileHeadings,
      ),
    );
    expect(csv).toBe("series,step,loss\r\n'=1+1,1,2\r\nseries 1,5,6\r\n");
  });
});

it('times are short', () => {
  expect([0.25, 59, 61, 3727].map(formatSeconds)).toEqual(['0.25 s', '59 s', '1:01', '1:02:07']);
});
