/**
 * @file The topology of a saved model as TensorFlow.js reads it: what Keras 3 and tf.keras write otherwise is written in the
 * way of Keras 2, which TensorFlow.js took over (keras/src/models/functional.py and keras/src/saving/serialization_lib.py).
 */
import { isRecord } from '../protocol/record.ts';
import { FormatError } from './formatError.ts';

type Json = null | boolean | number | string | Json[] | JsonObject;
interface JsonObject {
  [key: string]: Json;
}

/** What says nothing about the computation, and is no setting that TensorFlow.js knows. */
const LEFT_OUT = new Set(['module', 'registered_name', 'build_config', 'compile_config']);
/** Activations that have another name in TensorFlow.js. */
const ACTIVATIONS: Readonly<Record<string, string>> = { silu: 'swish' };
/** Keys whose values are names of activations, and names of nothing else. */
const ACTIVATION_KEYS = new Set(['activation', 'recurrent_activation']);

/**
 * @param topology `modelTopology` of a model.json
 * @returns the same model for TensorFlow.js
 * @throws FormatError for what TensorFlow.js has no place for, and where the layers cannot be put in an order
 */
export function kerasTopology(topology: unknown): object {
  try {
    const rewritten = rewrite(topology as Json);
    checkOrder(rewritten);
    return rewritten as object;
  } catch (error) {
    if (error instanceof RangeError) throw new FormatError('its layers are nested too deep');
    throw error;
  }
}

/**
 * The name that a weight has in TensorFlow.js, `layer/weight`. Keras 3 puts the models and wrappers around a layer before it and
 * the cell of a recurrent layer behind it: `sequential/lstm/lstm_cell/kernel`.
 * @param topology as {@link kerasTopology} gives it
 */
export function weightNames(topology: object): (name: string) => string {
  const { keras_version: version } = topology as { keras_version?: unknown };
  if (typeof version !== 'string' || !version.startsWith('3.')) return (name) => name;
  const layers = new Set<string>();
  collectNames(topology as JsonObject, layers);
  return (name) => {
    const path = name.split('/');
    const layer = path.slice(0, -1).findLast((part) => layers.has(part));
    return layer === undefined ? name : `${layer}/${path.at(-1)}`;
  };
}

/** Names of the layers, those in others included. */
function collectNames(value: Json, names: Set<string>): void {
  if (Array.isArray(value)) for (const entry of value) collectNames(entry, names);
  if (!isObject(value)) return;
  const { class_name: className, config } = value;
  if (typeof className === 'string' && isObject(config) && typeof config.name === 'string') names.add(config.name);
  for (const entry of Object.values(value)) collectNames(entry, names);
}

function rewrite(value: Json): Json {
  if (Array.isArray(value)) return value.map(rewrite);
  if (!isObject(value)) return value;
  const { class_name: className, config } = value;
  if (className === 'DTypePolicy' && isObject(config)) return elementType(config.name);
  if (className === 'function' && typeof config === 'string') return ACTIVATIONS[config] ?? config;
  if ((className === 'L1' || className === 'L2') && isObject(config))
    return { class_name: 'L1L2', config: { l1: config.l1 ?? 0, l2: config.l2 ?? 0 } };
  const entries = Object.entries(value).flatMap(([key, entry]): [string, Json][] => {
    if (LEFT_OUT.has(key)) return [];
    if (key === 'dtype' && typeof entry === 'string') return [[key, elementType(entry)]];
    if (key === 'batch_shape') return [['batch_input_shape', entry]];
    if (key === 'inbound_nodes' && Array.isArray(entry)) return [[key, entry.map(inboundNode)]];
    if (key === 'input_layers' || key === 'output_layers') return [[key, listOfTensors(entry)]];
    if (ACTIVATION_KEYS.has(key) && typeof entry === 'string') return [[key, ACTIVATIONS[entry] ?? entry]];
    return [[key, rewrite(entry)]];
  });
  const rewritten = Object.fromEntries(entries);
  const isOfKeras3 = Array.isArray(value.layers) && value.layers.some(hasCallsOfKeras3);
  return isOfKeras3 ? countingOwnCalls(rewritten) : rewritten;
}

/** True for a layer whose calls are `{ args, kwargs }`. */
function hasCallsOfKeras3(layer: Json): boolean {
  const nodes = isObject(layer) ? layer.inbound_nodes : undefined;
  return Array.isArray(nodes) && nodes.some(isObject);
}

/**
 * The calls of models within a functional one, counted as TensorFlow.js counts them: the model itself is the first call. Keras 3 counts
 * so in the outputs alone, and there not for sequential models (keras/src/models/functional.py, get_config and serialize_node).
 * @param config of the functional model, rewritten
 */
