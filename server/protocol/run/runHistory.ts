/**
 * @file What the events of a run add up to, in the form that views draw from: columns of numbers. The extension folds a log
 * into a history and sends its snapshot; the page goes on with the events that follow. Memory is bounded: of a run with
 * very many recorded distortions, every 2nd, 4th, 8th… keeps its histograms.
 */
import type { CompressionSetting, EventOf, NuclearNorm, RunEvent, SizeLeft, UnitsLeft } from './events.ts';
import { ColumnsBeside, countUpTo, GrowingColumns } from './runHistoryColumns.ts';
import type { Columns } from './runHistoryColumns.ts';
import { ThinnedSeries } from './runHistorySeries.ts';
import type { Recording, Series } from './runHistorySeries.ts';

export type MetricColumn = 'step' | 'time' | 'epoch' | 'loss' | 'learningRate' | 'stepsPerSecond';
export type DistortionColumn = 'step' | 'time' | 'lossBefore' | 'lossAfter';

/** One recorded distortion of one weight. Bins are of equal width over [minimum, maximum]. */
export interface WeightDistortion extends Recording {
  /** Only looked at, on a user's demand: what a distortion would have done; the model did not compute with it. */
  readonly onDemand?: true;
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
  /** Levels between the ends of each bucket, 0 and 1, and counts of the weights there on equal-width bins. */
  readonly scaledLevels?: { readonly levels: readonly number[]; readonly counts: Uint32Array };
  /** What is left of the singular values, where the method works on them. */
  readonly nuclearNorm?: NuclearNorm;
  /** What is left of the output units, where the method works on them. */
  readonly units?: UnitsLeft;
  /** What is left of the weight; undefined in a log of an earlier version. */
  readonly size?: SizeLeft;
}

/** Singular values of one weight before the distortion at `step`, largest first. */
export interface WeightSpectrum extends Recording {
  readonly singularValues: Float32Array;
  readonly rank?: number;
  /** What the distortion takes off each of them. */
  readonly threshold?: number;
}

/**
 * How much was recorded, and how much of it is kept: every `stride`-th recording of a weight and its last. The stride is 1
 * unless there are very many.
 */
export interface Thinning {
  readonly recorded: number;
  readonly stride: number;
}

/**
 * All that views draw: plain objects and typed arrays, which is what VS Code carries to a page. A part that did not change
 * is the same object as in the snapshot before. To be sent, a snapshot goes through {@link packSnapshot}.
 */
export interface RunSnapshot {
  /** The last `started` event: experiment and weights with the settings that are in effect, device, executor. */
  readonly started?: EventOf<'started'>;
  /** `step` and `time` (milliseconds since the epoch) are ascending. */
  readonly metrics: Columns<MetricColumn>;
  /** The parts of the loss, one column each, in the rows of `metrics`; undefined where no row has any. */
  readonly losses?: Columns<string>;
  /** Fractions of the samples, likewise: `asked`. */
  readonly shares?: Columns<string>;
  readonly evaluations: readonly EventOf<'evaluation'>[];
  /** Every recorded distortion: its loss just before and just after, NaN where it was not measured. */
  readonly distortions: Columns<DistortionColumn>;
  /** By the weight's name (`fc1/kernel`), in the order of steps. No Map: it would not survive the way to the page. */
  readonly weights: Readonly<Record<string, readonly WeightDistortion[]>>;
  readonly spectra: Readonly<Record<string, readonly WeightSpectrum[]>>;
  readonly thinning: { readonly weights: Thinning; readonly spectra: Thinning };
  /** `checkpoint` and `warning` events in their order, the newest few hundred of each. */
  readonly checkpoints: readonly EventOf<'checkpoint'>[];
  readonly warnings: readonly EventOf<'warning'>[];
  /** Settings that were changed while the run trained. */
  readonly changes: readonly EventOf<'changed'>[];
  /** When units were removed while the run trained. */
  readonly thinnings: readonly EventOf<'thinned'>[];
  /** How the run ended; undefined while it has not. */
  readonly end?: EventOf<'finished' | 'failed' | 'stopped'>;
}

/** See {@link RunSnapshot}; grows by one event at a time. */
export interface RunHistory {
  /**
   * A `started` event with `resumedFrom` drops what was recorded after that step; one without begins anew. The history
   * keeps event objects: they must not be changed afterwards.
   */
  apply(event: RunEvent): void;
  /** What was recorded so far; costs little, and stays as it is when more events are applied. */
  snapshot(): RunSnapshot;
}

