/** @file Parallel coordinates (Inselberg 1985): an axis for each column, a line for each row, and ranges of axes that rows have to pass. Pure. */
import { niceTicks } from '../../charts/model/ticks.ts';
import type { Column } from './columns.ts';
import type { SweepItem } from './items.ts';

/** A part of an axis, by values: it holds the same when a running sweep makes the axis longer. */
export interface Brush {
  /** Its lower end; undefined: the end of the axis, wherever that will be. */
  readonly from?: number | string | undefined;
  readonly to?: number | string | undefined;
}

/** A part of an axis, in places from 0 (bottom) to 1 (top). */
export interface BrushPlaces {
  readonly from: number;
  readonly to: number;
}

export interface ParallelAxis {
  readonly column: Column;
  /** Places with what stands there, the lowest first. */
  readonly ticks: readonly { readonly place: number; readonly text: string }[];
  /** Place of a row, 0 to 1; undefined where it has no value. */
  place(item: SweepItem): number | undefined;
  /** Place of a value, below 0 or above 1 where it is beyond the axis; undefined for a word that does not stand there. */
  placeOf(value: number | string): number | undefined;
  /** What stands at a place from 0 to 1: a number, or the nearest word. */
  valueAt(place: number): number | string;
  /** A value as a person reads it. */
  textOf(value: number | string): string;
  /** How far one step of the keyboard goes. */
  readonly step: number;
}

/** Positive numbers that differ by more than this factor stand on a logarithmic axis. */
const LOGARITHMIC_FROM = 100;
const TICKS = 4;

/**
 * @param items in any order: words stand in that of the plan, which results do not change
 * @param columns those that are shown; of one with a single value there is no axis
 */
export function axesOf(items: readonly SweepItem[], columns: readonly Column[]): ParallelAxis[] {
  const planned = items.toSorted((a, b) => a.runs[0].line - b.runs[0].line);
  return columns.flatMap((column) => {
    if (column.kind === 'fact') return [];
    const values = planned.flatMap((item) => column.value(item) ?? []);
    const different = [...new Set(column.isNumeric ? values.filter(Number.isFinite) : values)];
    if (different.length < 2) return [];
    return [column.isNumeric ? numberAxis(column, different as number[]) : wordAxis(column, different.map(String))];
  });
}

/** @param values finite, at least two, all different */
function numberAxis(column: Column, values: readonly number[]): ParallelAxis {
  const minimum = values.reduce((least, value) => Math.min(least, value), Infinity);
  const maximum = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const isLog = minimum > 0 && maximum / minimum > LOGARITHMIC_FROM;
  const toPlace = (value: number) => {
    if (!isLog) return (value - minimum) / (maximum - minimum);
    return value > 0 ? Math.log(value / minimum) / Math.log(maximum / minimum) : -Infinity;
  };
  const valueAt = (place: number) =>
    isLog ? minimum * (maximum / minimum) ** place : minimum + place * (maximum - minimum);
  const different = values.toSorted((a, b) => a - b);
  const marked =
    different.length <= TICKS ? different : niceTicks({ minimum, maximum }, { scale: isLog ? 'log' : 'linear' }, TICKS);
  const ticks = marked.map((value) => ({ place: toPlace(value), text: column.format(value) }));
  return {
    column,
    // Times of 1.1 and 1.3 s are both written as 1 s.
    ticks: ticks.filter(({ text }, i) => i === 0 || text !== ticks[i - 1].text),
    place(item) {
      const value = column.value(item);
      return typeof value === 'number' && Number.isFinite(value) ? toPlace(value) : undefined;
    },
    placeOf: (value) => (typeof value === 'number' ? toPlace(value) : undefined),
    valueAt,
    textOf: (value) => (typeof value === 'number' ? column.format(value) : value),
    step: 0.05,
  };
}

/** @param words in their order */
function wordAxis(column: Column, words: readonly string[]): ParallelAxis {
  const last = words.length - 1;
  const placeOf = (value: number | string) => {
    const index = words.indexOf(String(value));
    return index < 0 ? undefined : index / last;
  };
  return {
    column,
    ticks: words.map((text, i) => ({ place: i / last, text })),
    place: (item) => placeOf(column.value(item) ?? ''),
    placeOf,
    valueAt: (place) => words[Math.round(place * last)],
    textOf: String,
    step: 1 / last,
  };
}

/** True where a row lies within the brushes of all axes. A row without a value of a brushed axis does not. */
export function isBrushed(
  item: SweepItem,
  axes: readonly ParallelAxis[],
  brushes: ReadonlyMap<string, Brush>,
): boolean {
  return axes.every((axis) => {
    const brush = brushes.get(axis.column.id);
    if (!brush) return true;
    const place = axis.place(item);
    const [from, to] = [endOf(axis, brush.from, -Infinity), endOf(axis, brush.to, Infinity)];
    // A value at the very end of a brush is in it, also where it was rounded.
    return place !== undefined && place >= from - 1e-9 && place <= to + 1e-9;
  });
}

/** Place of an end of a brush. @param open that of an end that is the end of the axis */
function endOf(axis: ParallelAxis, end: number | string | undefined, open: number): number {
  return end === undefined ? open : (axis.placeOf(end) ?? open);
}

/** Where a brush is on its axis; without a brush that is all of it. */
export function placesOf(axis: ParallelAxis, { from, to }: Brush = {}): BrushPlaces {
  const onAxis = (place: number) => Math.min(1, Math.max(0, place));
  return { from: onAxis(endOf(axis, from, 0)), to: onAxis(endOf(axis, to, 1)) };
}

/** The brush between two places of an axis; undefined where it holds everything. */
export function brushOf(axis: ParallelAxis, { from, to }: BrushPlaces): Brush | undefined {
  if (from <= 0 && to >= 1) return undefined;
  return { from: from <= 0 ? undefined : axis.valueAt(from), to: to >= 1 ? undefined : axis.valueAt(to) };
}

/** The ends of a brush as a person reads them. */
export function endTexts(axis: ParallelAxis, { from, to }: Brush): readonly [from: string, to: string] {
  return [axis.textOf(from ?? axis.valueAt(0)), axis.textOf(to ?? axis.valueAt(1))];
}

/** A brush one end of which a key moves, within the axis; undefined where it then holds everything. */
export function movedBrush(
  axis: ParallelAxis,
  brush: Brush | undefined,
  by: number,
  end: keyof BrushPlaces,
): Brush | undefined {
  const { from, to } = placesOf(axis, brush);
  return brushOf(
    axis,
    end === 'from'
      ? { from: Math.min(to, Math.max(0, from + by)), to }
      : { from, to: Math.min(1, Math.max(from, to + by)) },
  );
}
