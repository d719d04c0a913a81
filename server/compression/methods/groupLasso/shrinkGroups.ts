/** @file The proximal map of the sparse group lasso over the output units of a layer (Alvarez & Salzmann 2017; Simon et al. 2013), in place. */
import type { RowView } from '../../../formats/packed/packedWeight.ts';

/** A tensor of a layer: its row r belongs to output unit `r mod units`. Gates of a recurrent layer lie one after the other. */
export interface GroupMember {
  readonly values: Float32Array;
  readonly view: RowView;
}

/** How strongly groups are shrunk. */
export interface GroupShrinkage {
  /** t lambda: the step of the proximal map times the strength of the layer. */
  readonly threshold: number;
  /** The part of the strength that works on each number, 0 to 1; the rest works on the norms of groups. */
  readonly alpha: number;
}

/**
 * Per unit n, with theta^n all its P numbers: `z = sign(theta^n) max(|theta^n| - t alpha lambda, 0)`, then
 * `theta^n <- max(1 - t (1 - alpha) lambda sqrt(P) / ||z||_2, 0) z`. A unit whose z is 0 stays 0.
 *
 * @param members what belongs to the units: kernels, and the bias as a tensor of one number a row
 * @param units the number of output units
 * @returns the number of units that are not 0
 */
export function shrinkGroups(
  members: readonly GroupMember[],
  units: number,
  { threshold, alpha }: GroupShrinkage,
): number {
  const squares = new Float64Array(units);
  for (const member of members) softThresholdElements(member, alpha * threshold, squares);
  const numbers = members.reduce((sum, { values }) => sum + values.length, 0) / units;
  const cut = threshold * (1 - alpha) * Math.sqrt(numbers);
  const factors = squares.map((square) => (square === 0 ? 0 : Math.max(0, 1 - cut / Math.sqrt(square))));
  for (const member of members) scaleUnits(member, factors);
  return factors.reduce((left, factor) => left + +(factor > 0), 0);
}

/** Takes a threshold off the magnitude of each number, and adds the squares of what is left to those of its unit. */
function softThresholdElements({ values, view }: GroupMember, threshold: number, squares: Float64Array): void {
  const units = squares.length;
  forEachRun(view, (row, from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) {
      const value = values[i];
      const left = Math.abs(value) - threshold;
      // NaN stays NaN, so that a training that has diverged is seen.
      values[i] = left <= 0 ? 0 : value < 0 ? -left : left;
      sum += values[i] * values[i];
    }
    squares[row % units] += sum;
  });
}

function scaleUnits({ values, view }: GroupMember, factors: Float64Array): void {
  const units = factors.length;
  forEachRun(view, (row, from, to) => {
    const factor = factors[row % units];
    // A product with 0 would leave -0 in the place of negative numbers, and NaN in that of infinite ones.
    if (factor === 0) values.fill(0, from, to);
    else if (factor !== 1) for (let i = from; i < to; i++) values[i] *= factor;
  });
}

/** Numbers of one row that lie side by side, in the order of memory. */
function forEachRun({ outer, rows, inner }: RowView, visit: (row: number, from: number, to: number) => void): void {
  for (let o = 0, from = 0; o < outer; o++)
    for (let row = 0; row < rows; row++, from += inner) visit(row, from, from + inner);
}
