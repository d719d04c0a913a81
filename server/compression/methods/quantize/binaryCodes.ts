/**
 * @file Binary-code quantization of one vector: `w ~ sum_i alpha_i b_i` with `b_i` in {-1, +1}^n. Greedy (DeepTwist,
 * equations (2) to (4)), refined (Guo et al. 2017, Network Sketching) and alternating (Xu et al. 2018).
 *
 * A weight's code holds its signs: bit i is set where `b_i = +1`. Everything that needs all planes at once (`B'B`, `B'w`,
 * the levels) is computed from 2^k counts and sums over the codes, so the cost of a pass does not depend on k.
 */
import type { ParametersOfLevels } from '../../../protocol/experiment/schema/quantization.ts';

export type BinaryParameters = Omit<ParametersOfLevels<'binary'>, 'levels'>;

/** Fits the binary codes of vectors of at most `length` weights; holds the buffers, so one serves many vectors. */
export class BinaryCodes {
  readonly bits: number;
  /** `alpha_1 >= ... >= alpha_k >= 0` of the last fit, rounded to float32 as they will be stored. */
  readonly scales: Float32Array;
  /** The value that each code of the last fit stands for, [2^bits]. */
  readonly levels: Float64Array;
  /** Codes of the last fit, in the order of the vector. */
  readonly codes: Uint8Array;
  readonly #algorithm: BinaryParameters['algorithm'];
  readonly #iterations: number;
  readonly #alpha: Float64Array;
  readonly #residual: Float64Array;
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;

  /** @param parameters `iterations` is used by the alternating algorithm alone */
  constructor(length: number, parameters: Pick<BinaryParameters, 'bits' | 'algorithm' | 'iterations'>) {
    this.bits = parameters.bits;
    this.#algorithm = parameters.algorithm;
    this.#iterations = parameters.iterations;
    this.scales = new Float32Array(this.bits);
    this.levels = new Float64Array(1 << this.bits);
    this.codes = new Uint8Array(length);
    this.#alpha = new Float64Array(this.bits);
    this.#residual = new Float64Array(length);
    this.#counts = new Float64Array(1 << this.bits);
    this.#sums = new Float64Array(1 << this.bits);
  }

  /** Fits `weights`; leaves the result in {@link scales}, {@link levels} and {@link codes}. */
  fit(weights: Float32Array): void {
    const length = weights.length;
    this.#residual.set(weights);
    this.codes.fill(0, 0, length);
    for (let plane = 0; plane < this.bits; plane++) {
      this.#alpha[plane] = this.#addPlane(length, plane);
      if (this.#algorithm === 'refined' && plane > 0) {
        this.#refit(weights, plane + 1);
        this.#computeResidual(weights, plane + 1);
      }
    }
    this.#order(length);
    if (this.#algorithm === 'alternating' && this.bits > 1) this.#alternate(weights);
    this.scales.set(this.#alpha);
    for (let code = 0; code < this.levels.length; code++) this.levels[code] = levelOf(code, this.scales);
  }

  /** One greedy step (equation (4)): the sign of the residual, with sign(0) = +1. @returns its scale, mean |residual| */
  #addPlane(length: number, plane: number): number {
    const residual = this.#residual;
    const codes = this.codes;
    let sum = 0;
    for (let i = 0; i < length; i++) sum += Math.abs(residual[i]);
    const alpha = length > 0 ? sum / length : 0;
    for (let i = 0; i < length; i++) {
      // A comparison as a number: signs are random, and a branch on them would be mispredicted half of the time.
      const positive = +(residual[i] >= 0);
      codes[i] |= positive << plane;
      residual[i] -= alpha * (2 * positive - 1);
    }
    return alpha;
  }

  #computeResidual(weights: Float32Array, planes: number): void {
    const alpha = this.#alpha.subarray(0, planes);
    const levels = Float64Array.from({ length: 1 << planes }, (_, code) => levelOf(code, alpha));
    const residual = this.#residual;
    const codes = this.codes;
    for (let i = 0; i < weights.length; i++) residual[i] = weights[i] - levels[codes[i]];
  }

