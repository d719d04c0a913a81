/** @file The Gram matrix of a matrix's shorter side: its eigenvalues are squared singular values, its eigenvectors singular vectors. */
import { applyReflectors } from './applyReflectors.ts';
import { tridiagonalize, type Tridiagonalization } from './kernels.ts';
import type { GramPrecision, Matrix, Products } from './products.ts';
import { isTall, transpose } from './shorterSide.ts';
import { tridiagonalEigenvalues, tridiagonalEigenvectors } from './tridiagonal.ts';

export interface GramSpectrum {
  readonly tridiagonal: Tridiagonalization;
  /** All of them, descending, [min(rows, columns)]. */
  readonly eigenvalues: Float64Array;
}

export async function gramSpectrum(a: Matrix, precision: GramPrecision, products: Products): Promise<GramSpectrum> {
  const gram = await products.gram(a, isTall(a) ? 'columns' : 'rows', precision);
  const tridiagonal = tridiagonalize(gram, Math.min(a.rows, a.columns), true);
  return { tridiagonal, eigenvalues: tridiagonalEigenvalues(tridiagonal.diagonal, tridiagonal.offDiagonal) };
}

/**
 * Unit eigenvectors as rows, [eigenvalues.length, min(rows, columns)]; those of close eigenvalues are not orthogonal.
 * @param eigenvalues some of the spectrum's, descending
 */
export async function eigenvectorsOf(
  { tridiagonal }: GramSpectrum,
  eigenvalues: Float64Array,
  products: Products,
): Promise<Matrix> {
  const { diagonal, offDiagonal, reflectors } = tridiagonal;
  const data = tridiagonalEigenvectors(diagonal, offDiagonal, eigenvalues);
  const x = { data, rows: diagonal.length, columns: eigenvalues.length };
  return transpose(await applyReflectors(reflectors, x, products));
}
