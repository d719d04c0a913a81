/**
 * @file Layers of low rank as two: `x W = (x L) R`. A dense layer becomes two dense ones, a convolution one of its size with fewer filters
 * and one of size 1 behind it (Alvarez & Salzmann 2017, section 3.3).
 */
import type { StoredTensor } from '../../formats/packed/packedFile.ts';
import { elementCount } from '../../protocol/shape.ts';
import { mapLayers, type ChangeLayer, type SavedLayer } from './savedLayers.ts';
import type { StoredModel } from './shrink.ts';

/** A kernel `W = L R`, read as the matrix [inputs of a window, units]. */
export interface KernelFactors {
  readonly rank: number;
  /** L, [inputs, rank] */
  readonly left: Float32Array;
  /** R, [rank, units] */
  readonly right: Float32Array;
}

/** A layer that became two. */
export interface FactoredLayer {
  readonly rank: number;
  /** Path of the layer with the left factor; the one with the right factor kept its own. */
  readonly left: string;
}

export interface FactoredModel extends StoredModel {
  /** By path of the layer. */
  readonly factored: ReadonlyMap<string, FactoredLayer>;
}

const CLASSES = new Set(['Dense', 'Conv1D', 'Conv2D', 'Conv3D']);

/** Name of the kernel of a layer. */
export function kernelOf(path: string): string {
  return `${path}/kernel`;
}

/** True for a layer that can become two. @param isWrapped true for a layer within a wrapper, which holds one */
export function canBeFactored({ class_name: className, config }: SavedLayer, isWrapped: boolean): boolean {
  return !isWrapped && CLASSES.has(className) && config.data_format !== 'channels_first';
}

/** True where two layers have fewer weights, and fewer multiply-adds, than one with this kernel. */
export function isSmaller(shape: readonly number[], rank: number): boolean {
  const units = shape.at(-1)!;
  const inputs = elementCount(shape.slice(0, -1));
  return rank * (inputs + units) < inputs * units;
}

/**
 * Splits dense layers and convolutions into one with the left factor, which has no bias and no activation, and one with the right factor,
 * which keeps the name.
 * @param factorsOf gives the factors of a layer's kernel; undefined for a layer that stays one
 */
export function withFactoredLayers(
  { topology, tensors }: StoredModel,
  factorsOf: (path: string, kernel: StoredTensor) => KernelFactors | undefined,
): FactoredModel {
  const changed = new Map(tensors);
  const factored = new Map<string, FactoredLayer>();
  const isUsed = (path: string) => tensors.has(kernelOf(path)) || changed.has(kernelOf(path));
  const split: ChangeLayer = (path, layer, isWrapped) => {
    const kernel = canBeFactored(layer, isWrapped) ? tensors.get(kernelOf(path)) : undefined;
    const factors = kernel && factorsOf(path, kernel);
    if (!kernel || !factors) return [layer];
    const { rank, left, right } = factors;
    let suffix = '_left';
    while (isUsed(path + suffix)) suffix += '_';
    const { shape } = kernel;
    const window = shape.slice(0, -2).map(() => 1);
    changed.set(kernelOf(path + suffix), { shape: [...shape.slice(0, -1), rank], data: left });
    changed.set(kernelOf(path), { shape: [...window, rank, shape.at(-1)!], data: right });
    factored.set(path, { rank, left: path + suffix });
    return twoLayers(layer, `${String(layer.config.name)}${suffix}`, rank);
  };
  return { topology: mapLayers(topology, split), tensors: changed, factored };
}

/** What the first of two layers has of a convolution. */
const WINDOW_SETTINGS = ['kernel_size', 'strides', 'padding', 'data_format', 'dilation_rate'];

/** @param name of the first of the two */
function twoLayers(layer: SavedLayer, name: string, rank: number): [SavedLayer, SavedLayer] {
  const { batch_input_shape: shape, dtype, ...config } = layer.config;
  const isDense = layer.class_name === 'Dense';
  const window = WINDOW_SETTINGS.flatMap((key) => (key in config ? [[key, config[key]] as const] : []));
  const first = {
    class_name: layer.class_name,
    config: {
      name,
      ...(isDense ? { units: rank } : { filters: rank, ...Object.fromEntries(window) }),
      use_bias: false,
      activation: 'linear',
      trainable: config.trainable ?? true,
      kernel_initializer: 'zeros',
      ...(shape !== undefined && { batch_input_shape: shape }),
      ...(dtype !== undefined && { dtype }),
    },
  };
  const second = { ...layer, config: isDense ? config : { ...config, ...pointwise(config.kernel_size) } };
  const { inbound_nodes: nodes } = layer;
  if (!Array.isArray(nodes)) return [first, second];
  return [
    { name, ...first, inbound_nodes: nodes },
    // Each call of the layer takes what the same call of the first one gives.
    { ...second, inbound_nodes: nodes.map((_, call) => [[name, call, 0, {}]]) },
  ];
}

/** Settings of a convolution that goes over each position by itself. */
function pointwise(kernelSize: unknown): Record<string, unknown> {
  const ones = Array.isArray(kernelSize) ? kernelSize.map(() => 1) : 1;
  return { kernel_size: ones, strides: ones, padding: 'valid', dilation_rate: ones };
}
