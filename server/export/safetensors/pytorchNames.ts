/**
 * @file The weights of layers as PyTorch's modules of the same kind have them: names, axes, and the weights that a module has in
 * addition (https://pytorch.org/docs/stable/nn.html). A layer that no module computes keeps its names and axes.
 */
import type * as tf from '@tensorflow/tfjs';
import { nestedLayers } from '../../compiler/trace/statefulLayers.ts';
import type { StoredTensor } from '../../formats/packed/packedFile.ts';
import { modelWeights, type ModelWeight } from '../../models/modelWeights.ts';
import { elementCount } from '../../protocol/shape.ts';

/** The value of `names` in the metadata of a file, and of the option. */
export const PYTORCH = 'pytorch';

interface PytorchWeight {
  /** Within its module. */
  readonly name: string;
  /** For each axis in PyTorch the axis of the layer's weight. */
  readonly axes: readonly number[];
  /** The shape in PyTorch, where that joins axes of the layer's weight. */
  readonly shape?: (permuted: readonly number[]) => readonly number[];
  /** A weight of zeros that the module has beside it, with the same shape. */
  readonly zeros?: string;
}

const VECTOR = [0];
const bias = { bias: { name: 'bias', axes: VECTOR } };
const kernel = (...axes: number[]) => ({ kernel: { name: 'weight', axes } });

/** Modules have weights [out, in, …], layers [..., in, out]. */
const modules: Readonly<Record<string, Readonly<Record<string, PytorchWeight>>>> = {
  Dense: { ...kernel(1, 0), ...bias },
  Conv1D: { ...kernel(2, 1, 0), ...bias },
  Conv2D: { ...kernel(3, 2, 0, 1), ...bias },
  Conv3D: { ...kernel(4, 3, 0, 1, 2), ...bias },
  // ConvTranspose2d has [in, out, …], the layer [height, width, out, in].
  Conv2DTranspose: { ...kernel(3, 2, 0, 1), ...bias },
  // Conv2d with groups: [in * multiplier, 1, height, width].
  DepthwiseConv2D: {
    depthwise_kernel: {
      name: 'weight',
      axes: [2, 3, 0, 1],
      shape: ([channels, multiplier, ...size]) => [channels * multiplier, 1, ...size],
    },
    ...bias,
  },
  Embedding: { embeddings: { name: 'weight', axes: [0, 1] } },
  BatchNormalization: {
    gamma: { name: 'weight', axes: VECTOR },
    beta: { name: 'bias', axes: VECTOR },
    moving_mean: { name: 'running_mean', axes: VECTOR },
    moving_variance: { name: 'running_var', axes: VECTOR },
  },
  LayerNormalization: { gamma: { name: 'weight', axes: VECTOR }, beta: { name: 'bias', axes: VECTOR } },
};

/** The gates of an LSTM are i, f, c, o here and i, f, g, o there: the same order. PyTorch adds two biases. */
const recurrent: Readonly<Record<string, PytorchWeight>> = {
  kernel: { name: 'weight_ih_l0', axes: [1, 0] },
  recurrent_kernel: { name: 'weight_hh_l0', axes: [1, 0] },
  bias: { name: 'bias_ih_l0', axes: VECTOR, zeros: 'bias_hh_l0' },
};
/** Settings of the recurrent layers that compute what the modules do. A GRU applies its reset gate before the product, PyTorch's behind it. */
const STANDARD: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  LSTM: { activation: 'tanh', recurrentActivation: 'sigmoid', goBackwards: false },
  SimpleRNN: { activation: 'tanh', goBackwards: false },
};

/** A weight of a model under its name in PyTorch. */
export interface RenamedWeight {
  readonly weight: ModelWeight;
  readonly name: string;
  readonly axes: readonly number[];
  /** In PyTorch. */
  readonly shape: readonly number[];
  /** Name of the weight of zeros beside it. */
  readonly zeros?: string;
}

/** The weights of a model, in its order. */
export function pytorchWeights(model: tf.LayersModel): RenamedWeight[] {
  const layers = nestedLayers(model.layers);
  return modelWeights(model).map((weight) => {
    const layer = layers.find(({ weights }) => weights.some((variable) => variable.read() === weight.variable));
    const module = weight.layer.replaceAll('/', '.');
    const found = (layer && weightsOf(layer))?.[weight.weight];
    if (!found) {
      const axes = weight.shape.map((_, axis) => axis);
      return { weight, name: `${module}.${weight.weight}`, axes, shape: weight.shape };
    }
    const { name, axes, shape = (permuted) => permuted, zeros } = found;
    return {
      weight,
      name: `${module}.${name}`,
      axes,
      shape: shape(axes.map((axis) => weight.shape[axis])),
      ...(zeros !== undefined && { zeros: `${module}.${zeros}` }),
    };
  });
}

function weightsOf(layer: tf.layers.Layer): Readonly<Record<string, PytorchWeight>> | undefined {
  const className = layer.getClassName();
  if (!Object.hasOwn(STANDARD, className)) return Object.hasOwn(modules, className) ? modules[className] : undefined;
  const config = layer.getConfig();
  return Object.entries(STANDARD[className]).every(([setting, value]) => config[setting] === value)
    ? recurrent
    : undefined;
}

/**
 * The inverse of {@link pytorchWeights} for what a file holds.
 * @returns tensors under the names of the model's weights
 */
export function tensorsOfModel(
  model: tf.LayersModel,
  tensors: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<string, StoredTensor> {
  return new Map(
    pytorchWeights(model).flatMap(({ weight, name, axes, shape }): [string, StoredTensor][] => {
      const stored = tensors.get(name);
      if (!stored || stored.shape.join() !== shape.join() || !(stored.data instanceof Float32Array)) return [];
      const permuted = axes.map((axis) => weight.shape[axis]);
      const back = axes.map((_, axis) => axes.indexOf(axis));
      return [[weight.name, { shape: weight.shape, data: permute(stored.data, permuted, back) }]];
    }),
  );
}

/**
 * @param shape of `values`, row-major
 * @param axes for each axis of the result the axis of `values`
 */
export function permute(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const sizes = axes.map((axis) => shape[axis]);
  const result = new Float32Array(values.length);
  const position = axes.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = values[from];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += strides[axes[axis]];
      if (++position[axis] < sizes[axis]) break;
      from -= sizes[axis] * strides[axes[axis]];
      position[axis] = 0;
    }
  }
  return result;
}
