/** @file The layers of a described model that a first experiment compresses. Pure. */
import { viewOfWeight } from '../compression/targets/matrixView.ts';
import { isMatrix } from '../compression/targets/targets.ts';
import { EVERY_LAYER, type FirstLayer } from '../protocol/experiment/firstExperiment.ts';
import type { DescribedWeight, ModelDescription } from '../protocol/model/modelDescription.ts';

/** Layers that are written by name in a file; more are written as one glob where all are meant. */
const NAMED = 12;

/** Layers with a matrix, in the order of the model, each with the smaller side of its smallest one. */
export function describedLayers({ weights }: ModelDescription): FirstLayer[] {
  const sides = new Map<string, number>();
  // The first convolution of gray images has filters of one channel, as depthwise ones have.
  const first = weights.find(({ shape }) => shape.length === 4);
  for (const weight of weights) {
    if (!isCompressible(weight, weight === first)) continue;
    const { rows, columns } = viewOfWeight(weight);
    const side = Math.min(rows, columns);
    if (side > 1) sides.set(weight.layer, Math.min(side, sides.get(weight.layer) ?? Infinity));
  }
  return Array.from(sides, ([name, side]) => ({ name, shortestSide: side }));
}

/** Depthwise filters have few numbers each, and methods leave them as they are. */
function isCompressible(described: DescribedWeight, isFirst: boolean): boolean {
  const { shape, trainable, layerClass = '', weight } = described;
  const isOneChannel = layerClass === 'Conv' && shape[1] === 1 && shape[0] > 1;
  const isDepthwise = /depthwise/i.test(layerClass + weight) || (isOneChannel && !isFirst);
  return trainable && isMatrix(described) && !isDepthwise;
}

/**
 * The layers as a file names them.
 * @param all layers that there are
 */
export function writtenLayers(chosen: readonly FirstLayer[], all: readonly FirstLayer[]): readonly FirstLayer[] {
  if (chosen.length < all.length || chosen.length <= NAMED) return chosen;
  const sides = chosen.flatMap(({ shortestSide }) => shortestSide ?? []);
  return [{ ...EVERY_LAYER, ...(sides.length > 0 && { shortestSide: Math.min(...sides) }) }];
}
