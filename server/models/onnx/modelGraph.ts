/**
 * @file What a model keeps of an ONNX file: its nodes, the constants that they take, and which initializers are its weights. It is
 * written into files of models as ONNX without the numbers of the weights.
 */
import {
  encodeOnnxModel,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxVersions,
} from '../../formats/onnx.ts';
import { int64Of } from '../../formats/protobufWriter.ts';
import {
  neededValues,
  onnxTensorOf,
  readOnnxModel,
  type ReadOnnxModel,
  type ReadOnnxNode,
  type ReadOnnxValue,
} from '../../formats/onnxReader.ts';
import { isFloat } from '../../formats/elementTypes.ts';
import { FormatError } from '../../formats/formatError.ts';
import { onnxDataTypes } from '../../formats/onnxTypes.ts';
import { elementCount } from '../../protocol/shape.ts';
import { hasOperator } from './operators.ts';
import { isRunningStatistic, withStoredStatistics } from './runningStatistics.ts';
import { axisRolesOf, isVectorOf, layerOf, usesOf, type AxisFacts, type AxisRoles, type Use } from './weightNames.ts';

/** An input or an output. */
export interface GraphPort {
  readonly name: string;
  readonly type: OnnxType;
  /** Sizes, that of the batch included; a name for one that is open. */
  readonly shape: readonly (number | string)[];
}

export interface GraphWeight {
  /** As the file has it: `layer1.0.conv1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** False for running statistics. */
  readonly trainable: boolean;
  /** The module that has it: `layer1.0.conv1`. */
  readonly layer: string;
  /** Its name in the module: `weight`. */
  readonly weight: string;
  /** Operator that takes it: `Conv`. */
  readonly op: string;
  /** Axis of the output units, where an operator says which it is. */
  readonly outputAxis: number | undefined;
  /** Axis of the input channels of a convolution. */
  readonly channelAxis: number | undefined;
  /** What has its output units, by a name of the graph, and how many gates each of them has. */
  readonly units: AxisRoles['units'];
  /** What TensorFlow.js would call it. */
  readonly kind: 'depthwise_kernel' | 'embeddings' | undefined;
  /** True for one that is added, or scales, whatever its number of axes. */
  readonly isVector: boolean;
}

export interface ModelGraph extends OnnxVersions {
  readonly inputs: readonly GraphPort[];
  /** With the sizes and names of dimensions that the file declares; it may declare none. */
  readonly outputs: readonly GraphPort[];
  readonly weights: readonly GraphWeight[];
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** In an order in which they can be computed. */
  readonly nodes: readonly OnnxNode[];
}

/** Versions of the standard operators that are read. */
const OPSETS = { first: 9, last: 22 } as const;

/** Remedies for what an exporter writes. */
const EXPORT_AGAIN =
  'Export the model again, for example with torch.onnx.export(model, example, "net.onnx", opset_version=17, dynamo=False).';

/** Inputs that say how an operator computes: a float among them is no weight. */
const SETTINGS: Readonly<Record<string, readonly number[]>> = {
  Resize: [1, 2, 3],
  Clip: [1, 2],
  Dropout: [1, 2],
  Pad: [1, 2],
  OneHot: [2],
  Pow: [1],
  Range: [0, 1, 2],
};

/** Operators of which an operand of one number may be a constant of a formula. */
const ARITHMETIC = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Max',
  'Min',
  'Where',
  'Equal',
  'Greater',
  'Less',
  'GreaterOrEqual',
  'LessOrEqual',
]);

/** Operators with outputs behind the first that are left out where nothing takes them. */
const MORE_OUTPUTS = new Set(['BatchNormalization', 'Dropout', 'MaxPool', 'LayerNormalization']);

/**
 * @param fileOf the bytes of a file with external data
 * @returns the graph, and the numbers of its weights
 * @throws FormatError for versions and operators that are not known, all at once
 */
