/** @file N:M sparsity (Mishra et al. 2021): of M weights side by side in a row of the matrix, along the input channels, at most N stay. */
import type { NOfM } from '../../../../protocol/experiment/pruningPattern.ts';
import { columnsByChannel, type MatrixView } from '../../../targets/matrixView.ts';

/**
 * Marks by 1 the `kept` greatest scores of each `of` columns of a row, from the first column on by {@link columnsByChannel}, and by 0
 * the others; a last group that is shorter keeps as many. Among equal scores the later column stays; a NaN is the greatest.
 * @param scores as the tensor has its entries
 */
export function keepNOfM(scores: Float32Array, view: MatrixView, pattern: NOfM): Uint8Array {
  const { outer, rows, inner, columns } = view;
  const ordered = columnsByChannel(view);
  const marks = new Uint8Array(outer * rows * inner);
  const places = new Int32Array(pattern.of);
  const group = new Float64Array(pattern.of);
  for (let from = 0; from < columns; from += pattern.of) {
    const size = Math.min(pattern.of, columns - from);
    for (let c = 0; c < size; c++) {
      const column = ordered[from + c];
      const o = Math.floor(column / inner);
      places[c] = o * rows * inner + (column - o * inner);
    }
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < size; c++) {
        const score = scores[places[c] + row * inner];
        group[c] = Number.isNaN(score) ? Infinity : score;
      }
      for (let c = 0; c < size; c++) if (greaterThan(group, c, size) < pattern.kept) marks[places[c] + row * inner] = 1;
    }
  }
  return marks;
}

/** How many of the group come before one: greater scores, and equal ones behind it. */
function greaterThan(group: Float64Array, one: number, size: number): number {
  let count = 0;
  for (let other = 0; other < size; other++)
    if (group[other] > group[one] || (group[other] === group[one] && other > one)) count++;
  return count;
}

/** Number of weights that {@link keepNOfM} marks by 0. */
export function zerosOfNOfM({ rows, columns }: Pick<MatrixView, 'rows' | 'columns'>, { kept, of }: NOfM): number {
  const whole = Math.floor(columns / of);
  const rest = columns - whole * of;
  return rows * (whole * (of - kept) + Math.max(0, rest - kept));
}
