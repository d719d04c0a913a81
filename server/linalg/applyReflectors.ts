/** @file Products with the orthogonal matrix of many Householder reflectors. */
import type { Reflectors } from './kernels.ts';
import type { Matrix, Products } from './products.ts';

/** Reflectors that are applied together. */
const BLOCK = 64;

/**
 * H_c ... H_1 X: blocks of reflectors as I - V' T' V (compact WY form, Schreiber & Van Loan 1989), T from the UT transform
 * T^-1 = strict upper triangle of V V' + diag(1 / tau) (Joffrain et al. 2006).
 *
 * @param x X [n, count]; its data are overwritten
 */
export async function applyReflectors(
  { vectors, tau, shortest }: Reflectors,
  x: Matrix,
  products: Products,
): Promise<Matrix> {
  const { rows: n, columns: count } = x;
  // The reflectors of a block leave the rows after `end` alone, so each block computes a prefix, from one of two buffers
  // into the other; the rows after it are still those of X in both.
  let source: Float32Array = x.data;
  let target: Float32Array = x.data.slice();
  for (let first = 0; first < tau.length; first += BLOCK) {
    const size = Math.min(BLOCK, tau.length - first);
    const end = first + size - 1 + shortest;
    const v = { data: new Float32Array(size * end), rows: size, columns: end };
    for (let row = 0; row < size; row++) {
      const at = (first + row) * n;
      v.data.set(vectors.subarray(at, at + first + row + shortest), row * end);
    }
    const gram = await products.gram(v, 'rows', 'float64');
    const t = { data: invertUpper(gram, tau.subarray(first, first + size)), rows: size, columns: size };
    const changed = { data: source.subarray(0, end * count), rows: end, columns: count };
    await products.reflectInto(target.subarray(0, end * count), changed, v, t);
    [source, target] = [target, source];
  }
  return { data: source, rows: n, columns: count };
}

/**
 * Orthonormal rows [n - c, n] that H_c ... H_1 maps the first n - c unit vectors to: the first rows of I - V' T V.
 */
export async function imageOfFirstUnits({ vectors, tau }: Reflectors, products: Products): Promise<Matrix> {
  const rows = tau.length;
  const v = { data: vectors, rows, columns: vectors.length / rows };
  const count = v.columns - rows;
  const t = invertUpper(await products.gram(v, 'rows', 'float64'), tau).map((element) => -element);
  const first = { data: new Float32Array(rows * count), rows, columns: count };
  for (let row = 0; row < rows; row++) {
    first.data.set(vectors.subarray(row * v.columns, row * v.columns + count), row * count);
  }
  const tv = await products.multiply({ data: t, rows, columns: rows }, v);
  const image = await products.multiplyLeftTransposed(first, tv);
  for (let i = 0; i < count; i++) image.data[i * v.columns + i] += 1;
  return image;
}

/** T from V V' [size, size] and tau [size]; a reflector with tau = 0 is the identity, and its row and column are zero. */
function invertUpper(gram: Float64Array, tau: Float64Array): Float32Array {
  const size = tau.length;
  const inverse = new Float64Array(size * size);
  for (let row = size - 1; row >= 0; row--) {
    const at = row * size;
    inverse[at + row] = tau[row];
    for (let k = row + 1; k < size; k++) {
      const factor = -tau[row] * gram[at + k];
      for (let column = k; column < size; column++) inverse[at + column] += factor * inverse[k * size + column];
    }
  }
  return Float32Array.from(inverse);
}
