/**
 * @file What the events of a run add up to, in the form that views draw from: columns of numbers. The extension folds a log
 * into a history and sends its snapshot; the page goes on with the events that follow. Memory is bounded: of a run with
 * very many recorded distortions, every 2nd, 4th, 8th… keeps its histograms.
 */
import type { CompressionSetting, EventOf, RunEvent } from './events.ts';

/** Numbers of equally long columns; `step` and `time` (milliseconds since the epoch) among them. */
export interface Columns<Name extends string> {
  readonly length: number;
  readonly columns: Readonly<Record<Name, Float64Array>>;
}

export type MetricColumn = 'step' | 'time' | 'epoch' | 'loss' | 'learningRate' | 'stepsPerSecond';
export type DistortionColumn = 'step' | 'time' | 'lossBefore' | 'lossAfter';

/** One recorded distortion of one weight. Bins are of equal width over [minimum, maximum]. */
export interface WeightDistortion {
  readonly step: number;
  readonly setting: CompressionSetting;
  readonly minimum: number;
  readonly maximum: number;
  readonly before: Uint32Array;
  readonly after: Uint32Array;
  readonly zerosBefore: number;
  readonly zerosAfter: number;
  readonly nearZerosBefore: number;
  readonly nearZerosAfter: number;
  readonly relativeError: number;
  readonly levels?: readonly number[];
  /** From an `observation` event: what a distortion would have done. It has no row in `distortions`. */
  readonly observed?: true;
}

/** Singular values of one weight before the distortion at `step`, largest first. */
export interface WeightSpectrum {
  readonly step: number;
  readonly singularValues: Float32Array;
  readonly rank?: number;
}

/**
 * All that views draw: plain objects and typed arrays, which is what VS Code carries to a page. A typed array must span its
 * whole buffer: the buffer is what is sent.
 */
export interface RunSnapshot {
  /** The last `started` event: experiment, layers, device, executor. */
  readonly started?: EventOf<'started'>;
  readonly metrics: Columns<MetricColumn>;
  readonly evaluations: readonly EventOf<'evaluation'>[];
  /** Every recorded distortion: its loss just before and just after. */
  readonly distortions: Columns<DistortionColumn>;
  /** By the weight's name (`fc1/kernel`), in the order of steps. No Map: it would not survive the way to the page. */
  readonly weights: Readonly<Record<string, readonly WeightDistortion[]>>;
  readonly spectra: Readonly<Record<string, readonly WeightSpectrum[]>>;
  /** Every `stride`-th recorded distortion is in `weights`, and the last. 1 unless there are very many. */
  readonly stride: number;
  /** `checkpoint` and `warning` events in their order, the newest few hundred of each. */
  readonly checkpoints: readonly EventOf<'checkpoint'>[];
  readonly warnings: readonly EventOf<'warning'>[];
  /** How the run ended; undefined while it has not. */
  readonly end?: EventOf<'finished' | 'failed' | 'stopped'>;
}

/** See {@link RunSnapshot}; grows by one event at a time. */
export interface RunHistory {
  /** A `started` event with `resumedFrom` drops what was recorded after that step. */
  apply(event: RunEvent): void;
  snapshot(): RunSnapshot;
}
