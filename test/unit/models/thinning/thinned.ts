/** @file Thinned models beside what they were made from. */
import * as tf from '@tensorflow/tfjs';
import { parseTopology, storedModel } from '../../../../server/export/storedModel.ts';
import type { StoredTensor } from '../../../../server/formats/packed/packedFile.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { thinModel } from '../../../../server/models/thinning/thinModel.ts';

/** The weights of a model by name. */
export function tensorsOf(model: tf.LayersModel): Map<string, StoredTensor> {
  return new Map(
    modelWeights(model).map(({ name, shape, variable }) => [name, { shape, data: Float32Array.from(variable.dataSync()) }]),
  );
}

/** Sets weights of a model by name. */
export function setWeights(model: tf.LayersModel, values: Readonly<Record<string, readonly number[] | Float32Array>>): void {
  const byName = new Map(modelWeights(model).map((weight) => [weight.name, weight]));
  for (const [name, numbers] of Object.entries(values)) {
    const { variable, shape } = byName.get(name)!;
    variable.assign(tf.tensor(Float32Array.from(numbers), shape));
  }
}

/** Makes all entries of a weight 0 at a place of an axis. */
export function clear(model: tf.LayersModel, name: string, axis: number, places: readonly number[]): void {
  const { variable, shape } = modelWeights(model).find((weight) => weight.name === name)!;
  const values = Float32Array.from(variable.dataSync());
  const stride = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  values.forEach((_, index) => {
    if (places.includes(Math.floor(index / stride) % shape[axis])) values[index] = 0;
  });
  variable.assign(tf.tensor(values, shape));
}

/** Thins a model, and opens what came of it. */
export async function thinned(model: tf.LayersModel, factors?: Parameters<typeof thinModel>[2]) {
  const result = await thinModel(model, tensorsOf(model), factors);
  const topology = parseTopology(JSON.stringify(result.topology));
  const opened = await storedModel(topology, () => result.tensors, 'The thinned model');
  return { ...result, model: opened, shapeOf: (name: string) => result.tensors.get(name)?.shape };
}

/** Largest difference between outputs of two models on random inputs, as a part of the largest output or of 1. */
export function difference(one: tf.LayersModel, other: tf.LayersModel, inputs: tf.Tensor[]): number {
  return tf.tidy(() => {
    const outputsOf = (model: tf.LayersModel) =>
      [model.predict(inputs.length === 1 ? inputs[0] : inputs)].flat().flatMap((output) => [...output.dataSync()]);
    const [expected, actual] = [outputsOf(one), outputsOf(other)];
    if (expected.length !== actual.length) return Infinity;
    const largest = Math.max(1, ...expected.map(Math.abs));
    return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]))) / largest;
  });
}
