/** @file Outputs that are the same for every sample, and what layers make of them. */
import * as tf from '@tensorflow/tfjs';
import type { StoredTensor } from '../../formats/packed/packedFile.ts';
import type { KernelAxes } from './connections.ts';
import { eachConnection } from './connections.ts';

/** What stands at each place of the last axis of a tensor for every sample and position; NaN where that varies. */
export type Constants = Float32Array;

/** The weights of a model by name, as floats. */
export type Weights = ReadonlyMap<string, StoredTensor>;

export function varying(places: number): Constants {
  return new Float32Array(places).fill(NaN);
}

/** The value that all of some values are; NaN where they differ. */
export function common(values: readonly number[]): number {
  return values.every((value) => value === values[0]) ? values[0] : NaN;
}

/** The numbers of a weight. @throws TypeError where it is missing */
export function valuesOf(weights: Weights, name: string): Float32Array {
  const data = weights.get(name)?.data;
  if (!(data instanceof Float32Array)) throw new TypeError(`There is no weight ${name} of floats.`);
  return data;
}

/**
 * Sums of constant inputs with a kernel: `bias[k] + sum of input[n] W[…, n, …, k]`. A sum varies where an input that varies has a weight
 * other than 0; with a border also where a constant other than 0 has one, as the border has zeros in its place.
 */
export function weightedSums(
  inputs: Constants,
  kernel: Float32Array,
  shape: readonly number[],
  axes: KernelAxes,
  { bias, hasBorder = false }: { bias?: Float32Array | undefined; hasBorder?: boolean },
): Constants {
  const sums = new Float64Array(shape[axes.output]);
  if (bias) sums.set(bias);
  eachConnection(shape, axes, (index, input, output) => {
    const weight = kernel[index];
    if (weight === 0 || inputs[input] === 0) return;
    sums[output] += hasBorder ? NaN : inputs[input] * weight;
  });
  return Float32Array.from(sums);
}

/** Applies a function of tensors that treats each number by itself. */
export function mapConstants(values: Constants, apply: (values: tf.Tensor) => tf.Tensor): Constants {
  const mapped = tf.tidy(() => apply(tf.tensor(values, [1, values.length])).dataSync());
  return values.map((value, place) => (Number.isNaN(value) ? NaN : mapped[place]));
}
