/** @file The size of factored weights. */
import { denseSize, type CompressedSize } from '../../size.ts';
import { storedShape, type MatrixView } from '../../targets/matrixView.ts';

/**
 * The factors of a weight [m, n_0], `r (m + n_0)`, and of each weight [m, n_i] that shares its projection [m, r], `r n_i`; all
 * dense where that is fewer.
 */
export function factoredSizes(unit: readonly MatrixView[], rank: number): CompressedSize[] {
  const { factored, dense } = numbers(unit, rank);
  return (areFactorsFewer(unit, rank) ? factored : dense).map(denseSize);
}

/** True where the factors of all weights of a unit are fewer numbers than the weights. */
export function areFactorsFewer(unit: readonly MatrixView[], rank: number): boolean {
  const { factored, dense } = numbers(unit, rank);
  const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
  return total(factored) < total(dense);
}

/** How many numbers each weight is, as factors and dense. */
function numbers(unit: readonly MatrixView[], rank: number): { factored: number[]; dense: number[] } {
  const [{ rows }] = unit.map(storedShape);
  const columns = unit.map((view) => storedShape(view).columns);
  return {
    factored: columns.map((count, i) => rank * (i === 0 ? rows + count : count)),
    dense: columns.map((count) => rows * count),
  };
}
