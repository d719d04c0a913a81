/**
 * @file The conventional low-rank baseline: a weight is truncated once, and its factors are trained in its place
 * (Sainath et al. 2013; with a shared projection, Prabhavalkar et al. 2016).
 */
import { defaultThreads, Products, type Matrix } from '../../linalg/products.ts';
import { reconstruct } from '../../linalg/truncate.ts';
import { elementCount } from '../../protocol/shape.ts';
import type { CompressionState, FactoredWeight, Unit } from '../methods/unit.ts';
import { scatterRows, storedMatrix } from '../targets/matrixView.ts';
import type { CompressibleWeight, MatchedWeight } from '../targets/targets.ts';
import {
  PlainWeights,
  restoreArrays,
  untrained,
  type Projection,
  type TensorSpec,
  type TrainedTensor,
} from './storedWeights.ts';

/** The factors of a unit: its left factor, and a right factor for each of its weights. */
export function factorsOf({ targets, factors }: Unit): TensorSpec[] {
  if (!factors) throw new TypeError('The method of this policy finds factors.');
  const rights = targets.map((target, i) => ({ name: rightName(target), length: elementCount(factors.rights[i]) }));
  return [{ name: leftName(targets[0]), length: elementCount(factors.left) }, ...rights];
}

const leftName = ({ weight }: MatchedWeight) => `${weight.name}/left`;
const rightName = ({ weight }: MatchedWeight) => `${weight.name}/right`;

/**
 * The model computes with W = L R. The gradients of the factors are `dW R'` and `L' dW`; every optimizer trains them as it trains
 * weights. Until the weights are truncated the factors are zero and have no gradient.
 */
export class FactoredWeights extends PlainWeights {
  readonly #groups: readonly FactorGroup[];
  #truncated = false;

  /** @throws SettingError for a weight that is not trained */
  constructor(projection: Projection, tensors: ReadonlyMap<string, TrainedTensor>) {
    super(projection);
    const weights = new Map(projection.weights.map((weight) => [weight.name, weight]));
    this.#groups = projection.units().map((unit) => new FactorGroup(unit, weights, tensors));
    const stepsBefore = Math.max(1, projection.from()) - 1;
    for (const group of this.#groups) for (const tensor of group.tensors) tensor.stepsBefore = stepsBefore;
  }

  override get state(): CompressionState {
    return this.#truncated ? Object.fromEntries(this.#factors()) : {};
  }

  #factors(): [name: string, value: Float32Array][] {
    return this.#groups.flatMap(({ tensors }) =>
      tensors.map(({ name, value }): [string, Float32Array] => [name, value]),
    );
  }

  override restore(state: CompressionState): void {
    const factors = this.#factors();
    this.#truncated = factors.some(([name]) => name in state);
    if (this.#truncated) restoreArrays(state, factors);
  }

  override async beforeStep(step: number): Promise<void> {
    if (this.#truncated || step < this.projection.from()) return;
    await this.projection.project(step);
    for (const group of this.#groups) group.take((name) => this.#formOf(name));
    this.#truncated = true;
  }

  override async pull(): Promise<void> {
    if (this.#truncated) for (const group of this.#groups) await group.pull();
  }

  override async push(): Promise<void> {
    if (this.#truncated) for (const group of this.#groups) await group.push();
  }

  #formOf(name: string): FactoredWeight {
    const form = this.projection.formOf(name);
    if (form?.form !== 'factors') throw new TypeError(`${name} was not truncated.`);
    return form;
  }
}

/** A factor as a matrix, and its gradient. */
interface Factor {
  readonly tensor: TrainedTensor;
  readonly matrix: Matrix;
}

/** Weights that share a left factor. */
class FactorGroup {
  readonly #members: readonly Member[];
  /** L, [rows, rank]. */
  readonly #left: Factor;
  readonly #products: Products;

  constructor(
    { targets, factors }: Unit,
    weights: ReadonlyMap<string, CompressibleWeight>,
    tensors: ReadonlyMap<string, TrainedTensor>,
  ) {
    const factor = (name: string, [rows, columns]: readonly [number, number]): Factor => {
      const tensor = tensors.get(name)!;
      return { tensor, matrix: { data: tensor.value, rows, columns } };
    };
    this.#left = factor(leftName(targets[0]), factors!.left);
    this.#members = targets.map((target, i) => {
      const { values, gradient } = weights.get(target.weight.name)!;
      if (gradient === undefined) throw untrained('factors', target);
      return { target, values, gradient, right: factor(rightName(target), factors!.rights[i]) };
    });
    this.#products = new Products(defaultThreads(factors!.left[0], factors!.rights[0][1]));
  }

  get tensors(): TrainedTensor[] {
    return [this.#left.tensor, ...this.#members.map(({ right }) => right.tensor)];
  }

  /** Begins with the factors that a truncation found. */
  take(formOf: (name: string) => FactoredWeight): void {
    for (const { target, right } of this.#members) right.tensor.value.set(formOf(target.weight.name).right);
    this.#left.tensor.value.set(formOf(this.#members[0].target.weight.name).left);
  }

  /** Turns the gradients of the weights into those of the factors; none is left for the weights. */
  async pull(): Promise<void> {
    const ofLeft = this.#left.tensor.gradient.fill(0);
    for (const { target, gradient, right } of this.#members) {
      const dense = storedMatrix(gradient, target.view);
      right.tensor.gradient.set((await this.#products.multiplyLeftTransposed(this.#left.matrix, dense)).data);
      const { data } = await this.#products.multiplyRightTransposed(dense, right.matrix);
      for (let i = 0; i < data.length; i++) ofLeft[i] += data[i];
      gradient.fill(0);
    }
  }

  /** Computes the weights of the factors as they are now. */
  async push(): Promise<void> {
    const left = this.#left.tensor.value;
    for (const { target, values, right } of this.#members) {
      const { data, rows, columns } = storedMatrix(values, target.view);
      await reconstruct({ left, right: right.tensor.value }, rows, columns, data);
      if (data !== values) scatterRows(data, target.view, 0, target.view.rows, values);
    }
  }
}

interface Member {
  readonly target: MatchedWeight;
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  readonly right: Factor;
}
