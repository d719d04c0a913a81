/**
 * @file A model as Keras describes it, as TensorFlow.js reads it. TensorFlow.js has the layers of Keras 2, and not all of them: what has
 * no counterpart is named with its layer. What is written otherwise by Keras 3, and means the same, is left to {@link kerasTopology}.
 */
import * as tf from '@tensorflow/tfjs';
import { FormatError } from '../../formats/formatError.ts';
import { kerasTopology } from '../../formats/kerasTopology.ts';
import { bidirectionalName, isModelClass, nameOf, settingsOf } from '../../formats/keras/kerasLayers.ts';
import { isRecord } from '../../protocol/record.ts';
import { WITHOUT_DILATION } from '../dilationsWithoutEffect.ts';
import { forPrediction } from '../modelTopology.ts';
import { MASK_OPERATORS, maskProblems } from './maskProblems.ts';

type Settings = Readonly<Record<string, unknown>>;

export interface ConvertedModel {
  /** As {@link kerasTopology} gives it. */
  readonly topology: object;
  /** Layers that TensorFlow.js does not have: `attention (MultiHeadAttention)`. */
  readonly missing: readonly string[];
  readonly warnings: readonly string[];
}

/** The same layer for TensorFlow.js, or why there is none. */
type Conversion = Settings | { readonly lacks: string };

/** Activations of TensorFlow.js that compute what Keras does under the same name. */
const ACTIVATIONS = new Set([
  ...['elu', 'selu', 'relu', 'relu6', 'linear', 'sigmoid', 'softplus', 'softsign', 'tanh', 'softmax', 'log_softmax'],
  ...['gelu', 'swish', 'silu', 'mish'],
]);
/** Settings that name an activation. */
const ACTIVATION_SETTINGS = ['activation', 'recurrent_activation'];
/** Settings of layers that none of TensorFlow.js has, with the value that leaves them without effect. */
const WITHOUT_EFFECT: Settings = {
  groups: 1,
  rms_scaling: false,
  renorm: false,
  time_major: false,
  crop_to_aspect_ratio: false,
  pad_to_aspect_ratio: false,
  ragged: false,
  sparse: false,
  quantization_config: null,
  invert: false,
  // TensorFlow.js has other borders than Keras for any of them, [0, 0] among them.
  output_padding: null,
};
/** What changes images at random in training, and nothing afterwards. */
const AUGMENTATION = /^(Random\w+|AutoContrast|AugMix|CutMix|MixUp|RandAugment)$/;
const GLOBAL_POOLING = /^Global(Average|Max)Pooling[12]D$/;
/** Operators between layers, and the layers that compute the same. */
const OPERATORS: Readonly<Record<string, string>> = {
  Add: 'Add',
  Subtract: 'Subtract',
  Multiply: 'Multiply',
  Maximum: 'Maximum',
  Minimum: 'Minimum',
};
const FUNCTIONS: Readonly<Record<string, string>> = {
  Relu: 'relu',
  Relu6: 'relu6',
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  Silu: 'silu',
  Softplus: 'softplus',
};

/**
 * @param model `{ class_name, config }` as Keras writes it
 * @param version that of Keras
 * @throws FormatError for a model that is neither sequential nor functional, and one whose layers are damaged
 */
export function topologyOfKeras(model: Settings, version = '3'): ConvertedModel {
  try {
    return converted(model, version);
  } catch (error) {
    if (error instanceof RangeError) throw new FormatError('its settings are nested too deep');
    throw error;
  }
}

function converted(model: Settings, version: string): ConvertedModel {
  const className = String(model.class_name);
  if (!isModelClass(className))
    throw new FormatError(`its model is of a class of its own, ${className}, whose code is not in the file`, {
      remedy:
        'Build the same layers as a functional model, keras.Model(inputs, outputs), and save that; or export it as ONNX ' +
        "(model.export('net.onnx', format='onnx')).",
    });
  const converter = new Converter(version.startsWith('3'));
  const topology = { ...converter.model(model), keras_version: version, backend: 'tensorflow' };
  const { missing, warnings } = converter;
  return { topology: missing.length > 0 ? {} : kerasTopology(forPrediction(topology)), missing, warnings };
}

class Converter {
  readonly missing: string[] = [];
  readonly warnings: string[] = [];
  readonly #isKeras3: boolean;

  constructor(isKeras3: boolean) {
    this.#isKeras3 = isKeras3;
  }

  model(model: Settings): Settings {
    const config = settingsOf(model.config);
    // Keras 1 wrote the layers of a sequential model as its configuration.
    const layers = Array.isArray(model.config) ? (model.config as unknown[]) : config.layers;
    if (!Array.isArray(layers) || !layers.every(isRecord)) throw new FormatError('its model has no list of layers');
    this.missing.push(...maskProblems(layers));
    return {
      ...model,
      class_name: model.class_name === 'Model' ? 'Functional' : model.class_name,
      config: { ...config, layers: layers.map((layer) => this.layer(layer)) },
    };
  }

