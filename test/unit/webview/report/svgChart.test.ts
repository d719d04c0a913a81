import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChartContent, Series } from '../../../../webview/charts/model/content.ts';
import { svgChart } from '../../../../webview/report/svgChart.ts';

const axis = { label: 'step' };

function content(series: Partial<Series>, more: Partial<ChartContent> = {}): ChartContent {
  const y = series.y ?? [];
  return {
    x: axis,
    y: { label: 'loss' },
    series: [{ id: 'a', label: 'a & b', color: 0, x: Array.from(y, (_, i) => i), y, ...series }],
    ...more,
  };
}

/** Coordinates of all paths, of commands with one of their own too. */
function coordinates(svg: string): number[] {
  return [...svg.matchAll(/ d="([^"]*)"/g)].flatMap(([, path]) =>
    [...path.matchAll(/-?[\d.]+/g)].map(([text]) => Number(text)),
  );
}

test('a line has the picture for its range: the first point at the lower left, the last at the upper right', () => {
  const { text } = svgChart('Loss', content({ y: [0, 10] }, { y: { label: 'loss', minimum: 0, maximum: 10 } }));
  expect(text).toContain('d="M56 196L548 8"');
  expect(text).toContain('<h3>Loss</h3>');
  expect(text).toContain('a &amp; b');
});

test('a line is broken where a value is not a number', () => {
  const { text } = svgChart('Loss', content({ y: [1, 2, NaN, 2, 1] }));
  const [, path] = /class="line c0[^"]*"[^]*? d="([^"]*)"/.exec(text) ?? [];
  expect(path.match(/M/g)).toHaveLength(2);
  expect(path.match(/L/g)).toHaveLength(2);
});

test('whatever the values are, nothing is drawn outside of the picture, and no place is NaN', () => {
  const value = fc.oneof(fc.double({ min: -1e6, max: 1e6 }), fc.constantFrom(NaN, Infinity, 0, 1e-300, 1e300));
  const mark = fc.constantFrom('line', 'points', 'stems', 'band', 'intervals', undefined);
  const scale = fc.constantFrom('linear', 'log');
  fc.assert(
    fc.property(fc.array(value, { maxLength: 50 }), mark, scale, (y, mark, scale) => {
      const series = { y: Float64Array.from(y), ...(mark && { mark }) };
      const { text } = svgChart('Loss', content(series, { y: { label: 'loss', scale } }));
      expect(text).not.toMatch(/NaN|Infinity/);
      for (const place of coordinates(text)) {
        expect(place).toBeGreaterThanOrEqual(0);
        expect(place).toBeLessThanOrEqual(560);
      }
    }),
  );
});

test('first values far above the others are cut off, and the chart says so', () => {
  const y = Array.from({ length: 400 }, (_, i) => (i < 7 ? 500 / (i + 1) : 1 + Math.sin(i) / 10));
  const loss = { y: { label: 'loss', settles: true } };
  const { text } = svgChart('Loss', content({ y }, loss));
  const [, before, cut] = /^([^]*)<svg x="51" y="3" width="502" height="198" [^>]*>([^]*?)<\/svg>/.exec(text) ?? []; // prettier-ignore
  expect(Math.min(...coordinates(cut))).toBeLessThan(0);
  expect(Math.min(...coordinates(before))).toBeGreaterThanOrEqual(0);
  expect(text).toContain('The first steps are above the chart.');
  const gentle = svgChart('Loss', content({ y: y.map((_, i) => 2 - i / 400) }, loss)).text;
  expect(gentle).not.toMatch(/overflow|above the chart/);
});

test('a histogram is closed down to its base', () => {
  const { text } = svgChart('Weights', content({ x: [-1, 0, 1], y: [3, 5], mark: 'bins' }));
  expect(text).toMatch(/class="bins c0" d="M[^"]*Z"/);
});

test('a band goes along its upper edge and back along its lower one', () => {
  const { text } = svgChart('Loss', content({ y: [2, 4], from: [0, 0], mark: 'band' }));
  const [, path] = /class="band c0"\s+d="([^"]*)Z"/.exec(text) ?? [];
  expect(path.match(/L/g)).toHaveLength(3);
});

test('a chart without a point is left out', () => {
  expect(svgChart('Loss', content({ y: [] })).text).toBe('');
});
