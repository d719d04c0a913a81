/** @file Thinned models beside what they were made from. */
import * as tf from '@tensorflow/tfjs';
import { onTestFinished } from 'vitest';
import { parseTopology, storedModel } from '../../../../server/models/storedModel.ts';
import { Random } from '../../../../server/formats/random.ts';
import type { StoredTensor } from '../../../../server/formats/packed/packedFile.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import type { FactorSettings } from '../../../../server/models/thinning/factor.ts';
import { thinningReport } from '../../../../server/models/thinning/report.ts';
import { thinModel } from '../../../../server/models/thinning/thinModel.ts';
import { followModel } from '../../../../server/models/topology/followModel.ts';

/** The weights of a model by name. */
function tensorsOf(model: tf.LayersModel): Map<string, StoredTensor> {
  const entries = modelWeights(model).map(({ name, shape, variable }): [string, StoredTensor] => [
    name,
    { shape, data: Float32Array.from(variable.dataSync()) },
  ]);
  return new Map(entries);
}

/** Changes the numbers of a weight. @param change gets each with its index on an axis */
export function changeWeight(
  model: tf.LayersModel,
  name: string,
  change: (value: number, place: number) => number,
  axis = 0,
): void {
  const weight = modelWeights(model).find((one) => one.name === name);
  if (!weight) throw new Error(`No weight ${name} among ${[...tensorsOf(model).keys()].join(', ')}.`);
  const { variable, shape } = weight;
  const stride = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const values = Float32Array.from(variable.dataSync()).map((value, index) =>
    change(value, Math.floor(index / stride) % shape[axis]),
  );
  variable.assign(tf.tensor(values, shape, variable.dtype));
}

/** Makes all numbers of a weight 0 that stand at some places of its last axis, or of another. */
export function clear(model: tf.LayersModel, name: string, places: readonly number[], axis?: number): void {
  const last = tensorsOf(model).get(name)!.shape.length - 1;
  changeWeight(model, name, (value, place) => (places.includes(place) ? 0 : value), axis ?? last);
}

/** Gives every weight random numbers between -1 and 1; a variance from 0.5 to 2. */
export function randomize(model: tf.LayersModel, seed = 1): void {
  const random = new Random(seed);
  for (const { variable, shape, weight } of modelWeights(model)) {
    const values = Float32Array.from({ length: variable.size }, () =>
      weight === 'moving_variance' ? 0.5 + 1.5 * random.uniform() : 2 * random.uniform() - 1,
    );
    variable.assign(tf.tensor(values, shape, variable.dtype));
  }
}

/** Thins a model, and opens what came of it. */
export async function thinned(model: tf.LayersModel, factors?: FactorSettings) {
  const before = tensorsOf(model);
  const result = await thinModel(model, before, factors);
  const topology = parseTopology(JSON.stringify(result.topology));
  const small = await storedModel(topology, () => result.tensors, 'The thinned model');
  onTestFinished(() => void small.dispose());
  const report = thinningReport(result, before, followModel(small));
  return {
    small,
    report,
    /** Numbers of units that are left, of the layers that have lost some. */
    left: Object.fromEntries(
      report.layers.flatMap(({ layer, units }) => (units && units.after < units.before ? [[layer, units.after]] : [])),
    ),
    /** Why units stay, with their number in front. */
    kept: report.layers.flatMap(({ layer, kept }) =>
      kept.map(({ units, reason }) => `${units} of ${layer}: ${reason}`),
    ),
    shapeOf: (name: string) => result.tensors.get(name)?.shape,
    valuesOf: (name: string) => [...((result.tensors.get(name)?.data ?? []) as Float32Array)],
  };
}

/** Largest difference between the outputs of two models on random inputs, as a part of the largest output or of 1. */
export function difference(one: tf.LayersModel, other: tf.LayersModel, inputs = randomInputs(one)): number {
  return tf.tidy(() => {
    const outputsOf = (model: tf.LayersModel) =>
      [model.predict(inputs.length === 1 ? inputs[0] : inputs)].flat().flatMap((output) => [...output.dataSync()]);
    const [expected, actual] = [outputsOf(one), outputsOf(other)];
    if (expected.length !== actual.length) return Infinity;
    const largest = Math.max(1, ...expected.map(Math.abs));
    return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]))) / largest;
  });
}

/** Four samples; an axis of open length gets five places. */
function randomInputs(model: tf.LayersModel): tf.Tensor[] {
  return model.inputs.map(({ shape }, i) =>
    tf.randomUniform([4, ...shape.slice(1).map((size) => size ?? 5)], -1, 1, 'float32', 7 + i),
  );
}

/** Sums of some tens of products in another order: rounding of float32. */
export const ROUNDING = 2e-6;
