/** @file The WebAssembly kernels of `assembly/`, on arrays; each call is synchronous, so that all share one memory. */
import { KernelCode, MOST_PAGES, PAGE } from '../memory/instantiate.ts';
import { wasmBase64 } from './generated/wasm.ts';

interface KernelExports {
  tridiagonalize(
    g: number,
    size: number,
    stride: number,
    panel: number,
    diagonal: number,
    offDiagonal: number,
    tau: number,
    work: number,
  ): void;
  reduceRows(x: number, count: number, length: number, stride: number, tau: number): void;
  invertCholesky(c: number, inverse: number, size: number, stride: number, tolerance: number): number;
}

/** The first bytes are left to the module's static data. */
const STATIC_BYTES = 4096;
/** Rows whose rank-two updates are applied to the rest of the matrix together. */
const PANEL = 32;

/** H_i = I - tau_i v_i v_i', i = 1, ..., c, of length n. */
export interface Reflectors {
  /** v_i in row i - 1, zero from its element shortest + i - 1 on, [c, n]. */
  readonly vectors: Float32Array;
  /** tau_i at i - 1, [c]. */
  readonly tau: Float64Array;
  readonly shortest: number;
}

/** A symmetric matrix G reduced to the tridiagonal T = Q' G Q, Q = H_(n-1) ... H_1. */
export interface Tridiagonalization {
  /** Diagonal of T, [n]. */
  diagonal: Float64Array;
  /** Off-diagonal of T, [n - 1]. */
  offDiagonal: Float64Array;
  /** H_1, ..., H_(n-1); their vectors are empty where reflectors were not asked for. */
  reflectors: Reflectors;
}

const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES });
const code = new KernelCode<KernelExports>(wasmBase64);

/** Distance of two rows in elements: an odd number of cache lines, so that a column does not fall into one cache set. */
function strideOf(columns: number): number {
  return Math.ceil((columns - 8) / 16) * 16 + 8;
}

/** Room for `length` float64 in the kernels' memory, which is grown if it is too small. */
function reserve(length: number): Float64Array {
  const missing = STATIC_BYTES + length * 8 - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  return new Float64Array(memory.buffer, STATIC_BYTES, length);
}

function storeLowerTriangle(
  target: Float64Array,
  stride: number,
  matrix: Float32Array | Float64Array,
  size: number,
): void {
  for (let row = 0; row < size; row++) {
    target.set(matrix.subarray(row * size, row * size + row + 1), row * stride);
  }
}

/**
 * Reduces a symmetric matrix to tridiagonal form by Householder reflectors (LAPACK dsytrd).
 *
 * @param matrix [size, size], row-major; the lower triangle is read
 * @param withReflectors whether the reflectors are returned
 */
export function tridiagonalize(
  matrix: Float32Array | Float64Array,
  size: number,
  withReflectors: boolean,
): Tridiagonalization {
  const kernels = code.kernelsIn(memory);
  const stride = strideOf(size);
  const work = size * stride;
  const diagonal = work + (PANEL + 1) * stride;
  const offDiagonal = diagonal + stride;
  const tau = offDiagonal + stride;
  const room = reserve(tau + stride);
  storeLowerTriangle(room, stride, matrix, size);
  const address = (offset: number) => STATIC_BYTES + offset * 8;
  kernels.tridiagonalize(
    address(0),
    size,
    stride,
    PANEL,
    address(diagonal),
    address(offDiagonal),
    address(tau),
    address(work),
  );
  const vectors = new Float32Array(withReflectors ? (size - 1) * size : 0);
  for (let row = 1; row < size && withReflectors; row++) {
    vectors.set(room.subarray(row * stride, row * stride + row), (row - 1) * size);
  }
  return {
    diagonal: room.slice(diagonal, diagonal + size),
    offDiagonal: room.slice(offDiagonal, offDiagonal + size - 1),
    reflectors: { vectors, tau: room.slice(tau, tau + size - 1), shortest: 1 },
  };
}

/**
 * The reflectors whose product H_c ... H_1 maps the last c unit vectors to what the given rows span (Householder's
 * decomposition Q L of the matrix with these columns; LAPACK dgeqlf): it maps the others to an orthonormal basis of the rest.
 *
 * @param rows [count, length], row-major, count < length
 */
export function reduceRows(rows: Float32Array, count: number, length: number): Reflectors {
  const kernels = code.kernelsIn(memory);
  const stride = strideOf(length);
  const tauAt = count * stride;
  const room = reserve(tauAt + strideOf(count + 1));
  for (let row = 0; row < count; row++) room.set(rows.subarray(row * length, (row + 1) * length), row * stride);
  kernels.reduceRows(STATIC_BYTES, count, length, stride, STATIC_BYTES + tauAt * 8);
  // The first row gives the longest reflector, which is applied last.
  const vectors = new Float32Array(count * length);
  const shortest = length - count + 1;
  for (let row = 0; row < count; row++) {
    const at = (count - 1 - row) * stride;
    vectors.set(room.subarray(at, at + shortest + row), row * length);
  }
  return { vectors, tau: room.slice(tauAt, tauAt + count).reverse(), shortest };
}

/**
 * Inverse of the Cholesky factor L of C = L L'.
 *
 * @param matrix C [size, size], symmetric, row-major, with a diagonal of 1; the lower triangle is read
 * @param tolerance a row whose squared pivot is below it depends on the rows before it and gets an inverse row of zeros
 * @returns L^-1 [size, size], and the smallest squared pivot
 */
export function invertCholesky(
  matrix: Float64Array,
  size: number,
  tolerance: number,
): { inverse: Float64Array; smallestPivot: number } {
  const kernels = code.kernelsIn(memory);
  const stride = strideOf(size);
  const room = reserve(2 * size * stride);
  storeLowerTriangle(room, stride, matrix, size);
  const inverseAt = size * stride;
  const smallestPivot = kernels.invertCholesky(STATIC_BYTES, STATIC_BYTES + inverseAt * 8, size, stride, tolerance);
  const inverse = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const at = inverseAt + row * stride;
    inverse.set(room.subarray(at, at + row + 1), row * size);
  }
  return { inverse, smallestPivot };
}