function countingOwnCalls(config: JsonObject): JsonObject {
  const { layers, output_layers: outputs } = config;
  if (!Array.isArray(layers) || !Array.isArray(outputs)) return config;
  const models = new Map(
    layers.flatMap((layer): [Json, Json][] =>
      isObject(layer) && isObject(layer.config) && layer.config.layers !== undefined
        ? [[layer.name, layer.class_name]]
        : [],
    ),
  );
  const counted = (tensor: Json, isModel: (name: Json) => boolean): Json => {
    if (!Array.isArray(tensor)) return tensor;
    const [name, call, ...rest] = tensor;
    return isModel(name) && typeof call === 'number' ? [name, call + 1, ...rest] : tensor;
  };
  return {
    ...config,
    layers: layers.map((layer) => {
      if (!isObject(layer) || !Array.isArray(layer.inbound_nodes)) return layer;
      const nodes = layer.inbound_nodes.map((node) =>
        Array.isArray(node) ? node.map((tensor) => counted(tensor, (name) => models.has(name))) : node,
      );
      return { ...layer, inbound_nodes: nodes };
    }),
    output_layers: outputs.map((tensor) => counted(tensor, (name) => models.get(name) === 'Sequential')),
  };
}

/** Training is in float32: of a policy of mixed precision, it is the type of the weights. */
function elementType(name: Json): Json {
  return typeof name === 'string' && /^(mixed_)?b?float16$/.test(name) ? 'float32' : name;
}

/** Keras 3 has `{ args, kwargs }` with the tensors in the arguments, Keras 2 a list of `[layer, node, tensor, kwargs]`. */
function inboundNode(node: Json): Json {
  if (!isObject(node)) return rewrite(node);
  const { args = [], kwargs = {} } = node;
  if (!isObject(kwargs)) throw new FormatError('an inbound node of a layer has no table of arguments');
  const options = Object.entries(kwargs).filter(([, value]) => value !== null);
  if (options.some(([, value]) => tensorsOf(value).length > 0))
    throw new FormatError(
      `a layer is called with a tensor as ${options.map(([name]) => name).join(', ')}, which cannot be read`,
    );
  return tensorsOf(args).map((history) => [...history.slice(0, 3), Object.fromEntries(options)]);
}

/** The origins of the tensors in a value, `[layer, node, tensor]` each. */
function tensorsOf(value: Json): Json[][] {
  if (Array.isArray(value)) return value.flatMap(tensorsOf);
  if (!isObject(value)) return [];
  const { class_name: className, config } = value;
  if (className !== '__keras_tensor__') return Object.values(value).flatMap(tensorsOf);
  const history = isObject(config) ? config.keras_history : undefined;
  if (!Array.isArray(history)) throw new FormatError('a tensor in the inbound nodes has no keras_history');
  return [history];
}

/** A model with one input has `[layer, node, tensor]`, one with several a list of these. */
function listOfTensors(value: Json): Json {
  if (Array.isArray(value)) return typeof value[0] === 'string' ? [value] : value;
  throw new FormatError('the inputs or outputs of the model are no list');
}

/**
 * TensorFlow.js goes over the layers until all are called: where they wait for one another, for ever.
 * @throws FormatError that names the layers that cannot be called
 */
function checkOrder(value: Json): void {
  if (Array.isArray(value)) return value.forEach(checkOrder);
  if (!isObject(value)) return;
  Object.values(value).forEach(checkOrder);
  const { layers } = value;
  if (!Array.isArray(layers) || !layers.every(isObject) || !layers.some(isCalled)) return;
  /** How often each layer was called; an input, and a model within, count as called once. */
  const calls = new Map<string, number>();
  const waiting = new Map<string, Json[]>();
  for (const layer of layers) {
    const { name, class_name: className, config } = layer;
    const { name: configured = name, layers: inner } = isObject(config) ? config : {};
    if (typeof name !== 'string' || name !== configured || calls.has(name))
      throw new FormatError(`its layers have no names of their own: ${JSON.stringify(name)}`);
    calls.set(name, className === 'InputLayer' || inner !== undefined ? 1 : 0);
    const nodes = nodesOf(layer);
    if (!Array.isArray(nodes)) throw new FormatError(`the layer '${name}' has no list of inbound_nodes`);
    if (nodes.length > 0) waiting.set(name, nodes);
  }
  const isReady = (node: Json) =>
    Array.isArray(node) &&
    node.length > 0 &&
    node.every((source) => Array.isArray(source) && (calls.get(String(source[0])) ?? 0) > Number(source[1]));
  for (let called = true; called;) {
    called = false;
    for (const [name, nodes] of waiting) {
      const left = nodes.filter((node) => !isReady(node));
      if (left.length === nodes.length) continue;
      called = true;
      calls.set(name, calls.get(name)! + nodes.length - left.length);
      if (left.length > 0) waiting.set(name, left);
      else waiting.delete(name);
    }
  }
  if (waiting.size === 0) return;
  const names = [...waiting.keys()].slice(0, 5).map((name) => `'${String(name)}'`);
  throw new FormatError(
    `its layers cannot be called in any order: the inbound_nodes of ${names.join(', ')} go in a circle, or name a layer that ` +
      'is not there',
  );
}

function nodesOf({ inbound_nodes: nodes, inboundNodes = nodes }: JsonObject): Json | undefined {
  return inboundNodes;
}

/** True for a layer of a functional model, which says how its layers are called; a sequential one does not. */
function isCalled(layer: JsonObject): boolean {
  return nodesOf(layer) !== undefined;
}

function isObject(value: Json): value is JsonObject {
  return isRecord(value);
}
