/** @file The canvas of a chart: chart.js, of which only lines, points and two kinds of axes are registered. */
import {
  Chart as ChartJs,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
} from 'chart.js';
import type { ChartDataset, Scale, ScaleOptions } from 'chart.js';
import type { Axis, ChartContent } from './model/content.ts';
import type { DrawnSeries, Layout } from './model/layout.ts';
import type { Range } from './model/scale.ts';
import { niceTicks, tickLabels } from './model/ticks.ts';
import { paintingPlugin } from './painting.ts';
import type { Painted } from './painting.ts';
import { seriesColor, seriesDash, withAlpha } from './theme.ts';
import type { ChartTheme } from './theme.ts';

ChartJs.register(Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement);

/** The area that the data are drawn in, in CSS pixels from the canvas's corner. */
export interface PlotArea {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Plot {
  draw(content: ChartContent, layout: Layout, theme: ChartTheme): void;
  area(): PlotArea;
  xAt(pixel: number): number;
  pixelOf(x: number, y: number): { left: number; top: number };
  /** Calls a function while the canvas has the pixels of a picture. */
  sharpened<T>(take: () => T): T;
  dispose(): void;
}

/** Room around the area of the plot, in CSS pixels; above it that of a row of labels, where there are some. */
const PADDING = { top: 6, right: 10 };
const LABEL_HEIGHT = 16;

/** @param onResize called when the canvas has another size or the screen another density */
export function createPlot(canvas: HTMLCanvasElement, onResize: () => void): Plot {
  let painted: Painted | undefined;
  const chart = new ChartJs<'line'>(canvas, {
    type: 'line',
    data: { datasets: [] },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      // The gestures are ours: chart.js listens to nothing.
      events: [],
      parsing: false,
      normalized: true,
      onResize,
      layout: { padding: PADDING },
    },
    plugins: [paintingPlugin(() => painted)],
  });

  return {
    draw(content, layout, theme) {
      const references = content.references ?? [];
      painted = { layout, references, theme };
      const isLabelled = references.some(({ axis, label }) => axis === 'x' && label !== undefined);
      chart.options.layout = { padding: isLabelled ? { ...PADDING, top: LABEL_HEIGHT } : PADDING };
      chart.data.datasets = layout.drawn.flatMap((drawn) => datasets(drawn, content, theme));
      chart.options.scales = {
        x: axisOptions(content.x, layout.x, theme, false),
        y: axisOptions(content.y, layout.y, theme, true),
      };
      chart.update('none');
    },
    area() {
      // There is none before the first drawing.
      const {
        left = 0,
        top = 0,
        width = 0,
        height = 0,
      } = (chart.chartArea as typeof chart.chartArea | undefined) ?? {};
      return { left, top, width, height };
    },
    xAt: (pixel) => chart.scales.x?.getValueForPixel(pixel) ?? NaN,
    pixelOf: (x, y) => ({ left: chart.scales.x.getPixelForValue(x), top: chart.scales.y.getPixelForValue(y) }),
    sharpened(take) {
      const { devicePixelRatio } = chart.options;
      chart.options.devicePixelRatio = Math.max(PICTURE_DENSITY, window.devicePixelRatio);
      chart.resize();
      try {
        return take();
      } finally {
        chart.options.devicePixelRatio = devicePixelRatio;
        chart.resize();
      }
    },
    dispose: () => chart.destroy(),
  };
}

function datasets(drawn: DrawnSeries, content: ChartContent, theme: ChartTheme): ChartDataset<'line'>[] {
  const { series, points, raw, base, lower } = drawn;
  // Bands are painted beside the lines.
  if (points.length === 0 || lower) return [];
  const mark = series.mark ?? 'line';
  const color = seriesColor(theme, series.color);
  const opacity = series.opacity ?? 1;
  const stroke = opacity < 1 ? withAlpha(color, opacity) : color;
  // A point between two gaps would be no line at all.
  const alone = points.length <= 3 || points.filter(({ y }) => Number.isFinite(y)).length <= 60;
  const pointRadius = mark === 'points' ? 4 : mark === 'line' && alone ? 2 : 0;
  const line: ChartDataset<'line'> = {
    data: [...points],
    borderColor: stroke,
    backgroundColor: stroke,
    borderWidth: mark === 'bins' ? 1 : 1.5,
    borderDash: seriesDash(theme, series.color, series.dashed),
    borderJoinStyle: 'round',
    pointRadius,
    // A point at the edge is drawn whole; without this chart.js cuts it in half.
    ...(pointRadius > 0 && { clip: pointRadius }),
    pointBorderWidth: 0,
    showLine: mark !== 'points',
    spanGaps: false,
    fill: false,
  };
  if (mark === 'bins') {
    line.fill = { value: base ?? 0 };
    line.backgroundColor = withAlpha(color, 0.28 * opacity);
  }
  if (!raw || content.smoothing === undefined) return [line];
  return [
    line,
    {
      ...line,
      data: [...raw],
      borderColor: withAlpha(color, 0.25 * opacity),
      borderWidth: 1,
      pointRadius: 0,
      borderDash: [],
    },
  ];
}

/** Pixels of a picture for each pixel of the page, at least. */
const PICTURE_DENSITY = 2;

/** Width of a vertical axis with usual labels, in CSS pixels. */
const VERTICAL_AXIS = 46;

function axisOptions(
  axis: Axis,
  range: Range,
  theme: ChartTheme,
  vertical: boolean,
): ScaleOptions<'linear' | 'logarithmic'> {
  const log = axis.scale === 'log';
  let labels: ReadonlyMap<number, string> = new Map();
  return {
    type: log ? 'logarithmic' : 'linear',
    min: range.minimum,
    max: range.maximum,
    afterBuildTicks(scale: Scale) {
      // A label needs about 60 pixels beside the next, 40 above it.
      const length = vertical ? scale.chart.height : scale.chart.width;
      const count = Math.max(2, Math.min(vertical ? 6 : 10, Math.floor(length / (vertical ? 40 : 60))));
      const values = niceTicks(range, axis, count);
      const texts = tickLabels(values, axis.format);
      labels = new Map(values.map((value, i) => [value, texts[i]]));
      scale.ticks = values.map((value) => ({ value }));
    },
    // Charts that stand one below the other begin at the same place.
    ...(vertical && { afterFit: (scale: Scale) => (scale.width = Math.max(scale.width, VERTICAL_AXIS)) }),
    grid: { color: theme.grid, drawTicks: false, lineWidth: vertical ? 1 : 0 },
    border: { color: theme.axis, display: !vertical },
    // The title of the chart names what is upwards.
    title: {
      display: !vertical,
      text: axis.label,
      align: 'end',
      color: theme.mutedText,
      font: { family: theme.font, size: 10 },
      padding: 0,
    },
    ticks: {
      color: theme.mutedText,
      font: { family: theme.font, size: 10 },
      padding: 4,
      maxRotation: 0,
      autoSkip: !vertical,
      autoSkipPadding: 8,
      callback: (value) => labels.get(Number(value)) ?? '',
    },
  } as ScaleOptions<'linear' | 'logarithmic'>;
}