  /** The same layer; one that cannot be is noted, and stays as it is. */
  layer(layer: Settings): Settings {
    const className = String(layer.class_name);
    if (isModelClass(className)) return this.model(layer);
    const converted = this.#convert(layer, className, settingsOf(layer.config));
    if (!('lacks' in converted)) return converted;
    this.missing.push(`${nameOf(layer)} (${String(converted.lacks)})`);
    return layer;
  }

  #convert(layer: Settings, className: string, config: Settings): Conversion {
    const as = (name: string, settings: Settings): Settings => ({ ...layer, class_name: name, config: settings });
    const { module, registered_name: registered } = layer;
    if (className === 'Lambda') return { lacks: 'Lambda: Python code, which is not executed' };
    if (typeof registered === 'string' && registered.includes('>'))
      return { lacks: `${registered}, a class of its own` };
    if (typeof module === 'string' && /\.ops(\.|$)/.test(module)) return operator(layer, className, config);
    const lacking = this.#settingThatLacks(className, config);
    if (lacking !== undefined) return { lacks: `${className} with ${lacking}` };
    if (AUGMENTATION.test(className) && className !== 'RandomWidth') {
      this.warnings.push(
        `${nameOf(layer)} (${className}) is left out: let the data change the images at random, with "flip" and "crop" or in a data module.`,
      );
      return identity(as, config);
    }
    const conversions: Readonly<Record<string, () => Conversion>> = {
      // TensorFlow.js says wrongly what shape their results have.
      Resizing: () => ({ lacks: className }),
      CenterCrop: () => ({ lacks: className }),
      ELU: () => ((config.alpha ?? 1) === 1 ? layer : { lacks: `ELU with alpha ${String(config.alpha)}` }),
      Identity: () => identity(as, config),
      ActivityRegularization: () => identity(as, config),
      BatchNormalization: () => as(className, { ...config, axis: single(config.axis) }),
      LeakyReLU: () => as(className, { ...config, alpha: config.negative_slope ?? config.alpha ?? 0.3 }),
      ReLU: () => relu(as, config),
      Softmax: () => as(className, { ...config, axis: single(config.axis) }),
      SpatialDropout2D: () => as('Dropout', { ...config, noise_shape: [null, 1, 1, null] }),
      SeparableConv2D: () => as(className, withoutKernel(config)),
      GRU: () => gru(as, config),
      Bidirectional: () => this.#bidirectional(as, config),
      TimeDistributed: () => as(className, { ...config, layer: this.layer(settingsOf(config.layer)) }),
      Normalization: () =>
        [null, -1, undefined].includes(single(config.axis) as number | null)
          ? layer
          : { lacks: 'Normalization over other axes' },
      Conv1D: () => (config.padding === 'causal' ? { lacks: 'Conv1D with causal padding' } : layer),
      Rescaling: () =>
        typeof config.scale === 'number' && typeof config.offset === 'number'
          ? layer
          : { lacks: 'Rescaling with several scales' },
      // TensorFlow.js places the pixels of a bilinear interpolation at their corners, Keras at their centers.
      UpSampling2D: () =>
        ['nearest', undefined].includes(config.interpolation as string | undefined)
          ? layer
          : { lacks: `UpSampling2D with ${String(config.interpolation)} interpolation` },
    };
    if (Object.hasOwn(conversions, className)) return conversions[className]();
    if (GLOBAL_POOLING.test(className) && config.keepdims === true) return keepingAxes(as, layer, className, config);
    return isKnown(className) ? layer : { lacks: className };
  }

  /** The setting of a layer that TensorFlow.js does not have, with its value. */
  #settingThatLacks(className: string, config: Settings): string | undefined {
    const { dilation_rate: dilation = 1, data_format: format } = config;
    if (WITHOUT_DILATION.has(className) && [dilation].flat().some((rate) => rate !== 1))
      return `dilation_rate ${JSON.stringify(dilation)}`;
    // A convolution would put the channels of its result last, a pooling go over the channels, and a separable convolution fail.
    if (format === 'channels_first' && (className.endsWith('1D') || className === 'SeparableConv2D'))
      return 'data_format channels_first';
    for (const [setting, none] of Object.entries(WITHOUT_EFFECT)) {
      const value = config[setting] ?? none;
      if (value !== none) return `${setting} ${JSON.stringify(value).slice(0, 40)}`;
    }
    for (const setting of ACTIVATION_SETTINGS) {
      const activation = config[setting];
      const name = activationName(activation);
      // Keras 3 has another hard sigmoid: relu6(x + 3) / 6, and not clip(x / 5 + 1 / 2).
      if (name === undefined || ACTIVATIONS.has(name) || (name === 'hard_sigmoid' && !this.#isKeras3)) continue;
      return `the ${setting.replace('_', ' ')} ${name}${name === 'hard_sigmoid' ? ' of Keras 3' : ''}`;
    }
    const { dtype } = config;
    const policy = typeof dtype === 'string' ? dtype : settingsOf(settingsOf(dtype).config).name;
    return typeof policy === 'string' && /^(int|float)[48]/.test(policy) ? `weights of ${policy}` : undefined;
  }

  #bidirectional(as: As, config: Settings): Conversion {
    const layer = settingsOf(config.layer);
    const backward = isRecord(config.backward_layer) ? config.backward_layer : undefined;
    if (backward && !isMirrored(layer, backward)) return { lacks: 'Bidirectional with two different layers' };
    const name = bidirectionalName(layer);
    const forward = this.layer({ ...layer, config: { ...settingsOf(layer.config), name } });
    const { backward_layer: _, ...rest } = config;
    return as('Bidirectional', { ...rest, layer: forward });
  }
}

