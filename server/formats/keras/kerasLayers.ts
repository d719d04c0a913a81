/**
 * @file The layers with weights of a model, as its configuration in Keras describes them: their names, the variables of each, and where
 * Keras 3 puts these in a file of weights. The file numbers the layers of a class, and knows nothing of their names
 * (keras/src/saving/saving_lib.py, _save_container_state).
 */
import { isRecord } from '../../protocol/record.ts';
import { FormatError } from '../formatError.ts';

type Settings = Readonly<Record<string, unknown>>;

export interface KerasVariable {
  /** As TensorFlow.js calls it: `kernel`. */
  readonly name: string;
  /** False for what follows the data, as a running mean. */
  readonly trainable: boolean;
}

export interface KerasLayer {
  /** The layers that it is in, and its own: `bidirectional`, `forward_lstm`. */
  readonly names: readonly string[];
  readonly className: string;
  /** Its group in the weights of Keras 3: `layers/bidirectional/forward_layer/cell`. */
  readonly place: string;
  readonly variables: readonly KerasVariable[];
  /** False where the layer, or a model around it, is frozen. */
  readonly trainable: boolean;
}

interface VariableFacts extends KerasVariable {
  /** The setting that leaves it out where it is false. */
  readonly unless?: string;
}

const kernel: VariableFacts = { name: 'kernel', trainable: true };
const bias: VariableFacts = { name: 'bias', trainable: true, unless: 'use_bias' };
const normalization: readonly VariableFacts[] = [
  { name: 'gamma', trainable: true, unless: 'scale' },
  { name: 'beta', trainable: true, unless: 'center' },
];
const depthwise = { name: 'depthwise_kernel', trainable: true };
const recurrent: readonly VariableFacts[] = [kernel, { name: 'recurrent_kernel', trainable: true }, bias];
const fixed = (name: string): VariableFacts => ({ name, trainable: false });

/** The variables of each class of layers, in the order of Keras. */
const variablesOfClasses: Readonly<Record<string, readonly VariableFacts[]>> = {
  Dense: [kernel, bias],
  Conv1D: [kernel, bias],
  Conv2D: [kernel, bias],
  Conv3D: [kernel, bias],
  Conv2DTranspose: [kernel, bias],
  Conv3DTranspose: [kernel, bias],
  DepthwiseConv2D: [depthwise, bias],
  SeparableConv2D: [depthwise, { name: 'pointwise_kernel', trainable: true }, bias],
  BatchNormalization: [...normalization, fixed('moving_mean'), fixed('moving_variance')],
  LayerNormalization: normalization,
  Embedding: [{ name: 'embeddings', trainable: true }],
  PReLU: [{ name: 'alpha', trainable: true }],
  // What it was adapted to; a mean that was given is a setting.
  Normalization: [fixed('mean'), fixed('variance'), fixed('count')],
  LSTM: recurrent,
  GRU: recurrent,
  SimpleRNN: recurrent,
  ConvLSTM2D: recurrent,
};

/** Layers whose weights are in a cell. */
const RECURRENT = new Set(['LSTM', 'GRU', 'SimpleRNN', 'ConvLSTM2D']);
/** Models within one another at most. */
const DEEPEST = 32;
const FORWARD = 'forward_';

/** True for a class that is a model of other layers. */
export function isModelClass(className: string): boolean {
  return className === 'Sequential' || className === 'Functional' || className === 'Model';
}

/**
 * @param model `{ class_name, config }` of a sequential or functional model
 * @returns its layers with weights, those in other layers included, in the order of the file
 */
export function kerasLayers(model: Settings): KerasLayer[] {
  return layersOfModel(model, { names: [], place: '', trainable: true });
}

interface Surroundings {
  readonly names: readonly string[];
  readonly place: string;
  readonly trainable: boolean;
}

