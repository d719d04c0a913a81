/**
 * @file Projections of a matrix A [rows, columns] on a subspace of its shorter side: of its rows, where it has as many rows
 * as columns or more, else of its columns. A basis B is orthonormal rows, [rank, min(rows, columns)].
 */
import type { Matrix, Products } from './products.ts';

/** A matrix of at most some rank, `left * right`. */
export interface Factors {
  /** [rows, rank] */
  readonly left: Float32Array;
  /** [rank, columns] */
  readonly right: Float32Array;
}

/** The coordinates of A in a basis: A B' [rows, rank], or B A [rank, columns]. */
export function coordinates(a: Matrix, basis: Matrix, products: Products): Promise<Matrix> {
  return isTall(a) ? products.multiplyRightTransposed(a, basis) : products.multiply(basis, a);
}

/** The Gram matrix of the shorter side times B', from the coordinates in B: the transpose, [rank, min(rows, columns)]. */
export function powerOf(a: Matrix, coordinates: Matrix, products: Products): Promise<Matrix> {
  return isTall(a) ? products.multiplyLeftTransposed(coordinates, a) : products.multiplyRightTransposed(coordinates, a);
}

/** The projection of A on a basis. */
export function projection(a: Matrix, basis: Matrix, { data }: Matrix): Factors {
  return isTall(a) ? { left: data, right: basis.data } : { left: transpose(basis).data, right: data };
}

export function isTall({ rows, columns }: Matrix): boolean {
  return rows >= columns;
}

export function transpose({ data, rows, columns }: Matrix): Matrix {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column];
  }
  return { data: result, rows: columns, columns: rows };
}