export function modelGraphOf(
  model: ReadOnnxModel,
  fileOf?: (location: string) => Uint8Array,
): { graph: ModelGraph; values: ReadonlyMap<string, Float32Array> } {
  const file = withStoredStatistics(model);
  const computation = computationOf(file);
  const weights: Pick<GraphWeight, 'name' | 'shape'>[] = [];
  const values = new Map<string, Float32Array>();
  const asWeight = (name: string, tensor: OnnxTensor, isBuffer = false): boolean => {
    const uses = computation.uses.get(name);
    if (!uses || !(tensor.data instanceof Float32Array) || isConstant(name, tensor, uses, isBuffer)) return false;
    weights.push({ name, shape: tensor.shape });
    values.set(name, tensor.data);
    return true;
  };
  for (const stored of file.initializers) {
    const { name, isBuffer } = stored;
    if (!computation.uses.has(name)) continue;
    const tensor = onnxTensorOf(stored, fileOf);
    if (!asWeight(name, tensor, isBuffer)) computation.constants.set(name, tensor);
  }
  // PaddlePaddle writes the weights of a model as nodes that are constants.
  const areNodes = weights.length === 0;
  for (const [name, tensor] of [...computation.constants])
    if ((areNodes || computation.uses.get(name)?.some(isRunningStatistic)) && asWeight(name, tensor))
      computation.constants.delete(name);
  return { graph: assembleGraph(file, computation, weights), values };
}

/** What the outputs of a file are computed by. */
interface Computation extends Pick<ModelGraph, 'opset' | 'nodes'>, AxisFacts {
  /** Values of nodes that are constants. */
  readonly constants: Map<string, OnnxTensor>;
}

function computationOf(file: ReadOnnxModel): Computation {
  const opset = opsetOf(file);
  refuseMissing(file.nodes);
  const constants = new Map<string, OnnxTensor>();
  const computing = file.nodes.filter((node) => {
    const constant = constantOf(node);
    if (constant) constants.set(node.outputs[0], constant);
    return !constant;
  });
  const needed = neededBy(file.outputs, computing);
  const nodes = needed.nodes.map((node) => forAllModes(node, needed.values));
  return { opset, nodes, uses: usesOf(nodes), constants };
}

function assembleGraph(
  { irVersion, inputs, outputs }: Pick<ReadOnnxModel, 'irVersion' | 'inputs' | 'outputs'>,
  computation: Computation,
  weights: readonly Pick<GraphWeight, 'name' | 'shape'>[],
): ModelGraph {
  const { opset, nodes, uses, constants } = computation;
  const isTaken = (name: string) => uses.has(name) || outputs.some((output) => output.name === name);
  return {
    opset,
    irVersion,
    inputs: inputs.map(inputOf),
    outputs: outputs.map(({ name, type, shape = [] }) => ({ name, type: valueType(name, type), shape })),
    weights: weights.flatMap(({ name, shape }) => weightOf(name, shape, computation) ?? []),
    constants: new Map([...constants].filter(([name]) => isTaken(name))),
    nodes,
  };
}

/** Undefined for a weight that no node takes. */
function weightOf(name: string, shape: readonly number[], facts: AxisFacts): GraphWeight | undefined {
  const ofWeight = facts.uses.get(name);
  if (!ofWeight) return undefined;
  const roles = axisRolesOf(name, shape.length, facts);
  return {
    name,
    shape,
    trainable: !ofWeight.some(isRunningStatistic),
    ...layerOf(name, ofWeight),
    op: ofWeight[0].node.op,
    ...(shape.length > 1 && roles && !roles.isBias
      ? { outputAxis: roles.output, channelAxis: roles.channels }
      : { outputAxis: undefined, channelAxis: undefined }),
    units: roles?.units,
    kind: roles && kindOf(shape, roles),
    isVector: isVectorOf(name, shape, facts),
  };
}

function kindOf(shape: readonly number[], { channels, depthwise, isTable }: AxisRoles): GraphWeight['kind'] {
  if (isTable) return 'embeddings';
  return channels !== undefined && shape[channels] === depthwise ? 'depthwise_kernel' : undefined;
}

/** The graph as ONNX in which weights are inputs, behind the others. */
export function encodeModelGraph(graph: ModelGraph): Uint8Array {
  return encodeOnnxModel({ ...weightlessGraph(graph, graph.outputs, (name) => name) }, {}, graph);
}

