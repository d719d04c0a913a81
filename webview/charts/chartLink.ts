/** @file Charts with one x axis that are read and zoomed together. */
import type { Range } from './model/scale.ts';

/** A part of an x axis. */
export interface Zoom extends Range {
  /** Names the axis, and what is drawn over it. */
  readonly of: string;
}

interface LinkedChart {
  /** Undefined where all of the axis is shown. */
  zoom(): Zoom | undefined;
  /** Puts the crosshair at a place on the x axis; undefined: there is none. */
  showPlace(x: number | undefined): void;
  /** Shows a part of the x axis; undefined: all of it. */
  showWindow(window: Range | undefined): void;
}

export interface ChartLink {
  /** Zoom of the charts that are there; `first` where there is none yet. */
  zoomOr(first: Zoom | undefined): Zoom | undefined;
  /** @returns a function that takes the chart out again */
  join(chart: LinkedChart): () => void;
  /** The pointer of a chart is at a place. */
  place(from: LinkedChart, x: number | undefined): void;
  /** A chart was zoomed. */
  window(from: LinkedChart, window: Range | undefined): void;
}

export function createChartLink(): ChartLink {
  const charts = new Set<LinkedChart>();
  const others = (from: LinkedChart) => [...charts].filter((chart) => chart !== from);
  return {
    zoomOr(first) {
      const [chart] = charts;
      return charts.size === 0 ? first : chart.zoom();
    },
    join(chart) {
      charts.add(chart);
      return () => charts.delete(chart);
    },
    place(from, x) {
      for (const chart of others(from)) chart.showPlace(x);
    },
    window(from, window) {
      for (const chart of others(from)) chart.showWindow(window);
    },
  };
}
