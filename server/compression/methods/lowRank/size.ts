/** @file The size of factored weights. */
import { denseSize, type CompressedSize } from '../../size.ts';
import { storedShape, type MatrixView } from '../../targets/matrixView.ts';

/**
 * The factors of a weight [m, n_0], `r (m + n_0)`, and of each weight [m, n_i] that shares its projection [m, r], `r n_i`; all
 * dense where that is fewer.
 */
export function factoredSizes(unit: readonly MatrixView[], rank: number): CompressedSize[] {
  const [{ rows }] = unit.map(storedShape);
  const columns = unit.map((view) => storedShape(view).columns);
  const factored = columns.map((count, i) => rank * (i === 0 ? rows + count : count));
  const dense = columns.map((count) => rows * count);
  const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
  return (total(factored) < total(dense) ? factored : dense).map(denseSize);
}
