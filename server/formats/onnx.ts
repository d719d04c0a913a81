/**
 * @file Writes ONNX models: the few messages of onnx.proto (ModelProto, GraphProto, NodeProto, TensorProto, …) that a
 * generated graph needs, in protocol-buffer wire format. Field numbers are those of onnx.proto, IR version 8.
 */
import { Message } from './protobufWriter.ts';

export type OnnxType = 'float32' | 'float64' | 'int32' | 'int64' | 'uint8' | 'bool';

/** TensorProto.DataType */
const dataTypeCode: Record<OnnxType, number> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11 };

export interface OnnxTensor {
  type: OnnxType;
  shape: readonly number[];
  /** Elements in row-major order; `bool` as bytes 0 and 1. */
  data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
}

export type OnnxAttribute =
  | { int: number }
  | { float: number }
  | { string: string }
  | { strings: readonly string[] }
  | { ints: readonly number[] }
  | { floats: readonly number[] }
  | { tensor: OnnxTensor }
  | { graph: OnnxGraph };

export interface OnnxNode {
  op: string;
  /** For messages of whoever runs the model; unique among the nodes. */
  name?: string;
  /** Default: the ONNX standard operators. */
  domain?: string;
  /** An empty name leaves an optional input out. */
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Record<string, OnnxAttribute>;
}

export interface OnnxValue {
  name: string;
  type: OnnxType;
  /** Sizes; a name stands for a size that is known only at run time, the same name for the same size. */
  shape: readonly (number | string)[];
  /** True for a sequence of such tensors. */
  isSequence?: boolean;
}

/** A constant of mostly zeros: SparseTensorProto. */
interface OnnxSparseTensor {
  shape: readonly number[];
  /** The numbers that are not zero, in row-major order. */
  values: Float32Array;
  /** Place of each number among all of the tensor; ONNX wants 64 bits for it. */
  indices: BigInt64Array;
}

export interface OnnxGraph {
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  initializers: readonly ({ name: string } & OnnxTensor)[];
  sparseInitializers?: readonly ({ name: string } & OnnxSparseTensor)[];
  nodes: readonly OnnxNode[];
}

/** What generated graphs are written for, and read by: the version of the standard operators, and of the format. */
const GENERATED = { opset: 17, irVersion: 8 } as const;

/** Versions of a file that is made of another one. */
export interface OnnxVersions {
  /** Version of the standard operators. */
  readonly opset: number;
  /** Version of the format itself. */
  readonly irVersion: number;
}

function tensorMessage(tensor: OnnxTensor, name?: string): Message {
  const { data } = tensor;
  const message = new Message();
  for (const size of tensor.shape) message.integer(1, size);
  message.integer(2, dataTypeCode[tensor.type]);
  if (name !== undefined) message.text(8, name);
  return message.data(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** The name of a sparse tensor is that of its values. */
function sparseTensorMessage(name: string, { shape, values, indices }: OnnxSparseTensor): Message {
  const length = values.length;
  const message = new Message()
    .message(1, tensorMessage({ type: 'float32', shape: [length], data: values }, name))
    .message(2, tensorMessage({ type: 'int64', shape: [length], data: indices }));
  for (const size of shape) message.integer(3, size);
  return message;
}

function attributeMessage(name: string, attribute: OnnxAttribute): Message {
  const message = new Message().text(1, name);
  // AttributeProto.AttributeType: FLOAT 1, INT 2, STRING 3, TENSOR 4, GRAPH 5, FLOATS 6, INTS 7, STRINGS 8
  if ('int' in attribute) return message.integer(3, attribute.int).integer(20, 2);
  if ('float' in attribute) return message.float(2, attribute.float).integer(20, 1);
  if ('string' in attribute) return message.text(4, attribute.string).integer(20, 3);
  if ('tensor' in attribute) return message.message(5, tensorMessage(attribute.tensor)).integer(20, 4);
  if ('graph' in attribute) return message.message(6, graphMessage(attribute.graph)).integer(20, 5);
  if ('ints' in attribute) {
    for (const value of attribute.ints) message.integer(8, value);
    return message.integer(20, 7);
  }
  if ('strings' in attribute) {
    for (const value of attribute.strings) message.text(9, value);
    return message.integer(20, 8);
  }
  for (const value of attribute.floats) message.float(7, value);
  return message.integer(20, 6);
}

function nodeMessage(node: OnnxNode): Message {
  const message = new Message();
  for (const name of node.inputs) message.text(1, name);
  for (const name of node.outputs) message.text(2, name);
  if (node.name !== undefined) message.text(3, node.name);
  message.text(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes ?? {})) {
    message.message(5, attributeMessage(name, attribute));
  }
  if (node.domain !== undefined) message.text(7, node.domain);
  return message;
}

function valueMessage(value: OnnxValue): Message {
  const shape = new Message();
  // TensorShapeProto.Dimension: dim_value 1, dim_param 2
  for (const size of value.shape) {
    shape.message(1, typeof size === 'number' ? new Message().integer(1, size) : new Message().text(2, size));
  }
  const tensorType = new Message().integer(1, dataTypeCode[value.type]).message(2, shape);
  const tensor = new Message().message(1, tensorType);
  // TypeProto: tensor_type 1, sequence_type 4
  const type = value.isSequence ? new Message().message(4, new Message().message(1, tensor)) : tensor;
  return new Message().text(1, value.name).message(2, type);
}

function graphMessage(graph: OnnxGraph): Message {
  const message = new Message();
  for (const node of graph.nodes) message.message(1, nodeMessage(node));
  message.text(2, 'deeptwist');
  for (const { name, ...tensor } of graph.initializers) message.message(5, tensorMessage(tensor, name));
  for (const input of graph.inputs) message.message(11, valueMessage(input));
  for (const output of graph.outputs) message.message(12, valueMessage(output));
  for (const { name, ...tensor } of graph.sparseInitializers ?? [])
    message.message(15, sparseTensorMessage(name, tensor));
  return message;
}

/**
 * The bytes of an ONNX model of one graph, as `InferenceSession.create` takes them.
 * @param metadata what the file says of itself, by key: `metadata_props`
 * @param versions of the operators that the graph is made of, where it was not generated
 */
export function encodeOnnxModel(
  graph: OnnxGraph,
  metadata: Readonly<Record<string, string>> = {},
  { opset, irVersion }: OnnxVersions = GENERATED,
): Uint8Array {
  const operators = (domain: string, version: number) => new Message().text(1, domain).integer(2, version);
  const model = new Message()
    .integer(1, irVersion)
    .text(2, 'deeptwist')
    .message(7, graphMessage(graph))
    .message(8, operators('', opset));
  // A file of standard operators alone names no other domain: programs refuse those that they do not know.
  const domains = new Set(graph.nodes.flatMap(({ domain }) => domain ?? []));
  for (const domain of domains) model.message(8, operators(domain, 1));
  for (const [key, value] of Object.entries(metadata)) model.message(14, new Message().text(1, key).text(2, value));
  return model.bytes;
}
