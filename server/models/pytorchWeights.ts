/**
 * @file The weights of layers as PyTorch's modules of the same kind have them: names, axes, and the weights that a module has in
 * addition (https://pytorch.org/docs/stable/nn.html). A layer that no module computes keeps its names and axes.
 */
import type * as tf from '@tensorflow/tfjs';
import { nestedLayers } from '../compiler/trace/statefulLayers.ts';
import type { StoredTensor } from '../formats/packed/packedFile.ts';
import { permute } from '../formats/strided.ts';
import { elementCount } from '../protocol/shape.ts';
import { FlattenedImages, UNKNOWN_ORDER } from './flattenedImages.ts';
import { modelWeights, type ModelWeight } from './modelWeights.ts';

/** The value of `names` in the metadata of a file, and of the option. */
export const PYTORCH = 'pytorch';

interface PytorchWeight {
  /** Within its module. */
  readonly name: string;
  /** For each axis in PyTorch the axis of the layer's weight. */
  readonly axes: readonly number[];
  /** The shape in PyTorch, where that joins axes of the layer's weight. */
  readonly shape?: (permuted: readonly number[]) => readonly number[];
  /** A second weight of the module, with the same shape. */
  readonly second?: SecondParameter;
  /** For each gate in PyTorch, blocks of its first axis, the gate of the layer. */
  readonly gates?: readonly number[];
  /** Axis of the layer's weight that has an entry for each feature of the input, which may be a flattened image. */
  readonly features?: number;
}

/** A second bias of a recurrent module: it is added to the first, or the layer has both in rows, the first before it. */
interface SecondParameter {
  readonly name: string;
  readonly is: 'added' | 'row';
}

type Module = Readonly<Record<string, PytorchWeight>>;

const VECTOR = [0];
const bias = { bias: { name: 'bias', axes: VECTOR } };
const kernel = (...axes: number[]) => ({ kernel: { name: 'weight', axes } });
const perFeature = (name: string): PytorchWeight => ({ name, axes: VECTOR, features: 0 });

/** Modules have weights [out, in, …], layers [..., in, out]. */
const modules: Readonly<Record<string, Module>> = {
  Dense: { kernel: { name: 'weight', axes: [1, 0], features: 0 }, ...bias },
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
    gamma: perFeature('weight'),
    beta: perFeature('bias'),
    moving_mean: perFeature('running_mean'),
    moving_variance: perFeature('running_var'),
  },
  LayerNormalization: { gamma: perFeature('weight'), beta: perFeature('bias') },
};

/** The gates of an LSTM are i, f, c, o here and i, f, g, o there: the same order. */
const recurrent = (is: SecondParameter['is'], order: Pick<PytorchWeight, 'gates'> = {}): Module => ({
  kernel: { name: 'weight_ih_l0', axes: [1, 0], ...order },
  recurrent_kernel: { name: 'weight_hh_l0', axes: [1, 0], ...order },
  bias: { name: 'bias_ih_l0', axes: VECTOR, second: { name: 'bias_hh_l0', is }, ...order },
});
/** Gates z, r, h here and r, z, n there. */
const GRU_GATES = { gates: [1, 0, 2] };

/** Modules whose weights a layer can have although it computes something else with other settings than these. */
const recurrentModules: Readonly<Record<string, { module: Module; settings: Readonly<Record<string, unknown>> }>> = {
  LSTM: {
    module: recurrent('added'),
    settings: { activation: 'tanh', recurrentActivation: 'sigmoid', goBackwards: false },
  },
  SimpleRNN: { module: recurrent('added'), settings: { activation: 'tanh', goBackwards: false } },
  // TensorFlow.js has no GRU with `resetAfter`.
  GRU: {
    module: recurrent('added', GRU_GATES),
    settings: { activation: 'tanh', recurrentActivation: 'sigmoid', goBackwards: false, resetAfter: true },
  },
  ResetAfterGRU: {
    module: recurrent('row', GRU_GATES),
    settings: { activation: 'tanh', recurrentActivation: 'sigmoid', goBackwards: false },
  },
};
/** Default of PyTorch's normalizations; TensorFlow.js has 0.001. */
const EPSILON = 1e-5;

