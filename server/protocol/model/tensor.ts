/** @file A tensor of a model's file, and what its numbers come to. */

/** What a file says of a tensor. */
export interface Tensor {
  /** Unique in the file. */
  readonly name: string;
  readonly shape: readonly number[];
  /** As NumPy and PyTorch call it, `bfloat16`; the file's own word where its numbers cannot be read. */
  readonly dtype: string;
  readonly elements: number;
  /** Bytes in the file, compressed ones where it compresses the tensor. */
  readonly bytes: number;
  /** How the numbers are stored where they are not stored one by one: a form of packed files, `sparse`, `uint8`. */
  readonly form?: string;
  /** Why its numbers cannot be read; a sentence. */
  readonly problem?: string;
}

/** Minimum, maximum, mean and standard deviation are of the finite numbers, and absent where there is none or they are too large. */
export interface TensorStatistics {
  /** How many numbers are exactly 0. */
  readonly zeros: number;
  /** How many are NaN or infinite. */
  readonly notFinite: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly mean?: number;
  /** Population standard deviation: the sum of squares is divided by the number of elements. */
  readonly deviation?: number;
}

/** Finite numbers, counted in equal-width bins over [minimum, maximum]; where these are equal, all are that number. */
export interface TensorHistogram {
  readonly minimum: number;
  readonly maximum: number;
  readonly counts: Float64Array;
  /** How many of the counted numbers are exactly 0. */
  readonly zeros: number;
}

/** What tensors can be sorted by: what the file says, and what its numbers come to. */
export const tensorSortKeys = ['name', 'shape', 'dtype', 'form', 'elements', 'bytes'] as const;
export const statisticsSortKeys = ['zeros', 'minimum', 'maximum', 'mean', 'deviation'] as const;
export type TensorSortKey = (typeof tensorSortKeys)[number] | (typeof statisticsSortKeys)[number];

/** True where a file has to be read as a whole to sort by a key. */
export function needsStatistics(key: TensorSortKey): boolean {
  return statisticsSortKeys.some((other) => other === key);
}

/** True where the largest come first unless somebody asks for the smallest: numbers, as against words. */
export function isDescendingFirst(key: TensorSortKey): boolean {
  return key === 'elements' || key === 'bytes' || needsStatistics(key);
}

/** A tensor with its statistics, where they are known. */
export interface ReadTensor {
  readonly tensor: Tensor;
  readonly statistics?: TensorStatistics;
}

/** A copy in order. `zeros` is the share of the numbers that are zero. Tensors without a value come last. */
export function sortTensors<T extends ReadTensor>(tensors: readonly T[], key: TensorSortKey, descending: boolean): T[] {
  const sign = descending ? -1 : 1;
  return tensors.toSorted((a, b) => {
    const [left, right] = [valueOf(a, key), valueOf(b, key)];
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    return sign * compare(left, right);
  });
}

type Value = string | number | readonly number[];

function valueOf({ tensor, statistics }: ReadTensor, key: TensorSortKey): Value | undefined {
  switch (key) {
    case 'zeros':
      return statistics && zeroShare(tensor, statistics);
    case 'minimum':
    case 'maximum':
    case 'mean':
    case 'deviation':
      return statistics?.[key];
    default:
      return tensor[key];
  }
}

/** The part of the numbers that is zero, 0 to 1; undefined for a tensor without numbers. */
export function zeroShare({ elements }: Tensor, { zeros }: TensorStatistics): number | undefined {
  return elements > 0 ? zeros / elements : undefined;
}

/** Names with numbers in them in the order of these; shapes by their number of axes, then by their sizes. */
function compare(a: Value, b: Value): number {
  if (typeof a === 'string' || typeof b === 'string')
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  if (typeof a === 'number' || typeof b === 'number') return Number(a) - Number(b);
  const differing = a.findIndex((size, axis) => size !== b[axis]);
  return a.length - b.length || (differing < 0 ? 0 : a[differing] - b[differing]);
}
