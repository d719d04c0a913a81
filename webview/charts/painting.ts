/** @file What a chart paints beside lines and axes: marks, stems, references with their labels. A plugin of chart.js. */
import type { Chart as ChartJs, Plugin } from 'chart.js';
import type { Reference } from './model/content.ts';
import type { Point } from './model/downsample.ts';
import type { Layout } from './model/layout.ts';
import { isHighContrast, seriesColor, withAlpha } from './theme.ts';
import type { ChartTheme } from './theme.ts';

export interface Painted {
  readonly layout: Layout;
  readonly references: readonly Reference[];
  readonly theme: ChartTheme;
}

export function paintingPlugin(painted: () => Painted | undefined): Plugin<'line'> {
  return {
    id: 'deeptwist',
    beforeDatasetsDraw(chart) {
      const now = painted();
      if (!now) return;
      clipped(chart, 0, () => {
        paintMarks(chart, now);
        paintBands(chart, now);
      });
    },
    afterDatasetsDraw(chart) {
      const now = painted();
      if (!now) return;
      clipped(chart, STEM_DOT, () => paintStems(chart, now));
      paintReferences(chart, now);
    },
  };
}

/** Radius of the dot at the end of a stem. */
const STEM_DOT = 2;
/** Half the length of the ends of an interval. */
const INTERVAL_END = 3;

/** @param margin what may be painted beyond the chart's area, so that a dot at its edge is whole */
function clipped(chart: ChartJs, margin: number, paint: () => void): void {
  const { left, top, width, height } = chart.chartArea;
  chart.ctx.save();
  chart.ctx.beginPath();
  chart.ctx.rect(left - margin, top - margin, width + 2 * margin, height + 2 * margin);
  chart.ctx.clip();
  paint();
  chart.ctx.restore();
}

function paintMarks(chart: ChartJs, { layout, theme }: Painted): void {
  const { ctx, chartArea, scales } = chart;
  ctx.strokeStyle = theme.mark;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const value of layout.marks) {
    const x = Math.round(scales.x.getPixelForValue(value)) + 0.5;
    // A few marks run through; a comb at the bottom is enough where they are many.
    const top = layout.marks.length <= 12 ? chartArea.top : chartArea.bottom - 6;
    ctx.moveTo(x, top);
    ctx.lineTo(x, chartArea.bottom);
  }
  ctx.stroke();
}

function paintBands(chart: ChartJs, { layout, theme }: Painted): void {
  const { ctx, scales } = chart;
  const place = ({ x, y }: Point) => [scales.x.getPixelForValue(x), scales.y.getPixelForValue(y)] as const;
  for (const { series, points, lower } of layout.drawn) {
    if (!lower) continue;
    const color = seriesColor(theme, series.color);
    const isContrast = isHighContrast(theme);
    ctx.fillStyle = withAlpha(color, 0.22 * (series.opacity ?? 1));
    ctx.strokeStyle = withAlpha(color, isContrast ? 1 : 0.4);
    ctx.lineWidth = isContrast ? 1 : 0.5;
    ctx.beginPath();
    for (const point of points) if (Number.isFinite(point.y)) ctx.lineTo(...place(point));
    for (const point of lower.toReversed()) if (Number.isFinite(point.y)) ctx.lineTo(...place(point));
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }
}

function paintStems(chart: ChartJs, { layout, theme }: Painted): void {
  const { ctx, scales } = chart;
  for (const { series, stems } of layout.drawn) {
    if (!stems) continue;
    ctx.globalAlpha = series.opacity ?? 1;
    ctx.strokeStyle = ctx.fillStyle = seriesColor(theme, series.color);
    ctx.lineWidth = 1.5;
    const isInterval = series.mark === 'intervals';
    const dots = !isInterval && stems.length < chart.chartArea.width / 6;
    for (const { x, from, to } of stems) {
      const place = scales.x.getPixelForValue(x);
      const end = scales.y.getPixelForValue(to);
      const begin = scales.y.getPixelForValue(from);
      ctx.beginPath();
      ctx.moveTo(place, begin);
      ctx.lineTo(place, end);
      if (isInterval)
        for (const y of [begin, end]) {
          ctx.moveTo(place - INTERVAL_END, y);
          ctx.lineTo(place + INTERVAL_END, y);
        }
      ctx.stroke();
      if (!dots) continue;
      ctx.beginPath();
      ctx.arc(place, end, STEM_DOT, 0, 2 * Math.PI);
      ctx.fill();
    }
  }
}

function paintReferences(chart: ChartJs, { references, theme }: Painted): void {
  const { ctx, chartArea: area, scales } = chart;
  ctx.save();
  ctx.font = `10px ${theme.font}`;
  ctx.lineWidth = 1;
  let labelled = -Infinity;
  for (const { axis, value, label, color } of references) {
    const place = Math.round(scales[axis].getPixelForValue(value)) + 0.5;
    const [least, most] = axis === 'x' ? [area.left, area.right] : [area.top, area.bottom];
    if (!(place >= least - 1 && place <= most + 1)) continue;
    ctx.strokeStyle = color === undefined ? theme.text : seriesColor(theme, color);
    ctx.setLineDash([4, 3]);
    ctx.beginPath();
    if (axis === 'x') {
      ctx.moveTo(place, area.top);
      ctx.lineTo(place, area.bottom);
    } else {
      ctx.moveTo(area.left, place);
      ctx.lineTo(area.right, place);
    }
    ctx.stroke();
    if (label === undefined) continue;
    const width = ctx.measureText(label).width;
    ctx.setLineDash([]);
    if (axis === 'x') {
      // A label that would lie on the one before is left out; the line stays.
      const start = place + 4 + width > area.right ? Math.max(area.left + 2, place - 4 - width) : place + 4;
      if (start < labelled + 4 && start + width > labelled - width - 8) continue;
      labelled = start + width;
      paintLabel(ctx, label, start, area.top - 5, theme);
    } else paintLabel(ctx, label, area.right - width - 4, place - 4 < area.top + 10 ? place + 11 : place - 4, theme);
  }
  ctx.restore();
}

/** Text with a rim in the colour of the background, to be read over lines. */
export function paintLabel(
  ctx: CanvasRenderingContext2D,
  label: string,
  x: number,
  y: number,
  theme: ChartTheme,
): void {
  ctx.lineWidth = 3;
  ctx.lineJoin = 'round';
  ctx.strokeStyle = theme.background;
  ctx.strokeText(label, x, y);
  ctx.fillStyle = theme.text;
  ctx.fillText(label, x, y);
  ctx.lineWidth = 1;
}