/** A weight of a model as its module in PyTorch has it. */
export interface RenamedWeight {
  readonly weight: ModelWeight;
  /** Path of the module, `encoder.fc1`. */
  readonly module: string;
  /** Within the module. */
  readonly parameter: string;
  /** For each axis in PyTorch the axis of {@link view}. */
  readonly axes: readonly number[];
  /** Shape with which the axes of the layer's weight are told apart: those of an image that was flattened. */
  readonly view: readonly number[];
  /** In PyTorch. */
  readonly shape: readonly number[];
  /** A second parameter of the module; in what is written, it is zeros, since the first has the sum. */
  readonly second?: SecondParameter;
  readonly gates?: readonly number[];
  /** False where the layer computes something else with the weight than the module does. */
  readonly isSame: boolean;
}

/**
 * The weights of a model, in its order, as the modules have them whose weights they can be. Where {@link RenamedWeight.isSame} is false,
 * {@link differencesFromPytorch} tells why.
 */
export function pytorchWeights(model: tf.LayersModel): RenamedWeight[] {
  const layers = nestedLayers(model.layers);
  const images = new FlattenedImages(layers);
  return modelWeights(model).map((weight) => {
    // A wrapper and a nested model have the weights of the layers in them, and stand before them.
    const layer = layers.findLast(({ weights }) => weights.some((variable) => variable.read() === weight.variable));
    const module = weight.layer.replaceAll('/', '.');
    const found = layer && moduleOf(layer.getClassName())?.[weight.weight];
    if (!found) return { weight, module, ...unchanged(weight) };
    const { name, axes, shape = (permuted) => permuted, second, gates, features } = found;
    const parameterShape = second?.is === 'row' ? weight.shape.slice(1) : weight.shape;
    if (axes.length !== parameterShape.length) return { weight, module, ...unchanged(weight) };
    const image = features === undefined ? undefined : images.behind(layer);
    return {
      weight,
      module,
      parameter: name,
      shape: shape(axes.map((axis) => parameterShape[axis])),
      ...withImage(parameterShape, axes, features, image === UNKNOWN_ORDER ? undefined : image),
      ...(second && { second }),
      ...(gates && { gates }),
      isSame: otherSettings(layer).length === 0 && image !== UNKNOWN_ORDER,
    };
  });
}

/**
 * As {@link pytorchWeights}, for what is written; a weight of a layer that no module computes keeps its name and axes, and so does one whose
 * gates have another order.
 */
export function computedByPytorch(model: tf.LayersModel): RenamedWeight[] {
  return pytorchWeights(model).map((renamed) =>
    renamed.isSame && !renamed.gates
      ? renamed
      : { weight: renamed.weight, module: renamed.module, ...unchanged(renamed.weight) },
  );
}

function unchanged(weight: ModelWeight): Omit<RenamedWeight, 'weight' | 'module'> {
  const { shape } = weight;
  return { parameter: weight.weight, axes: shape.map((_, axis) => axis), view: shape, shape, isSame: true };
}

function moduleOf(className: string): Module | undefined {
  if (Object.hasOwn(recurrentModules, className)) return recurrentModules[className].module;
  return Object.hasOwn(modules, className) ? modules[className] : undefined;
}

/** The axes of a weight, with those of the image in the place of its features. PyTorch flattens the channels first. */
function withImage(
  shape: readonly number[],
  axes: readonly number[],
  features: number | undefined,
  image: readonly number[] | undefined,
): Pick<RenamedWeight, 'axes' | 'view'> {
  if (features === undefined || image === undefined || elementCount(image) !== shape[features])
    return { axes, view: shape };
  const more = image.length - 1;
  const channels = features + more;
  return {
    view: shape.flatMap((size, axis) => (axis === features ? image : [size])),
    axes: axes.flatMap((axis) => {
      if (axis === features) return [channels, ...Array.from({ length: more }, (_, i) => features + i)];
      return [axis > features ? axis + more : axis];
    }),
  };
}

const NORMALIZATIONS = new Set(['BatchNormalization', 'LayerNormalization']);