const METRIC_COLUMNS = ['step', 'time', 'epoch', 'loss', 'learningRate', 'stepsPerSecond'] as const;
const DISTORTION_COLUMNS = ['step', 'time', 'lossBefore', 'lossAfter'] as const;

/** Checkpoints, and warnings, that are kept: the newest. */
const NEWEST = 300;

/** Bounds of what is kept. */
export interface HistoryBudget {
  /** Histogram counts of all recorded distortions. */
  readonly counts: number;
  /** Singular values of all recorded spectra. */
  readonly singularValues: number;
}

/** 16 MB and 8 MB: about 2,000 recorded distortions of 12 weights, 80 bins each; 1,000 spectra of 3 weights of 600 values. */
const BUDGET: HistoryBudget = { counts: 4_000_000, singularValues: 2_000_000 };

/** The history of a run of which no event is known. */
export function createRunHistory(budget = BUDGET): RunHistory {
  return new FoldedHistory(budget);
}

/** A history to go on with; equal to that of all events before. It adopts the snapshot's arrays and does not change them. */
export function runHistoryFrom(snapshot: RunSnapshot, budget = BUDGET): RunHistory {
  return new FoldedHistory(budget, snapshot);
}

class FoldedHistory implements RunHistory {
  #started: EventOf<'started'> | undefined;
  readonly #metrics: GrowingColumns<MetricColumn>;
  readonly #losses: ColumnsBeside;
  readonly #shares: ColumnsBeside;
  readonly #distortions: GrowingColumns<DistortionColumn>;
  readonly #weights: ThinnedSeries<WeightDistortion>;
  readonly #spectra: ThinnedSeries<WeightSpectrum>;
  readonly #evaluations: EventList<'evaluation'>;
  readonly #checkpoints: EventList<'checkpoint'>;
  readonly #warnings: EventList<'warning'>;
  readonly #changes: EventList<'changed'>;
  readonly #thinnings: EventList<'thinned'>;
  #end: RunSnapshot['end'];