type As = (name: string, settings: Settings) => Settings;

/** A global pooling that keeps its axes: one whose window is the whole input, if the size of that is written. */
function keepingAxes(as: As, layer: Settings, className: string, config: Settings): Conversion {
  const [shape] = inputShapes(layer.inbound_nodes);
  const { keepdims: _, ...rest } = config;
  const sizes = config.data_format === 'channels_first' ? shape?.slice(2) : shape?.slice(1, -1);
  if (!sizes?.every((size) => typeof size === 'number')) return { lacks: `${className} with keepdims true` };
  return as(className.replace('Global', ''), { ...rest, pool_size: sizes, strides: sizes, padding: 'valid' });
}

function identity(as: As, { name, trainable }: Settings): Settings {
  return as('Activation', { name, trainable, activation: 'linear' });
}

function relu(as: As, config: Settings): Conversion {
  const { negative_slope: slope = 0, threshold = 0, max_value: most = null } = config;
  if (threshold !== 0) return { lacks: `ReLU with threshold ${String(threshold)}` };
  if (slope === 0) return as('ReLU', config);
  return most === null
    ? as('LeakyReLU', { ...config, alpha: slope })
    : { lacks: 'ReLU with max_value and negative_slope' };
}

/** Keras 2 writes settings of a kernel that a separable convolution has in two parts. */
function withoutKernel(config: Settings): Settings {
  return Object.fromEntries(Object.entries(config).filter(([setting]) => !/^kernel_(?!size$)/.test(setting)));
}

function gru(as: As, config: Settings): Conversion {
  if (config.reset_after !== true) return as('GRU', config);
  const { dropout = 0, recurrent_dropout: recurrentDropout = 0 } = config;
  if (dropout !== 0 || recurrentDropout !== 0) return { lacks: 'GRU with reset_after and dropout' };
  return as('ResetAfterGRU', config);
}

/** An operation of keras.ops between layers. */
function operator(layer: Settings, className: string, config: Settings): Conversion {
  const { name } = config;
  const tensors = inputShapes(layer.inbound_nodes).length;
  const ofMask = MASK_OPERATORS.has(className) ? '; masks are read in sequential models alone' : '';
  const lacks = { lacks: `the operator ${className}${ofMask}` };
  const asLayer = (kind: string, settings: Settings): Settings => ({
    ...layer,
    module: 'keras.layers',
    registered_name: null,
    class_name: kind,
    config: { name: name ?? layer.name, ...settings },
  });
  if (Object.hasOwn(OPERATORS, className)) return tensors === 2 ? asLayer(OPERATORS[className], {}) : lacks;
  if (Object.hasOwn(FUNCTIONS, className) && tensors === 1)
    return asLayer('Activation', { activation: FUNCTIONS[className] });
  return lacks;
}

/** Shapes of the tensors in the only call of a layer, the batch first; none where it has several calls. */
function inputShapes(nodes: unknown): readonly (readonly unknown[])[] {
  if (!Array.isArray(nodes) || nodes.length !== 1) return [];
  const find = (value: unknown): (readonly unknown[])[] => {
    if (Array.isArray(value)) return value.flatMap(find);
    if (!isRecord(value)) return [];
    if (value.class_name !== '__keras_tensor__') return Object.values(value).flatMap(find);
    const { shape } = settingsOf(value.config);
    return [Array.isArray(shape) ? shape : []];
  };
  return find(nodes);
}

/** True where a layer is the other in the opposite direction. */
function isMirrored(forward: Settings, backward: Settings): boolean {
  const { name: _, go_backwards: onward, ...one } = settingsOf(forward.config);
  const { name: __, go_backwards: back, ...other } = settingsOf(backward.config);
  const facts = (config: Settings) =>
    JSON.stringify(config, (key, value: unknown) =>
      key === 'shared_object_id' || key.endsWith('_initializer') ? undefined : value,
    );
  return forward.class_name === backward.class_name && onward !== back && facts(one) === facts(other);
}

/** Name of an activation, as a text or as an object of Keras; undefined for none. */
function activationName(activation: unknown): string | undefined {
  if (typeof activation === 'string') return activation;
  if (!isRecord(activation)) return undefined;
  const { class_name: className, config } = activation;
  return className === 'function' && typeof config === 'string' ? config : String(className);
}

/** One axis that Keras wrote as a list. */
function single(axis: unknown): unknown {
  return Array.isArray(axis) && axis.length === 1 ? (axis[0] as unknown) : axis;
}

function isKnown(className: string): boolean {
  return Object.hasOwn(tf.serialization.SerializationMap.getMap().classNameMap, className);
}
