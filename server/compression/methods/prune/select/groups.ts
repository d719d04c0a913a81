/**
 * @file Pruning of whole groups: blocks of a matrix, or all weights of a unit. The entries of a group become zero together, the
 * groups of least score first.
 */
import { columnsByChannel, type MatrixView } from '../../../targets/matrixView.ts';

/**
 * A matrix cut into groups: entries whose rows and whose columns are of the same group belong together. The groups of several matrices
 * are counted through; matrices that are cut alike and begin with the same number have them in common.
 */
export interface Partition {
  readonly view: MatrixView;
  /** Group of each row. */
  readonly rowGroups: Int32Array;
  /** Group of each column, below {@link columnGroupCount}. */
  readonly columnGroups: Int32Array;
  readonly columnGroupCount: number;
  /** Number of the first group. */
  readonly first: number;
  /** Groups of this matrix. */
  readonly count: number;
}

/** Blocks of `height` rows and `width` columns; those at the lower and at the right edge may be smaller. Columns are in the order of {@link columnsByChannel}. */
export function blocksOf(view: MatrixView, [height, width]: readonly [number, number], first: number): Partition {
  const { rows, columns } = view;
  const columnGroupCount = Math.ceil(columns / width);
  const columnGroups = new Int32Array(columns);
  columnsByChannel(view).forEach((column, at) => (columnGroups[column] = Math.floor(at / width)));
  return {
    view,
    rowGroups: Int32Array.from({ length: rows }, (_, row) => Math.floor(row / height)),
    columnGroups,
    columnGroupCount,
    first,
    count: Math.ceil(rows / height) * columnGroupCount,
  };
}

/**
 * The rows of each unit: one, or one for each gate of a recurrent layer, whose kernels have the units of a gate side by side.
 * @param gates 1 for other layers
 */
export function unitsOf(view: MatrixView, gates: number, first: number): Partition {
  const { rows, columns } = view;
  const count = rows / gates;
  return {
    view,
    rowGroups: Int32Array.from({ length: rows }, (_, row) => row % count),
    columnGroups: new Int32Array(columns),
    columnGroupCount: 1,
    first,
    count,
  };
}

/** How the score of a group follows from those of its entries: so that groups of different sizes can be compared. */
export type GroupScore = 'root mean square' | 'mean';

/** Groups of entries with the scores by which they are chosen. */
export interface ScoredGroups {
  /** Score of each group. */
  readonly scores: Float64Array;
  /** Number of entries of each group. */
  readonly sizes: Int32Array;
}

/** Number of entries of each group, in all matrices. */
function groupSizes(partitions: readonly Partition[]): Int32Array {
  const sizes = new Int32Array(Math.max(...partitions.map(({ first, count }) => first + count)));
  for (const { rowGroups, columnGroups, columnGroupCount, first } of partitions) {
    const widths = new Int32Array(columnGroupCount);
    for (const group of columnGroups) widths[group]++;
    for (const row of rowGroups)
      widths.forEach((width, group) => (sizes[first + row * columnGroupCount + group] += width));
  }
  return sizes;
}

/** @param scores of the entries of each matrix, as the tensor has them */
export function scoreGroups(
  scores: readonly Float32Array[],
  partitions: readonly Partition[],
  score: GroupScore,
): ScoredGroups {
  const sizes = groupSizes(partitions);
  const sums = new Float64Array(sizes.length);
  partitions.forEach((partition, at) => {
    const entries = scores[at];
    const isSquared = score === 'root mean square';
    forEachEntry(partition, (i, group) => {
      sums[group] += isSquared ? entries[i] * entries[i] : entries[i];
    });
  });
  const means = sums.map((sum, group) => sum / sizes[group]);
  return { scores: score === 'root mean square' ? means.map(Math.sqrt) : means, sizes };
}

/** Groups `from` to `to - 1`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Marks groups by 0, in ascending order of their scores, the lower number first among equals, as long as they have at most `budget`
 * entries together; all others by 1. The first group that does not fit ends it.
 * @param floors ranges of groups of which the best stays in any case
 */
export function keepGroups({ scores, sizes }: ScoredGroups, budget: number, floors: readonly Range[] = []): Uint8Array {
  const kept = new Uint8Array(scores.length).fill(1);
  const last = new Set(lastOf(scores, floors));
  let left = budget;
  for (const group of ascending(scores)) {
    if (last.has(group)) continue;
    if (sizes[group] > left) break;
    left -= sizes[group];
    kept[group] = 0;
  }
  return kept;
}

/** The best group of each range, the higher number among equals. */
export function lastOf(scores: Float64Array, ranges: readonly Range[]): number[] {
  return ranges.map(({ from, to }) => from + ascending(scores.subarray(from, to)).at(-1)!);
}

/** The groups by their scores; NaN is the greatest. */
function ascending(scores: Float64Array): Uint32Array {
  const ordered = scores.map((score) => (Number.isNaN(score) ? Infinity : score));
  const before = (a: number, b: number) => (ordered[a] < ordered[b] ? -1 : Number(ordered[a] > ordered[b]));
  return Uint32Array.from(ordered.keys()).sort((a, b) => before(a, b) || a - b);
}

/** What is marked for each group, for each entry of a matrix. */
export function entriesOf(partition: Partition, kept: Uint8Array): Uint8Array {
  const { rows, columns } = partition.view;
  const entries = new Uint8Array(rows * columns);
  forEachEntry(partition, (i, group) => (entries[i] = kept[group]));
  return entries;
}

/** Marks of groups, from those of their entries, which are the same in a group. */
export function groupMarks(
  partitions: readonly Partition[],
  entries: readonly Uint8Array[],
  count: number,
): Uint8Array {
  const marks = new Uint8Array(count);
  partitions.forEach((partition, at) => forEachEntry(partition, (i, group) => (marks[group] = entries[at][i])));
  return marks;
}

/** Calls `visit` with each entry of the tensor, in its order, and its group. */
function forEachEntry(
  { view, rowGroups, columnGroups, columnGroupCount, first }: Partition,
  visit: (index: number, group: number) => void,
): void {
  const { outer, rows, inner } = view;
  let index = 0;
  for (let o = 0; o < outer; o++)
    for (let row = 0; row < rows; row++) {
      const group = first + rowGroups[row] * columnGroupCount;
      for (let i = 0; i < inner; i++) visit(index++, group + columnGroups[o * inner + i]);
    }
}
