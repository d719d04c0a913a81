/**
 * @file Columns on their way to a page, in as few bytes as hold the very same numbers. A million rows of metrics are 48 MB of
 * doubles; but steps are counted, times are whole milliseconds, epochs are steps by a number, a loss has the precision of
 * float32 and a learning rate a few values: 12 MB. The way of a message, through several processes and, in a browser or
 * over a remote connection, through a socket, is what a long run's opening waits for.
 */
import type { Columns } from '../run/runHistoryColumns.ts';

/** Each but the first only where it gives back exactly the same numbers. */
export type SentColumn =
  | Float64Array
  | Float32Array
  /** The i-th is `first + i * stride`. */
  | { readonly first: number; readonly stride: number }
  /** The i-th is the i-th step by the divisor. */
  | { readonly stepsBy: number }
  /** The i-th is `values[indices[i]]`. */
  | { readonly values: Float64Array; readonly indices: Uint8Array }
  /** The i-th is `base + offsets[i]`. */
  | { readonly base: number; readonly offsets: Uint32Array };

/** {@link Columns} are such, too. */
export interface SentColumns<Name extends string> {
  readonly length: number;
  readonly columns: Readonly<Record<Name, SentColumn>>;
}

const MAXIMUM_VALUES = 256;

/** @returns buffers that hold nothing else, which may be transferred */
export function packColumns<Name extends string>({
  length,
  columns,
}: Columns<Name>): [SentColumns<Name>, ArrayBuffer[]] {
  const steps = 'step' in columns ? (columns.step as Float64Array) : undefined;
  const packed = Object.entries<Float64Array>(columns).map(([name, column]): [string, SentColumn] => {
    const numbers = column.subarray(0, length);
    const isStep = numbers === steps || name === 'step';
    return [
      name,
      progression(numbers) ??
        (isStep || !steps ? undefined : quotient(numbers, steps)) ??
        dictionary(numbers) ??
        offsets(numbers) ??
        singles(numbers) ??
        numbers.slice(),
    ];
  });
  const sent = { length, columns: Object.fromEntries(packed) as Record<Name, SentColumn> };
  return [sent, packed.flatMap(([, column]) => arraysOf(column).map(({ buffer }) => buffer as ArrayBuffer))];
}

export function restoreColumns<Name extends string>({ length, columns }: SentColumns<Name>): Columns<Name> {
  const entries = Object.entries<SentColumn>(columns);
  const { step } = columns as Partial<Record<string, SentColumn>>;
  const steps = step && restoreColumn(step, length);
  const restored = entries.map(([name, column]) => [
    name,
    name === 'step' ? steps : restoreColumn(column, length, steps),
  ]);
  return { length, columns: Object.fromEntries(restored) as Record<Name, Float64Array> };
}

/** True for a value that has the form of columns that are {@link restoreColumns restored} without fail. */
export function isSentColumns(value: unknown): value is SentColumns<string> {
  const { length, columns } = (value ?? {}) as { length?: unknown; columns?: unknown };
  if (!Number.isSafeInteger(length) || typeof columns !== 'object' || columns === null) return false;
  return Object.values(columns).every((column) => isSentColumn(column, length as number));
}

function isSentColumn(column: unknown, length: number): boolean {
  if (column instanceof Float64Array || column instanceof Float32Array) return column.length >= length;
  if (typeof column !== 'object' || column === null) return false;
  const form = column as Record<string, unknown>;
  if (form.indices instanceof Uint8Array) return form.values instanceof Float64Array && form.indices.length >= length;
  if (form.offsets instanceof Uint32Array) return typeof form.base === 'number' && form.offsets.length >= length;
  return typeof form.stepsBy === 'number' || (typeof form.first === 'number' && typeof form.stride === 'number');
}

function restoreColumn(column: SentColumn, length: number, steps?: Float64Array): Float64Array {
  if (column instanceof Float64Array) return column;
  const numbers = new Float64Array(length);
  if (column instanceof Float32Array) numbers.set(column.subarray(0, length));
  else if ('stride' in column) for (let i = 0; i < length; i++) numbers[i] = column.first + i * column.stride;
  else if ('stepsBy' in column) for (let i = 0; i < length; i++) numbers[i] = (steps?.[i] ?? NaN) / column.stepsBy;
  else if ('indices' in column)
    for (let i = 0; i < length; i++) numbers[i] = column.values[column.indices[i] ?? 0] ?? NaN;
  else for (let i = 0; i < length; i++) numbers[i] = column.base + (column.offsets[i] ?? NaN);
  return numbers;
}

function arraysOf(column: SentColumn): readonly (Float64Array | Float32Array | Uint8Array | Uint32Array)[] {
  if (column instanceof Float64Array || column instanceof Float32Array) return [column];
  if ('indices' in column) return [column.values, column.indices];
  return 'offsets' in column ? [column.offsets] : [];
}

function progression(numbers: Float64Array): SentColumn | undefined {
  const first = numbers[0] ?? 0;
  const stride = (numbers[1] ?? first) - first;
  if (!Number.isFinite(first) || !Number.isFinite(stride) || Object.is(first, -0)) return undefined; // As JSON.
  for (let i = 0; i < numbers.length; i++) if (!Object.is(numbers[i], first + i * stride)) return undefined;
  return { first, stride };
}

function quotient(numbers: Float64Array, steps: Float64Array): SentColumn | undefined {
  const last = numbers.length - 1;
  const ratio = (steps[last] ?? NaN) / (numbers[last] ?? NaN);
  if (!Number.isFinite(ratio) || ratio === 0) return undefined; // As JSON, -0 would lose its sign.
  // An epoch has a whole number of steps; what the division says may be a little beside it.
  const stepsBy = Math.round(ratio) || ratio;
  for (let i = 0; i < numbers.length; i++) if (!Object.is(numbers[i], (steps[i] ?? NaN) / stepsBy)) return undefined;
  return { stepsBy };
}

function dictionary(numbers: Float64Array): SentColumn | undefined {
  const places = new Map<number, number>();
  const indices = new Uint8Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] ?? NaN;
    if (Object.is(value, -0)) return undefined; // A Map takes it for 0.
    let place = places.get(value);
    if (place === undefined) {
      if (places.size === MAXIMUM_VALUES) return undefined;
      places.set(value, (place = places.size));
    }
    indices[i] = place;
  }
  return { values: Float64Array.from(places.keys()), indices };
}

function offsets(numbers: Float64Array): SentColumn | undefined {
  const base = numbers[0] ?? 0;
  if (!Number.isSafeInteger(base) || Object.is(base, -0)) return undefined;
  const result = new Uint32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    result[i] = (numbers[i] ?? NaN) - base;
    if (!Object.is(numbers[i], base + (result[i] ?? NaN))) return undefined;
  }
  return { base, offsets: result };
}

function singles(numbers: Float64Array): Float32Array | undefined {
  for (let i = 0; i < numbers.length; i++) if (!Object.is(Math.fround(numbers[i] ?? NaN), numbers[i])) return undefined;
  return Float32Array.from(numbers);
}
