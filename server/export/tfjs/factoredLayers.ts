/** @file Dense layers of low rank as two layers: `x W = (x L) R`, so that every program computes with the factors. */
import {
  isLowRank,
  type LowRankWeight,
  type PackedWeight,
  type StoredTensor,
} from '../../formats/packed/packedFile.ts';
import { isRecord } from '../../protocol/record.ts';

/** Layers, and the weights that they have. */
export interface LayersWithWeights {
  readonly topology: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Names of the weights that are a factor. */
  readonly factors: ReadonlySet<string>;
}

/**
 * The dense layers of the model itself, not those within another layer, become a layer with the left factor, which has no bias and no
 * activation, and one with the right factor, which keeps the name.
 * @param topology as `modelTopology` gives it
 * @param weights of the model, by name
 * @param tensors the same as floats
 */
export function withFactoredLayers(
  topology: Readonly<Record<string, unknown>>,
  weights: ReadonlyMap<string, PackedWeight>,
  tensors: ReadonlyMap<string, StoredTensor>,
): LayersWithWeights {
  const { config } = topology;
  const layers = isRecord(config) && Array.isArray(config.layers) ? config.layers.filter(isRecord) : [];
  const names = new Set(layers.map(nameOf));
  const changed = new Map(tensors);
  const factors = new Set<string>();
  const written = layers.flatMap((layer) => {
    const name = nameOf(layer);
    const kernel = `${name}/kernel`;
    const weight = weights.get(kernel);
    if (layer.class_name !== 'Dense' || !weight || !isLowRank(weight) || !isSmaller(weight)) return [layer];
    let first = `${name}_left`;
    while (names.has(first)) first += '_';
    names.add(first);
    const { rank, left, right, shape } = weight;
    changed.set(`${first}/kernel`, { shape: [shape[0], rank], data: left });
    changed.set(kernel, { shape: [rank, shape[1]], data: right });
    factors.add(`${first}/kernel`).add(kernel);
    return twoLayers(layer, first, rank);
  });
  return {
    topology: isRecord(config) ? { ...topology, config: { ...config, layers: written } } : topology,
    tensors: changed,
    factors,
  };
}

/** True for a matrix whose factors, as they are stored, are less than itself. */
function isSmaller({ shape, rank, view: { outer } }: LowRankWeight): boolean {
  const [inputs, units] = shape;
  return shape.length === 2 && outer === 1 && rank * (inputs + units) < inputs * units;
}

/** @param name of the first of the two */
function twoLayers(
  layer: Record<string, unknown>,
  name: string,
  rank: number,
): [Record<string, unknown>, Record<string, unknown>] {
  const { batch_input_shape: shape, dtype, ...config } = isRecord(layer.config) ? layer.config : {};
  const first = {
    class_name: 'Dense',
    config: {
      name,
      units: rank,
      use_bias: false,
      activation: 'linear',
      trainable: config.trainable ?? true,
      kernel_initializer: 'zeros',
      ...(shape !== undefined && { batch_input_shape: shape }),
      ...(dtype !== undefined && { dtype }),
    },
  };
  const { inbound_nodes: nodes } = layer;
  if (!Array.isArray(nodes)) return [first, { ...layer, config }];
  return [
    { name, ...first, inbound_nodes: nodes },
    // Each call of the layer takes what the same call of the first one gives.
    { ...layer, config, inbound_nodes: nodes.map((_, call) => [[name, call, 0, {}]]) },
  ];
}

function nameOf({ config }: Record<string, unknown>): string {
  return isRecord(config) ? String(config.name) : '';
}
