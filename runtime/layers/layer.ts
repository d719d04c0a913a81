/** @file What every kind of layer is made of. */
import type { LayerConfig } from '../layerConfig.ts';
import type { Matrix } from '../matrices/matrix.ts';
import type { Plan, Tensor } from '../plan.ts';
import type { WeightStore } from '../weightStore.ts';

/** A layer with its weights. */
export interface Layer {
  /** True where a time step of a sequence can pass by itself: what it becomes depends on no other, but for a state that is kept. */
  readonly isStepwise: boolean;
  /**
   * Adds what the layer does for one input.
   * @throws FormatError for inputs that it cannot take
   */
  plan(inputs: readonly Tensor[], plan: Plan): Tensor;
}

/** Makes a layer of its settings. */
export type MakeLayer = (config: LayerConfig, store: LayerStore) => Layer;

/** The weights of one layer, and what it needs of the model. */
export class LayerStore {
  readonly weights: WeightStore;
  /** Names of the layers that this one is in, and its own. */
  readonly path: readonly string[];
  readonly #states: Set<State>;

  constructor(weights: WeightStore, path: readonly string[], states: Set<State>) {
    this.weights = weights;
    this.path = path;
    this.#states = states;
  }

  /** What a layer inside this one has. */
  within(name: string): LayerStore {
    return new LayerStore(this.weights, [...this.path, name], this.#states);
  }

  vector(weight: string, length: number): number {
    return this.weights.vector(this.path, weight, length);
  }

  values(weight: string, length: number): Float32Array {
    return this.weights.values(this.path, weight, length);
  }

  shape(weight: string): readonly number[] {
    return this.weights.shape(this.path, weight);
  }

  matrix(weight: string, outputs: number, part?: { from: number; to: number }): Matrix {
    return this.weights.matrix(this.path, weight, outputs, part);
  }

  /** Address of a bias, or of zeros for a layer without one. */
  bias({ has, length }: { has: boolean; length: number }): number {
    return has ? this.vector('bias', length) : this.weights.zeros(length);
  }

  /** Memory that keeps what a recurrent layer knows of a sequence: zeros at its start. */
  state(length: number): State {
    const state = { address: this.weights.memory.store(new Float32Array(length)), length };
    this.#states.add(state);
    return state;
  }
}

export interface State {
  readonly address: number;
  /** Numbers. */
  readonly length: number;
}

/** @throws FormatError unless there is exactly one input */
export function only(config: LayerConfig, inputs: readonly Tensor[]): Tensor {
  const [input, another] = inputs;
  if (input === undefined || another !== undefined) throw config.error(`it has ${inputs.length} inputs and takes one`);
  return input;
}

/** @throws FormatError unless the input has that many axes */
export function axes(config: LayerConfig, { shape }: Tensor, count: number): readonly number[] {
  if (shape.length !== count) throw config.error(`its input has the shape [${shape}]; it takes ${count} axes`);
  return shape;
}

/** A layer that does nothing when a model is run. */
export const passThrough: MakeLayer = (config) => ({
  isStepwise: true,
  plan: (inputs) => only(config, inputs),
});