/**
 * @param outputs with their shapes
 * @param weightName names of the inputs that are weights
 */
export function weightlessGraph(
  { inputs, weights, constants, nodes }: ModelGraph,
  outputs: OnnxGraph['outputs'],
  weightName: (name: string) => string,
): OnnxGraph {
  const names = new Map(weights.map(({ name }) => [name, weightName(name)]));
  return {
    inputs: [
      ...inputs,
      ...weights.map(({ name, shape }) => ({ name: weightName(name), type: 'float32' as const, shape })),
    ],
    outputs,
    initializers: Array.from(constants, ([name, tensor]) => ({ name, ...tensor })),
    nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map((name) => names.get(name) ?? name) })),
  };
}

/**
 * The inverse of {@link encodeModelGraph}.
 * @param count how many of the inputs are no weights
 */
export function decodeModelGraph(bytes: Uint8Array, count: number): ModelGraph {
  const file = readOnnxModel(bytes);
  const computation = computationOf(file);
  for (const stored of file.initializers) computation.constants.set(stored.name, onnxTensorOf(stored));
  const weights = file.inputs.slice(count).map(({ name, shape = [] }) => ({ name, shape: shape.map(Number) }));
  return assembleGraph({ ...file, inputs: file.inputs.slice(0, count) }, computation, weights);
}

function opsetOf({ opsets }: ReadOnnxModel): number {
  const opset = opsets.get('');
  const { first, last } = OPSETS;
  if (opset !== undefined && opset >= first && opset <= last) return opset;
  const remedy = `Export the model again with a version from ${first} to ${last}: torch.onnx.export(…, opset_version=17).`;
  if (opset === undefined) throw new FormatError('it names no version of the standard operators (opset)', { remedy });
  throw new FormatError(
    `it is of version ${opset} of the standard operators (opset), and ${first} to ${last} are read`,
    { remedy },
  );
}

/** @throws FormatError with all operators that are not computed here */
export function refuseMissing(nodes: readonly ReadOnnxNode[]): void {
  const missing = new Map<string, string[]>();
  for (const { op, domain, name, graphs } of nodes) {
    if (domain === '' && graphs.size === 0 && (hasOperator(op) || op === 'Constant')) continue;
    const full = domain === '' ? op : `${domain}.${op}`;
    missing.set(full, [...(missing.get(full) ?? []), name]);
  }
  if (missing.size === 0) return;
  const listed = Array.from(missing, ([op, [name, ...more]]) =>
    more.length > 0 ? `${op} (${name} and ${more.length} more)` : `${op} (${name})`,
  );
  const isOfOthers = [...missing.keys()].some((op) => op.includes('.'));
  throw new FormatError(
    `${listed.length === 1 ? 'an operator is' : 'operators are'} not known here: ${listed.join(', ')}`,
    {
      remedy: isOfOthers
        ? 'Export the model with standard operators alone; onnx.inliner.inline_local_functions replaces functions of the file by them.'
        : 'Export the model without these operators, or write its layers as a module with createModel().',
    },
  );
}

function constantOf({ op, domain, name, attributes, outputs }: ReadOnnxNode): OnnxTensor | undefined {
  if (op !== 'Constant' || domain !== '') return undefined;
  const [value] = Object.values(attributes);
  const int64 = (numbers: readonly number[], shape: readonly number[]): OnnxTensor => ({
    type: 'int64',
    shape,
    data: BigInt64Array.from(numbers, int64Of),
  });
  const float32 = (numbers: readonly number[], shape: readonly number[]): OnnxTensor => ({
    type: 'float32',
    shape,
    data: Float32Array.from(numbers),
  });
  if (value === undefined || outputs.length !== 1) throw new FormatError(`the node ${name} (Constant) has no value`);
  if ('tensor' in value) return value.tensor;
  if ('int' in value) return int64([value.int], []);
  if ('ints' in value) return int64(value.ints, [value.ints.length]);
  if ('float' in value) return float32([value.float], []);
  if ('floats' in value) return float32(value.floats, [value.floats.length]);
  throw new FormatError(`the node ${name} (Constant) is a text`);
}

