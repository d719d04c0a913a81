/** @file Paints ridges and heat maps onto a canvas. */
import { formatChartNumber } from '../../../server/protocol/formatQuantity.ts';
import { isHighContrast, seriesColor, withAlpha } from '../../charts/theme.ts';
import type { ChartTheme } from '../../charts/theme.ts';
import { ridgeLayout } from './ridge.ts';
import type { RidgeLayout, Ridges } from './ridge.ts';

/** The area of the histograms on the canvas, in CSS pixels. */
export interface PictureArea {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Picture {
  readonly area: PictureArea;
  readonly layout: RidgeLayout;
}

/** Row and bin that the pointer or the keyboard is at. */
export interface Cell {
  readonly row: number;
  readonly bin: number;
}

export interface Painted {
  readonly ridges: Ridges;
  readonly color: number;
  /** Row that the slider stands at. */
  readonly current: number;
  readonly cursor: Cell | undefined;
}

const MARGIN = { left: 8, right: 46, top: 6, bottom: 20 } as const;
const LABEL_HEIGHT = 14;

/** Ridges: the weights from left to right, the steps from the back (top) to the front. */
export function paintRidges(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  painted: Painted,
  theme: ChartTheme,
): Picture {
  const { ridges, color, current, cursor } = painted;
  const area = areaOf(width, height);
  const rows = ridges.steps.length;
  const layout = ridgeLayout(rows, area.top, area.height);
  const base = seriesColor(theme, color);
  paintWeightAxis(ctx, area, ridges, theme);
  const contrast = isHighContrast(theme);
  layout.baselines.forEach((baseline, row) => {
    const isCurrent = row === current || row === cursor?.row;
    // Later steps stand out more; what the slider shows most.
    const age = rows === 1 ? 1 : row / (rows - 1);
    outline(ctx, area, ridges.heights[row], baseline, layout.amplitude);
    ctx.fillStyle = theme.background;
    ctx.fill();
    ctx.fillStyle = withAlpha(base, contrast ? 0.1 : isCurrent ? 0.55 : 0.12 + 0.2 * age);
    ctx.fill();
    ctx.strokeStyle = row === cursor?.row ? theme.text : withAlpha(base, isCurrent ? 1 : 0.35 + 0.45 * age);
    ctx.lineWidth = isCurrent ? 1.75 : 1;
    ctx.stroke();
  });
  if (cursor) {
    const x = area.left + ((cursor.bin + 0.5) / ridges.bins.count) * area.width;
    const y = layout.baselines[cursor.row] - layout.amplitude * ridges.heights[cursor.row][cursor.bin];
    ctx.fillStyle = theme.text;
    ctx.beginPath();
    ctx.arc(x, y, 3, 0, 2 * Math.PI);
    ctx.fill();
  }
  paintSteps(ctx, area, ridges.steps, layout.baselines, painted, theme);
  return { area, layout };
}

/** A heat map: the weights from left to right, the steps from top to bottom, more weights in a stronger colour. */
export function paintHeatMap(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  painted: Painted,
  theme: ChartTheme,
): Picture {
  const { ridges, color, current, cursor } = painted;
  const area = areaOf(width, height);
  const rows = ridges.steps.length;
  const base = seriesColor(theme, color);
  paintWeightAxis(ctx, area, ridges, theme);
  const rowHeight = area.height / rows;
  const binWidth = area.width / ridges.bins.count;
  ridges.heights.forEach((heights, row) => {
    const top = Math.round(area.top + row * rowHeight);
    const bottom = Math.round(area.top + (row + 1) * rowHeight);
    heights.forEach((value, bin) => {
      if (value <= 0) return;
      const left = Math.round(area.left + bin * binWidth);
      ctx.fillStyle = withAlpha(base, 0.06 + 0.94 * value);
      ctx.fillRect(left, top, Math.round(area.left + (bin + 1) * binWidth) - left, bottom - top);
    });
  });
  const frame = (row: number, style: string): void => {
    ctx.strokeStyle = style;
    ctx.lineWidth = 1;
    ctx.strokeRect(area.left + 0.5, area.top + row * rowHeight, area.width - 1, Math.max(2, rowHeight));
  };
  frame(current, theme.focus);
  if (cursor) {
    frame(cursor.row, theme.text);
    ctx.strokeRect(
      area.left + cursor.bin * binWidth,
      area.top + cursor.row * rowHeight,
      binWidth,
      Math.max(2, rowHeight),
    );
  }
  const middles = ridges.steps.map((_, row) => area.top + (row + 0.5) * rowHeight);
  paintSteps(ctx, area, ridges.steps, middles, painted, theme);
  return { area, layout: { baselines: middles, amplitude: 0 } };
}

function areaOf(width: number, height: number): PictureArea {
  const { left, right, top, bottom } = MARGIN;
  return { left, top, width: Math.max(10, width - left - right), height: Math.max(10, height - top - bottom) };
}

/** The closed outline of one histogram. */
function outline(
  ctx: CanvasRenderingContext2D,
  { left, width }: PictureArea,
  heights: Float64Array,
  baseline: number,
  amplitude: number,
): void {
  const binWidth = width / heights.length;
  ctx.beginPath();
  ctx.moveTo(left, baseline);
  heights.forEach((value, bin) => ctx.lineTo(left + (bin + 0.5) * binWidth, baseline - amplitude * value));
  ctx.lineTo(left + width, baseline);
  ctx.closePath();
}

function paintWeightAxis(ctx: CanvasRenderingContext2D, area: PictureArea, { bins }: Ridges, theme: ChartTheme): void {
  const bottom = area.top + area.height;
  ctx.font = `10px ${theme.font}`;
  ctx.fillStyle = theme.mutedText;
  ctx.strokeStyle = theme.grid;
  ctx.lineWidth = 1;
  ctx.textBaseline = 'top';
  const place = (value: number): number =>
    area.left + ((value - bins.minimum) / (bins.maximum - bins.minimum)) * area.width;
  const step = roundStep((bins.maximum - bins.minimum) / Math.max(2, area.width / 80));
  for (let i = Math.ceil(bins.minimum / step); i * step <= bins.maximum; i++) {
    const x = Math.round(place(i * step)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(x, area.top);
    ctx.lineTo(x, bottom);
    ctx.stroke();
    const label = formatChartNumber(Number((i * step).toPrecision(6)));
    const half = ctx.measureText(label).width / 2;
    ctx.textAlign = x - half < 0 ? 'left' : 'center';
    ctx.fillText(label, x - half < 0 ? 0 : x, bottom + 5);
  }
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}

/** Steps at the right, as many as have room; that of the slider and that of the cursor always. */
function paintSteps(
  ctx: CanvasRenderingContext2D,
  area: PictureArea,
  steps: readonly number[],
  heights: readonly number[],
  { current, cursor }: Painted,
  theme: ChartTheme,
): void {
  ctx.font = `10px ${theme.font}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  const written: number[] = [];
  const wanted = [...new Set([...(cursor ? [cursor.row] : []), current, steps.length - 1, 0, ...steps.keys()])];
  for (const row of wanted) {
    const y = Math.max(LABEL_HEIGHT / 2, heights[row]);
    if (row < 0 || written.some((other) => Math.abs(other - y) < LABEL_HEIGHT)) continue;
    written.push(y);
    ctx.fillStyle = row === current || row === cursor?.row ? theme.text : theme.mutedText;
    ctx.fillText(formatChartNumber(steps[row]), area.left + area.width + 6, y);
  }
}