  /** `alpha = (B'B)^-1 B'w` over the first planes: the scales of least squared error for the codes as they are. */
  #refit(weights: Float32Array, planes: number): void {
    const combinations = 1 << planes;
    const counts = this.#counts.fill(0);
    const sums = this.#sums.fill(0);
    const codes = this.codes;
    for (let i = 0; i < weights.length; i++) {
      const code = codes[i];
      counts[code]++;
      sums[code] += weights[i];
    }
    const gram = Array.from({ length: planes }, () => new Float64Array(planes));
    const projections = new Float64Array(planes);
    for (let code = 0; code < combinations; code++) {
      for (let i = 0; i < planes; i++) {
        const sign = signOf(code, i);
        projections[i] += sign * sums[code];
        for (let j = 0; j <= i; j++) gram[i][j] += sign * signOf(code, j) * counts[code];
      }
    }
    // Two equal planes make B'B singular; this keeps it definite and moves a regular solution by 1e-8 of itself.
    for (let i = 0; i < planes; i++) gram[i][i] += 1e-8 * weights.length;
    solveInPlace(gram, projections);
    this.#alpha.set(projections);
  }

  /** Makes the scales non-negative and descending, by turning planes round and exchanging them. */
  #order(length: number): void {
    const alpha = this.#alpha;
    if (alpha.every((scale, plane) => scale >= 0 && (plane === 0 || scale <= alpha[plane - 1]))) return;
    const order = Array.from(alpha.keys()).sort((a, b) => Math.abs(alpha[b]) - Math.abs(alpha[a]));
    const recoded = new Uint8Array(1 << this.bits);
    for (let code = 0; code < recoded.length; code++)
      order.forEach((plane, place) => {
        if (signOf(code, plane) > 0 === alpha[plane] >= 0) recoded[code] |= 1 << place;
      });
    for (let i = 0; i < length; i++) this.codes[i] = recoded[this.codes[i]];
    alpha.set(order.map((plane) => Math.abs(alpha[plane])));
  }

  /** Xu et al. 2018, algorithm 2: refit the scales, re-code to the nearest level, until nothing changes. */
  #alternate(weights: Float32Array): void {
    for (let iteration = 0; iteration < this.#iterations; iteration++) {
      this.#refit(weights, this.bits);
      this.#order(weights.length);
      if (!this.#recode(weights)) return;
    }
  }

  /** Gives every weight the code of the nearest level (the upper one at a midpoint). @returns whether a code changed */
  #recode(weights: Float32Array): boolean {
    const codes = this.codes;
    const levels = Float64Array.from(this.levels, (_, code) => levelOf(code, this.#alpha));
    const sorted = Uint8Array.from(levels.keys()).sort((a, b) => levels[a] - levels[b] || a - b);
    const midpoints = Float64Array.from(
      { length: sorted.length - 1 },
      (_, i) => (levels[sorted[i]] + levels[sorted[i + 1]]) / 2,
    );
    let changes = 0;
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i];
      let place = 0;
      for (let half = sorted.length >> 1; half > 0; half >>= 1)
        place += half * +(weight >= midpoints[place + half - 1]);
      const code = sorted[place];
      changes |= code ^ codes[i];
      codes[i] = code;
    }
    return changes !== 0;
  }
}

function signOf(code: number, plane: number): number {
  return (code >> plane) & 1 ? 1 : -1;
}

/** `sum_i +-alpha_i` with the signs of the code. */
function levelOf(code: number, alpha: ArrayLike<number>): number {
  let level = 0;
  for (let plane = 0; plane < alpha.length; plane++) level += signOf(code, plane) * alpha[plane];
  return level;
}

/** Solves `matrix x = right` by Cholesky decomposition; the lower triangle of `matrix` and `right` are overwritten, by L and x. */
function solveInPlace(matrix: Float64Array[], right: Float64Array): void {
  const n = right.length;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j];
      for (let k = 0; k < j; k++) sum -= matrix[i][k] * matrix[j][k];
      matrix[i][j] = i === j ? Math.sqrt(sum) : sum / matrix[j][j];
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) right[i] -= matrix[i][k] * right[k];
    right[i] /= matrix[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) right[i] -= matrix[k][i] * right[k];
    right[i] /= matrix[i][i];
  }
}
