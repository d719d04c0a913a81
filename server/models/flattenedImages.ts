/** @file The images that were flattened to the inputs of a layer: PyTorch flattens their channels first, TensorFlow.js last. */
import type * as tf from '@tensorflow/tfjs';
import { isModel, PASSED } from './modelWeights.ts';

type Layer = tf.layers.Layer;

/** Says that features are joined of flattened images and others, or of several of different sizes. */
export const UNKNOWN_ORDER = 'unknown';
/** Sizes [height, width, channels] of an image; undefined for features that PyTorch has in the same order. */
type Order = readonly number[] | typeof UNKNOWN_ORDER | undefined;

/** Layers that leave the order of the features as it is. */
const FEATURE_WISE = new Set([
  ...PASSED,
  ...['Activation', 'ReLU', 'LeakyReLU', 'PReLU', 'ELU', 'ThresholdedReLU', 'Softmax'],
  ...['BatchNormalization', 'LayerNormalization'],
  ...['Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'],
]);
/** Layers of signals, whose last axis are channels; of other sequences PyTorch has the same order of axes. */
const OF_SIGNALS = /^(SeparableConv1D|Conv1D|.*Pooling1D|Cropping1D|UpSampling1D|ZeroPadding1D)$/;

export class FlattenedImages {
  /** The model that an input layer within it belongs to. */
  readonly #modelOf = new Map<Layer, Layer>();

  /** @param layers of a model, those in others included */
  constructor(layers: readonly Layer[]) {
    for (const model of layers.filter(isModel))
      for (const { sourceLayer } of (model as tf.LayersModel).inputs) this.#modelOf.set(sourceLayer, model);
  }

  /** What was flattened to the inputs of a layer, in each of its calls. */
  behind(layer: Layer): Order {
    const [first, ...others] = this.#sources(layer).map((source) => this.#orderOf(source));
    return others.every((order) => String(order) === String(first)) ? first : UNKNOWN_ORDER;
  }

  /** The order of the outputs of a layer. */
  #orderOf(layer: Layer): Order {
    if (this.#passesOn(layer)) return this.behind(layer);
    const name = layer.getClassName();
    if (name === 'Concatenate')
      return this.#sources(layer).some((source) => this.#orderOf(source)) ? UNKNOWN_ORDER : undefined;
    return name === 'Flatten' || name === 'Reshape' ? this.#flattenedBy(layer) : undefined;
  }

  #flattenedBy(layer: Layer): Order {
    const [{ inputShapes, outputShapes }] = layer.inboundNodes;
    const [input, output] = [inputShapes, outputShapes].map(([shape]) => ([shape].flat() as tf.Shape).slice(1));
    if (output.length === 1 && input.length === 1) return this.behind(layer);
    if (output.length > 1) return undefined;
    const isOfImages = input.length > 2 || (input.length === 2 && this.#comesFromSignals(layer));
    return isOfImages && !this.#hasChannelsFirst(layer) && input.every((size) => size !== null) ? input : undefined;
  }

  #comesFromSignals(layer: Layer): boolean {
    return this.#sources(layer).some((source) =>
      this.#passesOn(source) ? this.#comesFromSignals(source) : OF_SIGNALS.test(source.getClassName()),
    );
  }

  /** True where the layers before another have channels first, or the nearest permutation puts them there. */
  #hasChannelsFirst(layer: Layer, seen = new Set<Layer>()): boolean {
    if (seen.has(layer)) return false;
    seen.add(layer);
    const { dataFormat, dims } = layer.getConfig();
    if (dataFormat === 'channelsFirst') return true;
    if (layer.getClassName() === 'Permute' && Array.isArray(dims)) return dims[0] === dims.length;
    return this.#sources(layer).some((source) => this.#hasChannelsFirst(source, seen));
  }

  /** True for a layer of features, and for the input of a model within the model. */
  #passesOn(layer: Layer): boolean {
    return FEATURE_WISE.has(layer.getClassName()) || this.#modelOf.has(layer);
  }

  /** The layers whose outputs a layer takes, in all its calls, also those around and within models that are layers. */
  #sources(layer: Layer): Layer[] {
    const model = this.#modelOf.get(layer);
    const sources = model ? this.#sources(model) : sourcesOf(layer);
    return sources.flatMap((source) => {
      if (!isModel(source)) return [source];
      return (source as tf.LayersModel).outputs.map(({ sourceLayer }) => sourceLayer);
    });
  }
}

function sourcesOf(layer: Layer): Layer[] {
  return [...new Set(layer.inboundNodes.flatMap(({ inboundLayers }) => inboundLayers))];
}
