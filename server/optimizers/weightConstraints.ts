/**
 * @file Constraints that keep a weight in a set: Keras's four (keras/src/constraints/constraints.py), in place. They are applied
 * after each update of the optimizer.
 */
import { elementCount } from '../protocol/shape.ts';

/** Brings the values of a weight, in row-major order, back into the set that they are allowed to be in. */
export type WeightConstraint = (values: Float32Array) => void | Promise<void>;

/** Keras's fuzz factor, so that a vector of zeros stays one. */
const EPSILON = 1e-7;

/** Negative values become 0. */
export const nonNegative: WeightConstraint = (values) => {
  for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] = 0;
};

/**
 * Scales each vector of a weight to another length.
 * @param shape of the weight
 * @param axes along which a vector lies; negative ones count from the last
 * @param lengthFor the Euclidean length that a vector of a length gets
 */
export function normConstraint(
  shape: readonly number[],
  axes: readonly number[],
  lengthFor: (length: number) => number,
): WeightConstraint {
  const vectorOf = vectors(shape, axes);
  const scales = new Float64Array(vectorOf.reduce((most, vector) => Math.max(most, vector), -1) + 1);
  return (values) => {
    scales.fill(0);
    for (let i = 0; i < values.length; i++) scales[vectorOf[i]] += values[i] * values[i];
    for (let vector = 0; vector < scales.length; vector++) {
      const length = Math.sqrt(scales[vector]);
      scales[vector] = lengthFor(length) / (EPSILON + length);
    }
    for (let i = 0; i < values.length; i++) values[i] *= scales[vectorOf[i]];
  };
}

/** The number of the vector that each element belongs to: its index along the axes that are left. */
function vectors(shape: readonly number[], axes: readonly number[]): Int32Array {
  const along = new Set(axes.map((axis) => (axis < 0 ? axis + shape.length : axis)));
  const result = new Int32Array(elementCount(shape));
  let inner = 1;
  let count = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (!along.has(axis)) {
      for (let i = 0; i < result.length; i++) result[i] += (Math.floor(i / inner) % shape[axis]) * count;
      count *= shape[axis];
    }
    inner *= shape[axis];
  }
  return result;
}
