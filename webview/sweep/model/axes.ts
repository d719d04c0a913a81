/** @file Parallel coordinates (Inselberg 1985): an axis for each column, a line for each row, and ranges of axes that rows have to pass. Pure. */
import { niceTicks } from '../../charts/model/ticks.ts';
import type { Column } from './columns.ts';
import type { SweepItem } from './items.ts';

/** A part of an axis, in places from 0 (bottom) to 1 (top). */
export interface Brush {
  readonly from: number;
  readonly to: number;
}

export interface ParallelAxis {
  readonly column: Column;
  /** Places with what stands there, the lowest first. */
  readonly ticks: readonly { readonly place: number; readonly text: string }[];
  /** Place of a row, 0 to 1; undefined where it has no value. */
  place(item: SweepItem): number | undefined;
  /** What stands at a place: a number, or the nearest word. */
  textAt(place: number): string;
  /** How far one step of the keyboard goes. */
  readonly step: number;
}

/** Positive numbers that differ by more than this factor stand on a logarithmic axis. */
const LOGARITHMIC_FROM = 100;
const TICKS = 4;

/** @param columns those that are shown; of one with a single value there is no axis */
export function axesOf(items: readonly SweepItem[], columns: readonly Column[]): ParallelAxis[] {
  return columns.flatMap((column) => {
    if (column.kind === 'fact') return [];
    const values = items.flatMap((item) => column.value(item) ?? []);
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
  const toPlace = (value: number) =>
    isLog ? Math.log(value / minimum) / Math.log(maximum / minimum) : (value - minimum) / (maximum - minimum);
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
    textAt: (place) => column.format(valueAt(Math.min(1, Math.max(0, place)))),
    step: 0.05,
  };
}

/** Words in the order in which they come. */
function wordAxis(column: Column, words: readonly string[]): ParallelAxis {
  const last = words.length - 1;
  return {
    column,
    ticks: words.map((text, i) => ({ place: i / last, text })),
    place(item) {
      const index = words.indexOf(String(column.value(item) ?? ''));
      return index < 0 ? undefined : index / last;
    },
    textAt: (place) => words[Math.round(Math.min(1, Math.max(0, place)) * last)],
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
    // A value at the very end of a brush is in it, also where it was rounded.
    return place !== undefined && place >= brush.from - 1e-9 && place <= brush.to + 1e-9;
  });
}

/** A brush one end of which a key moves, within the axis; undefined where it then holds everything. */
export function movedBrush(brush: Brush | undefined, by: number, end: keyof Brush): Brush | undefined {
  const { from, to } = brush ?? { from: 0, to: 1 };
  const next =
    end === 'from'
      ? { from: Math.min(to, Math.max(0, from + by)), to }
      : { from, to: Math.min(1, Math.max(from, to + by)) };
  return next.from <= 0 && next.to >= 1 ? undefined : next;
}