function layersOfModel({ config }: Settings, around: Surroundings): KerasLayer[] {
  if (around.names.length > DEEPEST) throw new FormatError('its models are nested too deep');
  const { layers, trainable } = settingsOf(config);
  if (!Array.isArray(layers)) throw new FormatError('its model has no list of layers');
  const counts = new Map<string, number>();
  return layers.filter(isRecord).flatMap((layer) => {
    const group = snakeCase(String(layer.class_name));
    const count = counts.get(group) ?? 0;
    counts.set(group, count + 1);
    return layersOf(layer, {
      names: [...around.names, nameOf(layer)],
      place: `${around.place}layers/${count === 0 ? group : `${group}_${count}`}`,
      trainable: around.trainable && trainable !== false,
    });
  });
}

/** @param around with the name and the place of the layer itself */
function layersOf(layer: Settings, around: Surroundings): KerasLayer[] {
  const { names, place } = around;
  const className = String(layer.class_name);
  const config = settingsOf(layer.config);
  if (isModelClass(className)) return layersOfModel(layer, { ...around, place: `${place}/` });
  const inner = isRecord(config.layer) ? config.layer : undefined;
  if (inner && className === 'Bidirectional') {
    const name = bidirectionalName(inner);
    return ['forward', 'backward'].flatMap((direction) =>
      layersOf(inner, { ...around, names: [...names, `${direction}_${name}`], place: `${place}/${direction}_layer` }),
    );
  }
  if (inner) return layersOf(inner, { ...around, names: [...names, nameOf(inner)], place: `${place}/layer` });
  const variables = variablesOf(className, config);
  if (variables.length === 0) return [];
  return [
    {
      names,
      className,
      place: RECURRENT.has(className) ? `${place}/cell` : place,
      variables,
      trainable: around.trainable && config.trainable !== false,
    },
  ];
}

/** The name of the layer that a bidirectional one has twice; Keras 3 has that of the first, `forward_lstm`. */
export function bidirectionalName(layer: Settings): string {
  const name = nameOf(layer);
  return name.startsWith(FORWARD) ? name.slice(FORWARD.length) : name;
}

export function nameOf(layer: Settings): string {
  const { name = layer.name } = settingsOf(layer.config);
  return String(name);
}

function variablesOf(className: string, config: Settings): KerasVariable[] {
  const facts = Object.hasOwn(variablesOfClasses, className) ? variablesOfClasses[className] : [];
  if (className === 'Normalization' && (config.mean ?? null) !== null) return [];
  return facts.filter(({ unless }) => unless === undefined || config[unless] !== false);
}

/** Variables that a layer most likely lacks, where a file does not say: the scale before a convolution's activation, the bias. */
const OFTEN_ABSENT = ['bias', 'gamma', 'beta'];

/**
 * The variables of a layer of which only a group of the file is known.
 * @param group `conv2d_1`, `cell`, `layer`
 * @param ranks number of axes of each variable
 * @returns undefined where that does not tell
 */
export function variablesOfGroup(group: string, ranks: readonly number[]): readonly KerasVariable[] | undefined {
  let facts = factsOfGroup(group.replace(/_\d+$/, ''), ranks);
  for (const absent of OFTEN_ABSENT)
    if (facts && facts.length > ranks.length)
      facts = facts.filter(({ name, unless }) => name !== absent || unless === undefined);
  return facts?.length === ranks.length ? facts : undefined;
}

function factsOfGroup(kind: string, [rank = 0]: readonly number[]): readonly VariableFacts[] | undefined {
  if (kind === 'cell') return recurrent;
  // The layer within a wrapper, of whatever class.
  if (kind === 'layer') return rank > 1 ? [kernel, bias] : variablesOfClasses.BatchNormalization;
  const className = Object.keys(variablesOfClasses).find((name) => snakeCase(name) === kind);
  return className === undefined ? undefined : variablesOfClasses[className];
}

/** As Keras names the groups of its layers: `LeakyReLU` is leaky_re_lu (keras/src/utils/naming.py). */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** The settings of a layer; none where a damaged file has something else in their place. */
export function settingsOf(config: unknown): Settings {
  return isRecord(config) ? config : {};
}
