/** @file Models of TensorFlow.js as packed files, with weights in any form; and what TensorFlow.js computes of them. */
import * as tf from '@tensorflow/tfjs';
import { BinaryCodesWeight } from '../../../server/formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../../server/formats/packed/dense.ts';
import { FactorsWeight } from '../../../server/formats/packed/factors.ts';
import { FactorsCodedWeight } from '../../../server/formats/packed/factorsCoded.ts';
import { LevelsWeight } from '../../../server/formats/packed/levels.ts';
import { encodePacked, type PackedWeight } from '../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../server/formats/packed/sparse.ts';
import { SparseCodedWeight } from '../../../server/formats/packed/sparseCoded.ts';
import { Random } from '../../../server/formats/random.ts';
import { matrixViewOf, storedView, type MatrixView } from '../../../server/compression/targets/matrixView.ts';
import { modelTopology } from '../../../server/models/modelTopology.ts';
import { modelWeights } from '../../../server/models/modelWeights.ts';
import { elementCount } from '../../../server/protocol/shape.ts';

export const forms = ['dense', 'sparse', 'codes', 'factors', 'levels', 'sparse-coded', 'factors-coded'] as const;
export type Form = (typeof forms)[number];

/** Numbers between -`size` and `size`. */
export function randomNumbers(random: Random, length: number, size = 1): Float32Array {
  return Float32Array.from({ length }, () => size * (2 * random.uniform() - 1));
}

/** A random weight of a form, as the methods of the product leave one. A vector stays dense. */
export function randomWeight(random: Random, form: Form, shape: readonly number[], weight = 'kernel'): PackedWeight {
  const length = elementCount(shape);
  // Sums of as many numbers as a unit has inputs are about as large as the inputs.
  const size = 1 / Math.sqrt(Math.max(1, length / (shape.at(-1) ?? 1)) / 3);
  const view = matrixViewOf(shape, weight);
  if (form === 'dense' || shape.length < 2) return new DenseWeight(shape, randomNumbers(random, length, size));
  if (form === 'sparse') {
    const values = randomNumbers(random, length, 3 * size);
    return SparseWeight.of(
      shape,
      values.map((value) => (random.uniform() < 0.1 ? value : 0)),
    );
  }
  if (form === 'codes') {
    const bits = 2;
    const scales = randomNumbers(random, view.rows * bits, size);
    const codes = Uint8Array.from({ length }, () => Math.floor(2 ** bits * random.uniform()));
    return BinaryCodesWeight.of(shape, view, bits, scales, codes);
  }
  if (form === 'levels') return randomLevels(random, shape, 6, size, view);
  if (form === 'sparse-coded') {
    const kept = Array.from({ length }, () => (random.uniform() < 0.1 ? 1 : 0)).fill(1, 0, 1);
    return SparseCodedWeight.of(shape, kept, randomLevels(random, [kept.filter(Boolean).length], 6, 3 * size));
  }
  const stored = storedView(view);
  const rank = Math.min(3, stored.rows);
  const columns = stored.outer * stored.inner;
  if (form === 'factors-coded') {
    const left = randomLevels(random, [stored.rows, rank], 16, size);
    return new FactorsCodedWeight(shape, stored, rank, { left, right: randomLevels(random, [rank, columns], 5) });
  }
  const left = randomNumbers(random, stored.rows * rank, size);
  const right = randomNumbers(random, rank * columns);
  return new FactorsWeight(shape, stored, rank, { left, right });
}

/** Codes of random levels; with a view, by rows with scales and offsets of their own. */
function randomLevels(
  random: Random,
  shape: readonly number[],
  count: number,
  size = 1,
  view?: MatrixView,
): LevelsWeight {
  const length = elementCount(shape);
  const codes = Uint8Array.from({ length }, () => Math.floor(count * random.uniform()));
  const levels = randomNumbers(random, count, size);
  if (!view) return LevelsWeight.of(shape, { levels, codes, view: { outer: 1, rows: 1, inner: length } });
  const [scales, offsets] = [1, size / 4].map((most) => randomNumbers(random, view.rows, most));
  return LevelsWeight.of(shape, { levels, codes, view, bucket: view.columns, scales, offsets });
}

/** The packed file of a model, as `deeptwist export --format packed` writes it. */
export function packedFile(topology: unknown, weights: ReadonlyMap<string, PackedWeight>): Uint8Array {
  return encodePacked(weights, { model: JSON.stringify(topology) });
}

/** The model with its own weights, and with the names that an export gives layers and weights. */
export function exported(model: tf.LayersModel): Uint8Array {
  const weights = modelWeights(model).map(({ name, shape, variable }): [string, PackedWeight] => [
    name,
    SparseWeight.of(shape, Float32Array.from(variable.dataSync())),
  ]);
  return packedFile(modelTopology(model), new Map(weights));
}

/** Gives a model random weights of a form, and returns it as a packed file. Variances are positive. */
export function pack(model: tf.LayersModel, form: Form, seed = 1): Uint8Array {
  const random = new Random(seed);
  const weights = new Map<string, PackedWeight>();
  for (const variable of model.weights) {
    const name = variable.originalName;
    const [weight] = name.split('/').slice(-1);
    const shape = variable.shape.map(Number);
    const packed = weight.startsWith('moving_variance')
      ? new DenseWeight(
          shape,
          randomNumbers(random, elementCount(shape)).map((value) => value ** 2 + 0.1),
        )
      : randomWeight(random, form, shape, weight);
    weights.set(name, packed);
    variable.write(tf.tensor(packed.rebuild(), shape));
  }
  return packedFile(model.toJSON(null, false), weights);
}

/** What TensorFlow.js computes, each output as one array. */
export function eagerOutputs(model: tf.LayersModel, inputs: readonly tf.Tensor[]): Float32Array[] {
  return tf.tidy(() => {
    const outputs = model.predict([...inputs], { batchSize: inputs[0].shape[0] });
    return [outputs].flat().map((output) => Float32Array.from(output.dataSync()));
  });
}

/** The largest difference of two outputs, as a part of the largest number in the expected one. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Infinity;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0);
  return actual.every(Number.isFinite) ? difference / (largest || 1) : Infinity;
}
