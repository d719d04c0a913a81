/** @file Weights with gradients that live in plain arrays, for tests that train without a model. */
import type { CompressibleWeight } from '../../../server/compression/targets/targets.ts';
import { elementCount } from '../../../server/protocol/shape.ts';
import { normals } from './random.ts';

export type TrainedWeight = CompressibleWeight & { readonly gradient: Float32Array };

/**
 * A weight of normal numbers, whose gradient is zero.
 * @param name `LAYER/WEIGHT`
 */
export function trainedWeight(name: string, shape: readonly number[], seed: number, deviation = 1): TrainedWeight {
  const [layer, weight] = name.split('/');
  const values = normals(elementCount(shape), seed, deviation);
  return { name, layer, weight, shape, values, gradient: new Float32Array(values.length) };
}
