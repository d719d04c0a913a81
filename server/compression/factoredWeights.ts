/**
 * @file The conventional low-rank baseline: a weight is truncated once, and its factors are trained in its place
 * (Sainath et al. 2013; with a shared projection, Prabhavalkar et al. 2016).
 */
import { SettingError } from '../protocol/settingError.ts';
import { defaultThreads, Products, type Matrix } from '../linalg/products.ts';
import { reconstruct } from '../linalg/truncate.ts';
import { storedMatrix } from './lowRank.ts';
import type { CompressionState, Projection, StoredWeights } from './storedWeights.ts';
import type { Target } from './targets.ts';

/**
 * The model computes with W = L R. Around an update, the factors and their gradients `dW R'` and `L' dW` stand in the memory of W
 * and of its gradient, where the optimizer finds them: r (m + n) numbers instead of m n, the rest without a gradient. So every
 * optimizer, with its state and the clipping by norm, trains factors as it trains weights.
 */
export class FactoredWeights implements StoredWeights {
  readonly #projection: Projection;
  /** Empty until the weights are truncated. */
  #groups: FactorGroup[] = [];

  /** @throws SettingError for a weight whose factors have no room in it, or that has no dense gradient */
  constructor(projection: Projection) {
    this.#projection = projection;
    for (const target of projection.targets) checkTarget(target);
  }

  get state(): CompressionState {
    return Object.assign({}, ...this.#groups.map((group) => group.state)) as CompressionState;
  }

  restore(state: CompressionState): void {
    const { targets } = this.#projection;
    const factors = targets.flatMap((target) => {
      const left = state[leftKey(target)];
      const right = state[rightKey(target)];
      return left instanceof Float32Array
        ? [{ target, left: left.slice(), right: right as Float32Array | undefined }]
        : [];
    });
    if (factors.length > 0) this.#groups = groupsOf(factors);
  }

  async beforeStep(step: number): Promise<void> {
    if (this.#groups.length > 0 || step < this.#projection.from) return;
    await this.#projection.project(step);
    this.#groups = groupsOf(
      this.#projection.targets.map((target) => {
        const form = this.#projection.formOf(target);
        if (form?.form !== 'factors') throw new TypeError(`${target.weight.name} was not truncated.`);
        return { target, left: form.left.slice(), right: form.right };
      }),
    );
  }

  afterEvaluation(): void {}

  async beforeUpdate(): Promise<void> {
    for (const group of this.#groups) await group.place();
  }

  async afterUpdate(): Promise<void> {
    for (const group of this.#groups) await group.take();
  }

  distort(step: number): Promise<void> {
    return this.#projection.project(step);
  }

  undistorted(): Float32Array[] {
    return this.#projection.targets.map(({ weight }) => weight.values.slice());
  }
}

interface Factor {
  readonly target: Target<unknown>;
  /** L, [rows, rank]. */
  readonly left: Float32Array;
  /** R, [rank, columns]; the same array in weights that share it, and undefined in a checkpoint for all but the last of them. */
  readonly right: Float32Array | undefined;
}

/** Weights that share a right factor, which stands in the memory of the last. */
class FactorGroup {
  readonly #factors: readonly (Factor & { readonly matrix: Matrix })[];
  readonly #right: Matrix;
  readonly #products: Products;

  constructor(factors: readonly Factor[], right: Float32Array) {
    this.#factors = factors.map((factor) => ({
      ...factor,
      matrix: storedMatrix(factor.target.weight.values, factor.target.view),
    }));
    const { rows, columns } = this.#factors[0].matrix;
    this.#right = { data: right.slice(), rows: right.length / columns, columns };
    this.#products = new Products(defaultThreads(rows, columns));
  }

  get state(): CompressionState {
    const lefts = this.#factors.map(({ target, left }) => [leftKey(target), left] as const);
    return { ...Object.fromEntries(lefts), [rightKey(this.#factors.at(-1)!.target)]: this.#right.data };
  }

  async place(): Promise<void> {
    const rightGradient = new Float32Array(this.#right.data.length);
    for (const { target, left, matrix } of this.#factors) {
      const gradient = target.weight.gradient!;
      const dense = { ...matrix, data: gradient };
      const { data: leftGradient } = await this.#products.multiplyRightTransposed(dense, this.#right);
      const ofRight = await this.#products.multiplyLeftTransposed(this.#leftOf(left, matrix), dense);
      for (let i = 0; i < rightGradient.length; i++) rightGradient[i] += ofRight.data[i];
      matrix.data.fill(0).set(left);
      gradient.fill(0).set(leftGradient);
    }
    const { target, left, matrix } = this.#factors.at(-1)!;
    matrix.data.set(this.#right.data, left.length);
    target.weight.gradient!.set(rightGradient, left.length);
  }

  async take(): Promise<void> {
    const last = this.#factors.at(-1)!;
    this.#right.data.set(last.matrix.data.subarray(last.left.length, last.left.length + this.#right.data.length));
    for (const { left, matrix } of this.#factors) {
      left.set(matrix.data.subarray(0, left.length));
      await reconstruct({ left, right: this.#right.data }, matrix.rows, matrix.columns, matrix.data);
    }
  }

  #leftOf(left: Float32Array, { rows }: Matrix): Matrix {
    return { data: left, rows, columns: this.#right.rows };
  }
}

/** Weights that share a right factor stand one after the other; only the last of them has it in a checkpoint. */
function groupsOf(factors: readonly Factor[]): FactorGroup[] {
  const groups: FactorGroup[] = [];
  let group: Factor[] = [];
  for (const [i, factor] of factors.entries()) {
    group.push(factor);
    const right = factor.right;
    if (right === undefined || factors[i + 1]?.right === right) continue;
    groups.push(new FactorGroup(group, right));
    group = [];
  }
  return groups;
}

const leftKey = ({ weight }: Target<unknown>) => `${weight.name}/left`;
const rightKey = ({ weight }: Target<unknown>) => `${weight.name}/right`;

function checkTarget({ weight, view, pattern, parameters }: Target<unknown>): void {
  const refuse = (path: string, message: string, remedy: string) => {
    throw new SettingError(['compression', 'layers', pattern, ...(path === '' ? [] : [path])], message, { remedy });
  };
  const { data, rows, columns } = storedMatrix(weight.values, view);
  const { rank } = parameters as { rank: number };
  const most = Math.floor((rows * columns) / (rows + columns));
  if (rank > most)
    refuse(
      'rank',
      `the factors of ${weight.name}, a [${rows}, ${columns}] matrix, are larger than itself: expected at most ${most}, got ${rank}`,
      'Lower the rank.',
    );
  if (weight.gradient?.length !== weight.values.length || data !== weight.values)
    refuse(
      '',
      `the factors of ${weight.name} cannot be trained: its gradient comes in rows, or its output axis is in the middle`,
      'Leave the layer out, or use another policy.',
    );
}
