/** @file The weights of a model as rows of a table: how they are compressed, and what is left of them. Pure. */
import { elementCount, floatBytes } from '../../../server/protocol/shape.ts';
import type { CompressionSetting } from '../../../server/protocol/run/events.ts';
import { methodsOf } from '../../../server/protocol/run/methodsOf.ts';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';

export interface LayerRow {
  /** `fc1/kernel` */
  readonly name: string;
  readonly shape: readonly number[];
  /** What thinning has left of the shape; undefined where that is all of it. */
  readonly left?: readonly number[];
  /** `prune`, or `prune, quantize` where one follows the other; undefined where the experiment leaves the weight alone. */
  readonly method?: string;
  /** The key of `compression.layers` that chose the weight; undefined where the log of an earlier version does not tell. */
  readonly key?: string;
  /** At the last distortion; undefined before the first. */
  readonly now?: CompressionSetting;
  /** At the end of the run; undefined where the log of an earlier version does not tell. */
  readonly target?: CompressionSetting;
  readonly weights: number;
  /** Undefined, like `bytesKept`, while a run of an earlier version, whose log does not tell, trains. */
  readonly weightsKept?: number;
  readonly bytes: number;
  readonly bytesKept?: number;
  /** The part of the model's bytes, compressed or, while those are not known, dense; 0 to 1. */
  readonly share: number;
}

export interface LayerTable {
  readonly rows: readonly LayerRow[];
  readonly totals: Pick<LayerRow, 'weights' | 'weightsKept' | 'bytes' | 'bytesKept'>;
  /** Size of the file that holds the rows, with its header; undefined where there is none: they would take their bytes. */
  readonly fileBytes?: number;
  /** True while the run has not finished: what is kept is as of the last recorded distortion, or not known. */
  readonly soFar: boolean;
  /** True where shares are of the compressed model. */
  readonly shareOfCompressed: boolean;
}

export function layerTable(snapshot: RunSnapshot): LayerTable | undefined {
  const { started, end } = snapshot;
  if (started === undefined) return undefined;
  const summary = end?.type === 'finished' ? end.summary : undefined;
  const sizes = summary?.layers;

  const rows = started.layers.map((weight): Omit<LayerRow, 'share'> => {
    const { name, shape, left: thinned, key, setting: target } = weight;
    const last = snapshot.weights[name]?.findLast((distortion) => !distortion.onDemand);
    const methods = methodsOf(started, name);
    const compressed = methods.length > 0;
    const whole = { weights: elementCount(shape), bytes: floatBytes(shape) };
    const left =
      sizes?.find((row) => row.name === name) ??
      (compressed && snapshot.distortions.length > 0
        ? last?.size
        : { weightsKept: elementCount(thinned ?? shape), bytesKept: floatBytes(thinned ?? shape) });
    return {
      name,
      shape,
      ...(thinned && { left: thinned }),
      ...(compressed && {
        method: methods.join(', '),
        key,
        target,
        ...(last && { now: last.setting }),
      }),
      ...whole,
      ...(left && { weightsKept: left.weightsKept, bytesKept: left.bytesKept }),
    };
  });

  const totals = sizeOf(rows);
  const whole = totals.bytesKept ?? totals.bytes;
  const shareOfCompressed = totals.bytesKept !== undefined;
  return {
    rows: rows.map((row) => ({
      ...row,
      share: whole > 0 ? ((shareOfCompressed ? row.bytesKept : row.bytes) ?? 0) / whole : 0,
    })),
    totals,
    ...(summary?.fileBytes !== undefined && { fileBytes: summary.fileBytes }),
    soFar: sizes === undefined,
    shareOfCompressed,
  };
}

/** Rows in two parts: vectors that the experiment leaves alone, such as biases, which a user seldom looks at, and all others. */
export function parted(rows: readonly LayerRow[]): {
  readonly main: readonly LayerRow[];
  readonly vectors: readonly LayerRow[];
} {
  const isVector = ({ method, shape }: LayerRow) => method === undefined && shape.length < 2;
  return { main: rows.filter((row) => !isVector(row)), vectors: rows.filter(isVector) };
}

/** Several rows as one. */
export function summed(rows: readonly LayerRow[]): Size & Pick<LayerRow, 'share'> {
  return { ...sizeOf(rows), share: rows.reduce((sum, { share }) => sum + share, 0) };
}

function sizeOf(rows: readonly Size[]): Size {
  const [weightsKept, bytesKept] = [total(rows, 'weightsKept'), total(rows, 'bytesKept')];
  return {
    weights: total(rows, 'weights') ?? 0,
    ...(weightsKept !== undefined && { weightsKept }),
    bytes: total(rows, 'bytes') ?? 0,
    ...(bytesKept !== undefined && { bytesKept }),
  };
}

type Size = Pick<LayerRow, 'weights' | 'weightsKept' | 'bytes' | 'bytesKept'>;

/** Undefined where one row does not know. */
function total(rows: readonly Size[], column: keyof Size): number | undefined {
  return rows.reduce<number | undefined>((sum, row) => {
    const value = row[column];
    return sum === undefined || value === undefined ? undefined : sum + value;
  }, 0);
}

/** What rows can be sorted by. `model`: the order of the layers in the model. */
export const sortKeys = ['model', 'name', 'weights', 'weightsKept', 'bytes', 'bytesKept', 'ratio', 'share'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Sorting {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** A copy in order; rows that do not know the value come last, in the model's order. */
export function sortRows(rows: readonly LayerRow[], { key, descending }: Sorting): LayerRow[] {
  const sign = descending ? -1 : 1;
  if (key === 'model') return descending ? rows.toReversed() : [...rows];
  if (key === 'name') return rows.toSorted((a, b) => sign * a.name.localeCompare(b.name, undefined, { numeric: true }));
  return rows.toSorted((a, b) => {
    const left = valueOf(a, key);
    const right = valueOf(b, key);
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    return sign * (left - right);
  });
}

function valueOf(row: LayerRow, key: Exclude<SortKey, 'model' | 'name'>): number | undefined {
  return key === 'ratio' ? byteRatio(row) : row[key];
}

/** How many times smaller the weight became. */
export function byteRatio({ bytes, bytesKept }: Pick<LayerRow, 'bytes' | 'bytesKept'>): number | undefined {
  return bytesKept === undefined || bytesKept === 0 ? undefined : bytes / bytesKept;
}
