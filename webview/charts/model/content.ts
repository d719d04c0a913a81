/** @file What a chart shows. Plain data: views make it, the chart model and the chart draw it. */

/** `log`: what is not positive cannot be shown; it is left out, and the chart says so. */
export type Scale = 'linear' | 'log';

/** What a chart and its table call something, and what a file does. */
export interface Named {
  /** In the field's words, as short as a legend button, with the unit where it has one: `step`, `loss`, `time (s)`. */
  readonly label: string;
  /** Heading of its column in a file, where the label is translated: English. By default the label. */
  readonly column?: string;
}

export interface Axis extends Named {
  readonly scale?: Scale;
  /** Bounds of the unzoomed axis; by default those of the data, with a margin on y. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** The greatest value that there can be, such as 1 for a share: no margin leads beyond it. */
  readonly limit?: number;
  /** True where values begin far above those that matter, as a loss does: the axis then leaves the first ones out. */
  readonly settles?: boolean;
  /** How a value is written at a tick and in the readout; by default as a short decimal. */
  readonly format?: (value: number) => string;
  /** `seconds`: labels stand at round times of a clock. */
  readonly unit?: 'seconds';
}

/**
 * - `line`: a line through the points, broken at NaN; smoothed where the series says so
 * - `points`: points alone
 * - `stems`: a vertical line at each x from `from[i]` to `y[i]`
 * - `band`: the area between `from[i]` and `y[i]`, below the other series
 * - `intervals`: a vertical bar with two ends at each x from `from[i]` to `y[i]`
 * - `bins`: a histogram: x has one value more than y, the edges; filled down to `base`
 */
export type Mark = 'line' | 'points' | 'stems' | 'bins' | 'band' | 'intervals';

export interface Series extends Named {
  /** The same over all updates: what the user has hidden stays hidden. */
  readonly id: string;
  /** Not decreasing. */
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Place in the palette, from 0; see palette.ts. In high contrast also the dash pattern. */
  readonly color: number;
  readonly mark?: Mark;
  /** Values at which stems begin, by default 0; the lower ends of bands and intervals. */
  readonly from?: ArrayLike<number>;
  /** Level down to which bins are filled, for ridges; by default 0, or the bottom of a log axis. */
  readonly base?: number;
  /** 0 to 1; 1 by default. Less for what stands behind, such as earlier steps. */
  readonly opacity?: number;
  /** True if `smoothing` of the content applies. The raw line stays, faint. */
  readonly smooth?: boolean;
  /** Dashed, to tell a second series of the same colour. */
  readonly dashed?: boolean;
  /** What the readout says instead of y at a point, such as a run's name. */
  readonly describe?: (index: number) => string;
}

/** A line across the chart at one value. */
export interface Reference {
  readonly axis: 'x' | 'y';
  readonly value: number;
  readonly label?: string;
  /** Place in the palette; by default the colour of text. */
  readonly color?: number;
}

/** Thin vertical lines, such as the steps at which the weights were distorted; thinned where they are dense. */
export interface VerticalMarks {
  readonly label: string;
  /** Not decreasing. */
  readonly x: ArrayLike<number>;
}

export interface ChartContent {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly marks?: VerticalMarks;
  readonly references?: readonly Reference[];
  /** 0 (none) up to below 1: weight of the past in the exponential moving average. */
  readonly smoothing?: number;
  /** Names what is drawn, such as the key of a run or the name of a tensor: a zoom is over when that is something else. */
  readonly source?: string;
  /** What the chart is of, where its series do not say it: a single run. */
  readonly subject?: string;
  /** One line below the title: what the chart comes to, for the hasty and for screen readers. */
  readonly summary?: string;
  /** True if the legend says the last value of each line while no cursor is there; it does by default. */
  readonly saysLast?: boolean;
  /** Said in place of the chart where no series has a point. */
  readonly empty?: string;
}
