/** @file Weights with gradients that live in plain arrays, for tests that train without a model. */
import type { Compressor } from '../../../server/compression/compressor.ts';
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

/** Trains as a loop would, from one step to another: gradients of normal noise, which an optimizer subtracts. */
export async function trainOnNoise(
  compressor: Compressor,
  weights: readonly TrainedWeight[],
  { from, to, deviation }: { from: number; to: number; deviation: number },
): Promise<void> {
  for (let step = from; step <= to; step++) {
    await compressor.beforeStep(step);
    weights.forEach(({ gradient }, i) => gradient.set(normals(gradient.length, 1000 * i + step, deviation)));
    await compressor.pull();
    for (const { values, gradient } of weights) for (let i = 0; i < values.length; i++) values[i] -= gradient[i];
    await compressor.push();
    if (compressor.distortsAfter(step)) await compressor.distort(step);
  }
}
