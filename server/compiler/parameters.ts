/** @file The weights of a model and their gradients, in one {@link Arena}. */
import { Arena, arenaBytes } from './arena.ts';
import type { ModelWeight } from './program.ts';

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly value: Float32Array<ArrayBuffer>;
  /** Of the last step; empty for a weight that is not trained. */
  readonly gradient: Float32Array<ArrayBuffer>;
}

export interface ParameterSet {
  readonly arena: Arena;
  /** In the model's order. */
  readonly list: readonly Parameter[];
  readonly byName: ReadonlyMap<string, Parameter>;
}

/**
 * Copies the weights of a model into an arena.
 * @param extraBytes room for what else will be allocated there: optimizer state
 */
export function createParameters(weights: readonly ModelWeight[], extraBytes: number): ParameterSet {
  const length = (weight: ModelWeight) => weight.variable.size;
  const bytes = weights.reduce((sum, w) => sum + arenaBytes(length(w)) * (w.trainable ? 2 : 1), extraBytes);
  const arena = new Arena(bytes);
  const list = weights.map((weight) => {
    const value = arena.float32(length(weight));
    value.set(weight.variable.dataSync<'float32'>());
    const gradient = arena.float32(weight.trainable ? length(weight) : 0);
    return { name: weight.name, shape: weight.variable.shape, trainable: weight.trainable, value, gradient };
  });
  return { arena, list, byName: new Map(list.map((parameter) => [parameter.name, parameter])) };
}
