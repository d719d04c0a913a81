/** @file What was removed from a model and what it costs now, layer by layer. */
import { elementCount } from '../../protocol/shape.ts';
import type { Weights } from '../topology/constants.ts';
import type { Topology } from '../topology/topology.ts';
import type { FactoredLayer } from './factoredLayers.ts';
import type { KeptUnits } from './removal.ts';
import type { ThinnedModel } from './thinModel.ts';

export interface BeforeAndAfter {
  readonly before: number;
  readonly after: number;
}

/** Numbers of weights and of multiplications for a sample. */
export interface Costs {
  readonly parameters: BeforeAndAfter;
  readonly multiplyAdds: BeforeAndAfter;
}

export interface ThinnedLayer extends Costs {
  /** Path of the layer in the model before. */
  readonly layer: string;
  /** Absent for a layer that makes none: a normalization. */
  readonly units?: BeforeAndAfter;
  /** Absent for a layer that is not two now. */
  readonly rank?: number;
  /** Units that put out a constant, or have no weights, and stay all the same. */
  readonly kept: readonly Pick<KeptUnits, 'units' | 'reason'>[];
}

export interface ThinningReport extends Costs {
  /** Layers with weights, in the order of the model. */
  readonly layers: readonly ThinnedLayer[];
}

/**
 * @param weights of the model before
 * @param after the units of the smaller model
 */
export function thinningReport(thinned: ThinnedModel, weights: Weights, after: Topology): ThinningReport {
  const { before, factored, kept, tensors } = thinned;
  const units = (topology: Topology, layer: string) =>
    topology.producers.find((producer) => producer.layer === layer)?.units.length;
  const layers = [...new Set([...weights.keys()].map(layerOf))].map((layer): ThinnedLayer => {
    const parts = partsOf(layer, factored);
    const [unitsBefore, unitsAfter] = [units(before, layer), units(after, layer)];
    const split = factored.get(layer);
    return {
      layer,
      ...(unitsBefore !== undefined &&
        unitsAfter !== undefined && { units: { before: unitsBefore, after: unitsAfter } }),
      ...(split && { rank: split.rank }),
      parameters: { before: parametersOf(weights, [layer]), after: parametersOf(tensors, parts) },
      multiplyAdds: { before: multiplyAddsOf(before, [layer]), after: multiplyAddsOf(after, parts) },
      kept: kept.filter((one) => one.layer === layer).map(({ units: count, reason }) => ({ units: count, reason })),
    };
  });
  return { layers, parameters: total(layers, 'parameters'), multiplyAdds: total(layers, 'multiplyAdds') };
}

/** Path of the layer that has a weight. */
function layerOf(weight: string): string {
  return weight.slice(0, weight.lastIndexOf('/'));
}

/** The layers that stand for a layer now. */
function partsOf(layer: string, factored: ReadonlyMap<string, FactoredLayer>): string[] {
  const split = factored.get(layer);
  return split ? [split.left, layer] : [layer];
}

function parametersOf(weights: Weights, layers: readonly string[]): number {
  return sum(
    [...weights].filter(([name]) => layers.includes(layerOf(name))).map(([, { shape }]) => elementCount(shape)),
  );
}

function multiplyAddsOf({ multiplyAdds }: Topology, layers: readonly string[]): number {
  return sum(layers.map((layer) => multiplyAdds.get(layer) ?? 0));
}

function total(layers: readonly ThinnedLayer[], of: keyof Costs): BeforeAndAfter {
  return {
    before: sum(layers.map((layer) => layer[of].before)),
    after: sum(layers.map((layer) => layer[of].after)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}
