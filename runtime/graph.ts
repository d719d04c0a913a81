/** @file The graph of a Keras topology: which layer is called with the results of which, in an order in which they can be called. */
import { FormatError } from '../server/formats/formatError.ts';
import { isRecord } from '../server/protocol/record.ts';
import { LayerConfig } from './layerConfig.ts';

/** A size is null where the model leaves it open; the first is the batch. */
export type OpenShape = readonly (number | null)[];

export interface GraphInput {
  readonly name: string;
  readonly shape: OpenShape;
}

/** One call of a layer. */
interface Call {
  readonly layer: LayerConfig;
  /** Name of its result. */
  readonly result: string;
  /** Results that it is called with. */
  readonly from: readonly string[];
}

export interface Graph {
  readonly inputs: readonly GraphInput[];
  /** In an order in which they can be made. */
  readonly calls: readonly Call[];
  /** Names of results. */
  readonly outputs: readonly { readonly name: string; readonly result: string }[];
}

const MODEL_CLASSES = ['Sequential', 'Model', 'Functional'];

/** True for a layer that is a model. */
export function isModel({ className }: LayerConfig): boolean {
  return MODEL_CLASSES.includes(className);
}

/** @throws FormatError for what is no graph of layers */
export function readGraph(model: LayerConfig): Graph {
  if (model.className === 'Sequential') return readSequence(model);
  if (isModel(model)) return readFunctional(model);
  throw new FormatError(
    `its topology is a '${model.className.slice(0, 40)}', neither a Sequential nor a Functional model`,
  );
}

function readSequence(model: LayerConfig): Graph {
  const layers = model.list('layers').map((layer) => new LayerConfig(layer));
  const [first] = layers;
  if (first === undefined) throw model.error('it has no layers');
  const isInput = first.className === 'InputLayer';
  const name = isInput ? first.name : `${first.name}_input`;
  let previous = name;
  const calls = layers.slice(isInput ? 1 : 0).map((layer, index): Call => {
    const call = { layer, result: `${layer.name}:${index}`, from: [previous] };
    previous = call.result;
    return call;
  });
  return {
    inputs: [{ name, shape: inputShape(first) }],
    calls,
    outputs: [{ name: layers[layers.length - 1].name, result: previous }],
  };
}

/** The shape that the first layer of a Sequential model says its input has. */
function inputShape(layer: LayerConfig): OpenShape {
  const shape = layer.value('batch_input_shape');
  if (shape === undefined && layer.className === 'Sequential') {
    const [first] = layer.list('layers');
    return inputShape(new LayerConfig(first));
  }
  if (shape === undefined && isModel(layer)) return readFunctional(layer).inputs[0].shape;
  const isSize = (size: unknown) => size === null || (Number.isSafeInteger(size) && Number(size) > 0);
  if (Array.isArray(shape) && shape.length > 0 && shape.every(isSize))
    return shape.map((size) => (size === null ? null : Number(size)));
  throw layer.error('its batch_input_shape is no list of sizes');
}

/** `[layer, call, output]` of a topology. */
interface Source {
  readonly layer: string;
  readonly call: number;
}

function readFunctional(model: LayerConfig): Graph {
  const layers = new Map<string, { config: LayerConfig; calls: readonly (readonly Source[])[] }>();
  for (const serialized of model.list('layers')) {
    const config = new LayerConfig(serialized);
    const nodes = isRecord(serialized) ? serialized.inbound_nodes : undefined;
    if (!Array.isArray(nodes)) throw config.error('it has no list of inbound_nodes');
    layers.set(config.name, { config, calls: nodes.map((node) => readNode(config, node)) });
  }
  const [inputNames, outputs] = ['input_layers', 'output_layers'].map((key) =>
    listOfSources(model.list(key)).map((source) => readSource(model, source)),
  );
  const every = [...layers.values()].flatMap(({ calls }) => calls.flat()).concat(outputs);
  /** A model within may count its own making as the first call. */
  const firstCalls = new Map(
    [...layers].map(([name, { config, calls }]) => {
      const last = Math.max(...every.filter(({ layer }) => layer === name).map(({ call }) => call));
      return [name, isModel(config) && last >= calls.length ? 1 : 0];
    }),
  );
  const resultOf = ({ layer, call }: Source) => `${layer}:${call}`;

  const inputs = inputNames.map(({ layer }): GraphInput => {
    const config = layers.get(layer)?.config;
    if (config?.className !== 'InputLayer') throw model.error(`its input '${layer}' is no InputLayer`);
    return { name: resultOf({ layer, call: 0 }), shape: inputShape(config) };
  });
  const made = new Set(inputs.map(({ name }) => name));
  const waiting = [...layers].flatMap(([name, { config, calls }]) =>
    calls.map((sources, index): Call => {
      const call = index + (firstCalls.get(name) ?? 0);
      return { layer: config, result: resultOf({ layer: name, call }), from: sources.map(resultOf) };
    }),
  );
  const calls: Call[] = [];
  for (let left = waiting; left.length > 0;) {
    const ready = left.filter(({ from }) => from.every((result) => made.has(result)));
    if (ready.length === 0) throw left[0].layer.error('what it is called with is made by no layer');
    for (const call of ready) made.add(call.result);
    calls.push(...ready);
    left = left.filter((call) => !ready.includes(call));
  }
  for (const output of outputs)
    if (!made.has(resultOf(output))) throw model.error(`its output '${output.layer}' is made by no layer`);
  return { inputs, calls, outputs: outputs.map((source) => ({ name: source.layer, result: resultOf(source) })) };
}

function readNode(layer: LayerConfig, node: unknown): readonly Source[] {
  if (!Array.isArray(node)) throw layer.error('an entry of its inbound_nodes is no list');
  return node.map((source: unknown) => {
    const [, , , options] = Array.isArray(source) ? source : [];
    const asked = isRecord(options)
      ? Object.keys(options).filter((key) => options[key] !== null && key !== 'training')
      : [];
    if (asked.length > 0) throw layer.error(`it is called with ${asked.join(', ')}`);
    return readSource(layer, source);
  });
}

function readSource(user: LayerConfig, source: unknown): Source {
  const [layer, call, output] = Array.isArray(source) ? source : [];
  if (typeof layer !== 'string' || !Number.isSafeInteger(call))
    throw user.error('a layer is not named as [layer, call, output]');
  if (output !== 0) throw user.error(`it takes another output than the first of '${layer}'`);
  return { layer, call };
}

/** One input or output is written as itself or as a list of one. */
function listOfSources(sources: readonly unknown[]): readonly unknown[] {
  return typeof sources[0] === 'string' ? [sources] : sources;
}