  constructor(budget: HistoryBudget, start?: RunSnapshot) {
    this.#started = start?.started;
    this.#metrics = new GrowingColumns(METRIC_COLUMNS, start?.metrics);
    this.#losses = new ColumnsBeside(start?.losses);
    this.#shares = new ColumnsBeside(start?.shares);
    this.#distortions = new GrowingColumns(DISTORTION_COLUMNS, start?.distortions);
    this.#weights = new ThinnedSeries<WeightDistortion>(
      budget.counts,
      countsIn,
      start && { items: start.weights, ...start.thinning.weights },
    );
    this.#spectra = new ThinnedSeries<WeightSpectrum>(
      budget.singularValues,
      ({ singularValues }) => singularValues.length,
      start && { items: start.spectra, ...start.thinning.spectra },
    );
    this.#evaluations = new EventList(start?.evaluations);
    this.#checkpoints = new EventList(start?.checkpoints, NEWEST);
    this.#warnings = new EventList(start?.warnings, NEWEST);
    this.#changes = new EventList(start?.changes, NEWEST);
    this.#thinnings = new EventList(start?.thinnings, NEWEST);
    this.#end = start?.end;
  }

  apply(event: RunEvent): void {
    switch (event.type) {
      case 'metrics': {
        const columns = this.#metrics.addRow();
        const row = this.#metrics.length - 1;
        columns.step[row] = event.step;
        columns.time[row] = event.time;
        columns.epoch[row] = event.epoch;
        columns.loss[row] = event.loss;
        columns.learningRate[row] = event.learningRate;
        columns.stepsPerSecond[row] = Math.fround(event.stepsPerSecond); // Its digits beyond that mean nothing: see sentColumns.ts.
        this.#losses.set(event.losses, this.#metrics.length);
        this.#shares.set(event.shares, this.#metrics.length);
        return;
      }
      case 'started':
        this.#truncate(event.resumedFrom ?? -1);
        this.#started = event;
        this.#end = undefined;
        return;
      case 'distortion':
        this.#distortion(event);
        return;
      case 'observation':
        this.#weights.add(
          event.weights.map((weight) => [
            weight.name,
            { ...weightDistortion(event.step, weight), ...(!event.scheduled && { onDemand: true }) },
          ]),
        );
        return;
      case 'spectrum':
        this.#spectra.add(event.weights.map((weight) => [weight.name, weightSpectrum(event.step, weight)]));
        return;
      case 'evaluation':
        this.#evaluations.add(event);
        return;
      case 'checkpoint':
        this.#checkpoints.add(event);
        return;
      case 'warning':
        this.#warnings.add(event);
        return;
      case 'changed':
        this.#changes.add(event);
        this.#started &&= {
          ...this.#started,
          config: event.config,
          layers: event.layers ?? this.#started.layers,
        };
        return;
      case 'thinned':
        this.#thinnings.add(event);
        this.#started &&= { ...this.#started, layers: event.layers };
        return;
      case 'finished':
      case 'failed':
      case 'stopped':
        this.#end = event;
        return;
    }
  }

  snapshot(): RunSnapshot {
    const weights = this.#weights.view();
    const spectra = this.#spectra.view();
    const [losses, shares] = [this.#losses.view(), this.#shares.view()];
    return {
      ...(this.#started && { started: this.#started }),
      metrics: this.#metrics.view(),
      ...(losses && { losses }),
      ...(shares && { shares }),
      evaluations: this.#evaluations.view(),
      distortions: this.#distortions.view(),
      weights: weights.items,
      spectra: spectra.items,
      thinning: { weights: thinningOf(weights), spectra: thinningOf(spectra) },
      checkpoints: this.#checkpoints.view(),
      warnings: this.#warnings.view(),
      changes: this.#changes.view(),
      thinnings: this.#thinnings.view(),
      ...(this.#end && { end: this.#end }),
    };
  }

  #distortion(event: EventOf<'distortion'>): void {
    const columns = this.#distortions.addRow();
    const row = this.#distortions.length - 1;
    columns.step[row] = event.step;
    columns.time[row] = event.time;
    columns.lossBefore[row] = event.lossBefore ?? NaN;
    columns.lossAfter[row] = event.lossAfter ?? NaN;
    this.#weights.add(event.weights.map((weight) => [weight.name, weightDistortion(event.step, weight)]));
  }

  #truncate(step: number): void {
    for (const table of [this.#metrics, this.#distortions]) {
      const { length, columns } = table.view();
      table.truncate(countUpTo(columns.step, length, step));
    }
    for (const columns of [this.#losses, this.#shares]) columns.truncate(this.#metrics.length);
    for (const series of [this.#weights, this.#spectra]) series.truncate(step);
    for (const list of [this.#evaluations, this.#checkpoints, this.#warnings, this.#changes, this.#thinnings])
      list.truncate(step);
  }
}

/** Events of one type, the newest `limit` of them. */
class EventList<Type extends RunEvent['type']> {
  readonly #limit: number;
  readonly #events: EventOf<Type>[];
  #view: readonly EventOf<Type>[] | undefined;

  constructor(start: readonly EventOf<Type>[] = [], limit = Infinity) {
    this.#limit = limit;
    this.#events = [...start];
  }

  add(event: EventOf<Type>): void {
    this.#view = undefined;
    this.#events.push(event);
    if (this.#events.length > this.#limit) this.#events.shift();
  }

  truncate(step: number): void {
    this.#view = undefined;
    while ((this.#events.at(-1)?.step ?? -Infinity) > step) this.#events.pop();
  }

  view(): readonly EventOf<Type>[] {
    return (this.#view ??= [...this.#events]);
  }
}

/** Counts of all histograms of a recording. */
export function countsIn({ before, after, scaledLevels }: WeightDistortion): number {
  return before.length + after.length + (scaledLevels?.counts.length ?? 0);
}

function weightDistortion(
  step: number,
  {
    setting,
    histogram,
    relativeError,
    levels,
    scaledLevels,
    nuclearNorm,
    units,
    size,
  }: EventOf<'distortion'>['weights'][number],
): Omit<WeightDistortion, 'index'> {
  return {
    step,
    setting,
    ...histogram,
    before: Uint32Array.from(histogram.before),
    after: Uint32Array.from(histogram.after),
    relativeError,
    ...(levels && { levels }),
    ...(scaledLevels && { scaledLevels: { ...scaledLevels, counts: Uint32Array.from(scaledLevels.counts) } }),
    ...(nuclearNorm && { nuclearNorm }),
    ...(units && { units }),
    ...(size && { size }),
  };
}

function weightSpectrum(
  step: number,
  { singularValues, rank, threshold }: EventOf<'spectrum'>['weights'][number],
): Omit<WeightSpectrum, 'index'> {
  return {
    step,
    singularValues: Float32Array.from(singularValues),
    ...(rank !== undefined && { rank }),
    ...(threshold !== undefined && { threshold }),
  };
}

function thinningOf({ recorded, stride }: Series<Recording>): Thinning {
  return { recorded, stride };
}
