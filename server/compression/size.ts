/**
 * @file How many bits a compressed weight would take in a file, and what a model would take in all. Everything that is needed to
 * read the weight back is counted; docs/compression.md has the formulas.
 */
import { elementCount, floatBytes } from '../protocol/shape.ts';
import type { LayerSize, SizeLeft } from '../protocol/run/events.ts';
import { isMatrix } from './targets/targets.ts';

/** Bits of a weight that is not compressed. */
export const FLOAT_BITS = 32;

/** Numbers that remain of a weight, and the bits that they take with indices and scales. */
export interface CompressedSize {
  readonly weightsKept: number;
  readonly bits: number;
}

/** Size of a weight that is stored as floats. @param weights how many numbers it has */
export function denseSize(weights: number): CompressedSize {
  return { weightsKept: weights, bits: FLOAT_BITS * weights };
}

/** What is left of a weight, as events have it. */
export function sizeLeft({ weightsKept, bits }: CompressedSize): SizeLeft {
  return { weightsKept, bytesKept: Math.ceil(bits / 8) };
}

/** The row of a weight in the size table: bytes of the dense and of the compressed weight. */
export function layerSize(name: string, shape: readonly number[], size: CompressedSize): LayerSize {
  const { weightsKept, bytesKept } = sizeLeft(size);
  return { name, shape: [...shape], weights: elementCount(shape), weightsKept, bytes: floatBytes(shape), bytesKept };
}

/** A row of a weight that is smaller than it was, beside what it was. @param shape of it before */
export function besideWhole(row: LayerSize, shape: readonly number[]): LayerSize {
  return { ...row, shape: [...shape], weights: elementCount(shape), bytes: floatBytes(shape) };
}

/** Sizes of a model in all. `weights`, `weightsKept` and their ratio leave biases and other vectors out; bytes do not. */
export interface ModelSize {
  readonly weights: number;
  readonly weightsKept: number;
  readonly weightRatio: number;
  readonly bytes: number;
  readonly bytesKept: number;
  readonly byteRatio: number;
}

/** Adds up the rows of the size table. A ratio is 0 where nothing is kept. */
export function modelSize(layers: readonly LayerSize[]): ModelSize {
  const total = { weights: 0, weightsKept: 0, bytes: 0, bytesKept: 0 };
  for (const layer of layers) {
    total.bytes += layer.bytes;
    total.bytesKept += layer.bytesKept;
    if (!isMatrix(layer)) continue;
    total.weights += layer.weights;
    total.weightsKept += layer.weightsKept;
  }
  return {
    ...total,
    weightRatio: total.weightsKept > 0 ? total.weights / total.weightsKept : 0,
    byteRatio: total.bytesKept > 0 ? total.bytes / total.bytesKept : 0,
  };
}