/** The nodes that outputs depend on, and the values that these take or are. */
export function neededBy(
  outputs: readonly Pick<ReadOnnxValue, 'name'>[],
  nodes: readonly ReadOnnxNode[],
): { nodes: ReadOnnxNode[]; values: ReadonlySet<string> } {
  const values = new Set(outputs.map(({ name }) => name));
  const backwards = nodes.toReversed().filter((node) => {
    const isNeeded = node.outputs.some((name) => values.has(name));
    if (isNeeded) for (const name of neededValues(node)) values.add(name);
    return isNeeded;
  });
  return { nodes: backwards.reverse(), values };
}

/** Code of TensorProto.DataType for what floats of all sizes are computed as. */
const FLOAT32 = { int: 1 };

/**
 * A node without what says that it was exported for training, without outputs that nothing takes, and with float32 for floats of all
 * sizes.
 */
function forAllModes({ op, name, outputs, attributes, inputs }: ReadOnnxNode, taken: ReadonlySet<string>): OnnxNode {
  const { training_mode: _, ...others } = attributes;
  const { to } = attributes;
  const type = op === 'Cast' && to !== undefined && 'int' in to ? onnxDataTypes[to.int] : undefined;
  return {
    op,
    name,
    inputs: op === 'Dropout' ? inputs.slice(0, 2) : inputs,
    outputs: MORE_OUTPUTS.has(op) ? outputs.filter((output, i) => i === 0 || taken.has(output)) : outputs,
    attributes:
      op === 'BatchNormalization' ? others : type && isFloat(type) ? { ...attributes, to: FLOAT32 } : attributes,
  };
}

/** Names that exporters of PyTorch make up, for what they have computed. */
const MADE_UP = /^(val_\d+|onnx::\S+|\d+)$/;

/**
 * Names that exporters and optimizers make up for the constants of formulas: `/act/Constant_output_0`, `const_fold_opt__7` and
 * `lambda/mul/y:0` of TensorFlow, `lifted_tensor_0` of PyTorch, `ortshared_1_0_1_0_token_9` of ONNX Runtime.
 */
const MADE_UP_CONSTANT = /(^|[^a-z])const(ant)?(?![a-z])|lifted_tensor_\d+$|\/[xy](:\d+)?$|^ortshared_/i;

/** True for a float that is part of a formula, or a buffer that training leaves as it is. */
function isConstant(name: string, { shape, data }: OnnxTensor, uses: readonly Use[], isBuffer: boolean): boolean {
  if (uses.some(isRunningStatistic)) return false;
  if (isBuffer || shape.length === 0 || elementCount(shape) === 0) return true;
  if (uses.every(({ node, input }) => SETTINGS[node.op]?.includes(input))) return true;
  // The mask of an attention.
  if (data.some((value: number | bigint) => value === -Infinity || value === Infinity)) return true;
  // The scale of 1 and the bias of 0 with which a group normalization is written as one of instances.
  if (shape.length === 1 && MADE_UP.test(name) && data.every((value: number | bigint) => value === data[0]))
    return true;
  const isMadeUp = MADE_UP.test(name) || MADE_UP_CONSTANT.test(name);
  return elementCount(shape) === 1 && isMadeUp && uses.every(({ node }) => ARITHMETIC.has(node.op));
}

function inputOf({ name, type, shape }: ReadOnnxValue): GraphPort {
  if (shape === undefined) throw new FormatError(`its input ${name} has no shape`, { remedy: EXPORT_AGAIN });
  if (shape.length === 0)
    throw new FormatError(`its input ${name} is one number, and no sample of a batch`, {
      remedy: 'Export the model with that number in it, as a constant of the module.',
    });
  return { name, type: valueType(name, type), shape };
}

function valueType(name: string, type: ReadOnnxValue['type']): OnnxType {
  if (type === undefined) throw new FormatError(`its value ${name} is no tensor of numbers`, { remedy: EXPORT_AGAIN });
  if (type === 'bool' || type === 'int64' || type === 'uint8') return type;
  return isFloat(type) ? 'float32' : 'int32';
}
