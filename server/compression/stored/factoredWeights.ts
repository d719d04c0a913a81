/**
 * @file The conventional low-rank baseline: a weight is truncated once, and its factors are trained in its place
 * (Sainath et al. 2013; with a shared projection, Prabhavalkar et al. 2016).
 */
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { defaultThreads, Products, type Matrix } from '../../linalg/products.ts';
import { reconstruct } from '../../linalg/truncate.ts';
import { storedMatrix, type FactoredWeight } from '../methods/lowRank/lowRank.ts';
import type { CompressionState, Projection, StoredWeights } from './storedWeights.ts';
import type { Target } from '../targets/targets.ts';

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
    const groups = this.#projection.units.map((unit) => {
      const left = state[leftKey(unit[0])];
      const rights = unit.map((target) => state[rightKey(target)]);
      return left instanceof Float32Array ? [new FactorGroup(unit, left, rights as Float32Array[])] : [];
    });
    this.#groups = groups.flat();
  }

  async beforeStep(step: number): Promise<void> {
    if (this.#groups.length > 0 || step < this.#projection.from) return;
    await this.#projection.project(step);
    this.#groups = this.#projection.units.map((unit) => {
      const forms = unit.map((target) => this.#factorsOf(target));
      const rights = forms.map(({ right }) => right);
      return new FactorGroup(unit, forms[0].left, rights);
    });
  }

  beforeEvaluation(): void {}
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

  #factorsOf(target: Target<unknown>): FactoredWeight {
    const form = this.#projection.formOf(target);
    if (form?.form !== 'factors') throw new TypeError(`${target.weight.name} was not truncated.`);
    return form;
  }
}

/** Weights that share a left factor, which stands in the memory of the first. */
class FactorGroup {
  readonly #unit: readonly Target<unknown>[];
  readonly #matrices: readonly Matrix[];
  /** L, [rows, rank]. */
  readonly #left: Matrix;
  /** R of each weight, [rank, columns]. */
  readonly #rights: readonly Matrix[];
  readonly #products: Products;

  constructor(unit: readonly Target<unknown>[], left: Float32Array, rights: readonly Float32Array[]) {
    this.#unit = unit;
    this.#matrices = unit.map(({ weight, view }) => storedMatrix(weight.values, view));
    const { rows, columns } = this.#matrices[0];
    const rank = left.length / rows;
    this.#left = { data: left.slice(), rows, columns: rank };
    this.#rights = rights.map((right) => ({ data: right.slice(), rows: rank, columns: right.length / rank }));
    this.#products = new Products(defaultThreads(rows, columns));
  }

  get state(): CompressionState {
    const rights = this.#unit.map((target, i) => [rightKey(target), this.#rights[i].data] as const);
    return { ...Object.fromEntries(rights), [leftKey(this.#unit[0])]: this.#left.data };
  }

  async place(): Promise<void> {
    const leftGradient = new Float32Array(this.#left.data.length);
    for (const [i, { weight }] of this.#unit.entries()) {
      const right = this.#rights[i];
      const dense = { ...this.#matrices[i], data: weight.gradient! };
      const { data: rightGradient } = await this.#products.multiplyLeftTransposed(this.#left, dense);
      const ofLeft = await this.#products.multiplyRightTransposed(dense, right);
      for (let j = 0; j < leftGradient.length; j++) leftGradient[j] += ofLeft.data[j];
      weight.values.fill(0).set(right.data);
      weight.gradient!.fill(0).set(rightGradient);
    }
    const [{ weight }] = this.#unit;
    weight.values.set(this.#left.data, this.#rights[0].data.length);
    weight.gradient!.set(leftGradient, this.#rights[0].data.length);
  }

  async take(): Promise<void> {
    const after = this.#rights[0].data.length;
    this.#left.data.set(this.#unit[0].weight.values.subarray(after, after + this.#left.data.length));
    for (const [i, { data, rows, columns }] of this.#matrices.entries()) {
      const right = this.#rights[i].data;
      right.set(data.subarray(0, right.length));
      await reconstruct({ left: this.#left.data, right }, rows, columns, data);
    }
  }
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
      `the factors of ${weight.name} cannot be trained: it has no gradient of every entry, or its output axis is in the middle`,
      'Leave the layer out, or use another policy.',
    );
}