/** What of a model computes something else than the modules do whose weights it can have; sentences without a full stop. */
export function differencesFromPytorch(model: tf.LayersModel, layers: ReadonlySet<string>): string[] {
  const weights = new Map(modelWeights(model).map(({ variable, layer }) => [variable, layer]));
  const nested = nestedLayers(model.layers);
  const images = new FlattenedImages(nested);
  return nested.flatMap((layer) => {
    const path = layer.weights.map((variable) => weights.get(variable.read() as tf.Variable)).find((found) => found);
    if (path === undefined || !layers.has(path)) return [];
    const { epsilon } = layer.getConfig();
    const others =
      NORMALIZATIONS.has(layer.getClassName()) && epsilon !== EPSILON
        ? [`epsilon is ${epsilon as number} here, and ${EPSILON} by default in PyTorch`]
        : [];
    const isOfFeatures = Object.values(moduleOf(layer.getClassName()) ?? {}).some(
      ({ features }) => features !== undefined,
    );
    if (isOfFeatures && images.behind(layer) === UNKNOWN_ORDER)
      others.push(
        'a flattened image is only a part of its inputs, and PyTorch flattens the channels first: its rows keep the order of the file',
      );
    return [...otherSettings(layer), ...others].map((text) => `${path}: ${text}`);
  });
}

/** Settings of a recurrent layer with which it computes something else than PyTorch's module. */
function otherSettings(layer: tf.layers.Layer): string[] {
  const className = layer.getClassName();
  if (!Object.hasOwn(recurrentModules, className)) return [];
  const config = layer.getConfig();
  // The backward layer of a bidirectional one is the `_reverse` of PyTorch's.
  const isBackward = layer.name.startsWith('backward_');
  return Object.entries(recurrentModules[className].settings).flatMap(([setting, expected]) => {
    const value = config[setting];
    if (value === expected || (setting === 'goBackwards' && isBackward)) return [];
    if (setting === 'resetAfter')
      return [
        'PyTorch applies the reset gate of a GRU behind the product, this layer before it: its outputs are others',
      ];
    return [`${setting} is ${String(value)} here, and ${String(expected)} in PyTorch: its outputs are others`];
  });
}

/** The numbers of a layer's weight in the layout of PyTorch; for weights of {@link computedByPytorch}, whose gates have its order. */
export function toPytorch({ view, axes }: RenamedWeight, values: Float32Array): Float32Array {
  return permute(values, view, axes);
}

/**
 * The inverse of {@link toPytorch}.
 * @param another the second parameter, where the file has it
 */
export function fromPytorch(renamed: RenamedWeight, parameter: Float32Array, another?: Float32Array): Float32Array {
  const { view, axes, gates, second } = renamed;
  if (second?.is === 'row') {
    const rows = new Float32Array(2 * parameter.length);
    [parameter, another].forEach((row, i) => {
      if (row) rows.set(gates ? inOrderOfGates(row, gates) : row, i * parameter.length);
    });
    return rows;
  }
  const sum = another ? parameter.map((value, i) => value + another[i]) : parameter;
  const ordered = gates ? inOrderOfGates(sum, gates) : sum;
  const permuted = axes.map((axis) => view[axis]);
  const back = axes.map((_, axis) => axes.indexOf(axis));
  return permute(ordered, permuted, back);
}

/** Blocks of the first axis where the layer has them. */
function inOrderOfGates(values: Float32Array, gates: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
  const block = values.length / gates.length;
  gates.forEach((gate, i) => result.set(values.subarray(i * block, (i + 1) * block), gate * block));
  return result;
}

/**
 * Tensors of a file that was written by the names of {@link computedByPytorch}.
 * @returns tensors under the names of the model's weights
 */
export function tensorsOfModel(
  model: tf.LayersModel,
  tensors: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<string, StoredTensor> {
  return new Map(
    computedByPytorch(model).flatMap((renamed): [string, StoredTensor][] => {
      const { weight, module, parameter, shape } = renamed;
      const stored = tensors.get(`${module}.${parameter}`);
      if (!stored || stored.shape.join() !== shape.join() || !(stored.data instanceof Float32Array)) return [];
      return [[weight.name, { shape: weight.shape, data: fromPytorch(renamed, stored.data) }]];
    }),
  );
}
