/** @file The entries that stay of the weights of a unit, by pattern: all weights of a unit have one threshold. */
import { nOfM, type NOfM } from '../../../protocol/experiment/pruningPattern.ts';
import { ARENA_LIMIT, arenaBytes } from '../../../memory/arena.ts';
import { pruneSmallest, pruneSmallestOf } from '../../kernels.ts';
import type { MatrixView } from '../../targets/matrixView.ts';
import type { ParametersOf } from '../unit.ts';
import { prunedCount } from './rate.ts';
import {
  blocksOf,
  entriesOf,
  groupMarks,
  keepGroups,
  lastOf,
  scoreGroups,
  unitsOf,
  type GroupScore,
  type Partition,
  type Range,
} from './select/groups.ts';
import { keepGreatest, scoreOfRank } from './select/leastScores.ts';
import { keepNOfM, zerosOfNOfM } from './select/nOfM.ts';
import { splice } from './select/splice.ts';

/** A weight as a selection sees it. */
export interface SelectedWeight {
  readonly view: MatrixView;
  /** Rows of the matrix that belong to one unit: one for each gate of a recurrent layer. */
  readonly gates: number;
  /** Weights of the same group of units have the same units, as the two kernels of a recurrent layer. */
  readonly unitsOf: string;
}

/** Arrays have one entry a weight, in the order in which the weights were given, and marks are 1 for what stays. */
export interface Selection {
  /** Most entries that become zero at a rate. */
  zerosAt(rate: number): number;
  /** Marks by 0 the entries that are zero already, where all that become zero together are. */
  nonZeros(values: readonly Float32Array[]): Uint8Array[];
  /** The entries that stay at a rate. Scores have no NaN that is less than another number. */
  keep(scores: readonly Float32Array[], rate: number): Uint8Array[];
  /** The same with a hysteresis: what is near the threshold stays as it was. Absent where there is no threshold. */
  splice?(scores: readonly Float32Array[], rate: number, before: readonly Uint8Array[]): Uint8Array[];
  /** Makes zero what {@link keep} does not mark by magnitudes, in place, where that can be done faster. */
  prune?(values: readonly Float32Array[], rate: number): void;
}

/** How a pattern selects the entries that stay of some weights. @param score of a group of entries that become zero together */
export function selectionOf(
  weights: readonly SelectedWeight[],
  { pattern, block }: Pick<ParametersOf<'prune'>, 'pattern' | 'block'>,
  score: GroupScore,
): Selection {
  const numbers = nOfM(pattern);
  if (numbers) return nOfMSelection(weights, numbers);
  if (pattern === 'element') return elementSelection(weights);
  const cut = block ? blockGroups(weights, block) : unitGroups(weights);
  return groupSelection(weights, cut, score);
}

const entriesIn = (weights: readonly SelectedWeight[]) =>
  weights.reduce((sum, { view }) => sum + view.rows * view.columns, 0);

const nonZeroEntries = (values: readonly Float32Array[]) =>
  values.map((array) => Uint8Array.from(array, (value) => Number(value !== 0)));

function elementSelection(weights: readonly SelectedWeight[]): Selection {
  const entries = entriesIn(weights);
  const zerosAt = (rate: number) => prunedCount(rate, entries);
  return {
    zerosAt,
    nonZeros: nonZeroEntries,
    keep: (scores, rate) => keepGreatest(scores, zerosAt(rate)),
    splice(scores, rate, before) {
      const count = zerosAt(rate);
      if (count === 0) return keepGreatest(scores, 0);
      const threshold = scoreOfRank(scores, count);
      return scores.map((own, i) => splice(own, threshold, before[i]));
    },
    // What the memory of a kernel does not hold is chosen by its scores.
    ...(arenaBytes(entries) <= ARENA_LIMIT && {
      prune(values: readonly Float32Array[], rate: number) {
        const count = zerosAt(rate);
        if (values.length === 1) pruneSmallest(values[0], count);
        else pruneSmallestOf(values, count);
      },
    }),
  };
}

function nOfMSelection(weights: readonly SelectedWeight[], numbers: NOfM): Selection {
  const zeros = weights.reduce((sum, { view }) => sum + zerosOfNOfM(view, numbers), 0);
  return {
    zerosAt: (rate) => (rate === 0 ? 0 : zeros),
    nonZeros: nonZeroEntries,
    keep: (scores, rate) =>
      rate === 0 ? keepGreatest(scores, 0) : scores.map((own, i) => keepNOfM(own, weights[i].view, numbers)),
  };
}

/** The groups of all weights, and the ranges of them of which one has to stay. */
interface Cut {
  readonly partitions: readonly Partition[];
  readonly floors: readonly Range[];
  /** Entries of a group; 1 where groups have different sizes, so that their scores tell which fit. */
  readonly size: number;
}

function blockGroups(weights: readonly SelectedWeight[], block: readonly [number, number]): Cut {
  let first = 0;
  const partitions = weights.map(({ view }) => {
    const partition = blocksOf(view, block, first);
    first += partition.count;
    return partition;
  });
  const [height, width] = block;
  const areEqual = weights.every(({ view }) => view.rows % height === 0 && view.columns % width === 0);
  return { partitions, floors: [], size: areEqual ? height * width : 1 };
}

/** A layer without units would let nothing through: one of each stays. */
function unitGroups(weights: readonly SelectedWeight[]): Cut {
  const ranges = new Map<string, Range>();
  let next = 0;
  const partitions = weights.map(({ view, gates, unitsOf: layer }) => {
    const partition = unitsOf(view, gates, ranges.get(layer)?.from ?? next);
    if (!ranges.has(layer)) {
      ranges.set(layer, { from: next, to: next + partition.count });
      next += partition.count;
    }
    return partition;
  });
  const sizes = new Map<string, number>();
  for (const { view, gates, unitsOf: layer } of weights)
    sizes.set(layer, (sizes.get(layer) ?? 0) + gates * view.columns);
  const [size, ...others] = new Set(sizes.values());
  return { partitions, floors: [...ranges.values()], size: others.length === 0 ? size : 1 };
}

function groupSelection(
  weights: readonly SelectedWeight[],
  { partitions, floors, size }: Cut,
  score: GroupScore,
): Selection {
  const entries = entriesIn(weights);
  const zerosAt = (rate: number) => {
    const most = prunedCount(rate, entries);
    return most - (most % size);
  };
  const marksOf = (kept: Uint8Array) => partitions.map((partition) => entriesOf(partition, kept));
  return {
    zerosAt,
    nonZeros(values) {
      const { scores } = scoreGroups(values, partitions, 'root mean square');
      return marksOf(Uint8Array.from(scores, (magnitude) => Number(magnitude !== 0)));
    },
    keep: (scores, rate) => marksOf(keepGroups(scoreGroups(scores, partitions, score), zerosAt(rate), floors)),
    splice(scores, rate, before) {
      const groups = scoreGroups(scores, partitions, score);
      const kept = keepGroups(groups, zerosAt(rate), floors);
      const pruned = groups.scores.filter((_, group) => kept[group] === 0);
      if (pruned.length === 0) return marksOf(kept);
      const spliced = splice(groups.scores, Math.max(...pruned), groupMarks(partitions, before, kept.length));
      for (const group of lastOf(groups.scores, floors)) spliced[group] = 1;
      return marksOf(spliced);
    },
  };
}
