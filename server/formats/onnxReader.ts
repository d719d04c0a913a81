/**
 * @file Reads an ONNX model as a graph of operators: what {@link encodeOnnxModel} writes, and what other programs do. Field numbers are
 * those of onnx.proto. Nothing is read from other files: tensors that lie outside say in which.
 */
import { sourceOf } from './byteSource.ts';
import { bytesOfElements, elementTypes, isFloat, type ElementTypeName } from './elementTypes.ts';
import { FormatError } from './formatError.ts';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from './onnx.ts';
import { OnnxFields, STANDARD_DOMAIN, type ValueFields } from './onnxFields.ts';
import { onnxDataTypes, onnxTypeName } from './onnxTypes.ts';
import { sparsePlaces, MOST_FILLED } from './sparsePlaces.ts';
import type { ProtobufField } from './protobufReader.ts';
import { int64Of } from './protobufWriter.ts';
import { elementCount } from '../protocol/shape.ts';

/** An input or output of a graph. */
export interface ReadOnnxValue extends Omit<ValueFields, 'code' | 'metadata'> {
  /** Undefined for what is no tensor: a sequence, a map. */
  readonly type: ElementTypeName | undefined;
}

/** The place of a tensor's numbers that are not in the file itself. */
export interface ExternalData {
  /** Path from the folder of the model. */
  readonly location: string;
  readonly offset: number;
  /** Undefined for all that the tensor needs. */
  readonly length: number | undefined;
}

export interface StoredOnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementTypeName;
  /** Little-endian elements, or where they are to be found. */
  readonly data: Uint8Array | ExternalData;
  /** True where the program that wrote the file says that it is none of the parameters: a buffer of a PyTorch module, or a constant. */
  readonly isBuffer?: boolean;
}

export interface ReadOnnxNode extends OnnxNode {
  readonly name: string;
  readonly domain: string;
  readonly attributes: Record<string, OnnxAttribute>;
  /** Attributes that are graphs: branches, bodies of loops; undefined for one of a kind that is not read. */
  readonly graphs: ReadonlyMap<string, ReadOnnxGraph | undefined>;
}

export interface ReadOnnxModel extends ReadOnnxGraph {
  readonly irVersion: number;
  /** The program that wrote it: `pytorch 2.15.0`. */
  readonly producer: string;
  /** Version of each set of operators, by domain. */
  readonly opsets: ReadonlyMap<string, number>;
}

export interface ReadOnnxGraph {
  /** Inputs that are no initializers. */
  readonly inputs: readonly ReadOnnxValue[];
  readonly outputs: readonly ReadOnnxValue[];
  readonly initializers: readonly StoredOnnxTensor[];
  /** In an order in which they can be computed. */
  readonly nodes: readonly ReadOnnxNode[];
}

/** @throws FormatError for what is no ONNX model, damaged, or not in an order of computing */
export function readOnnxModel(bytes: Uint8Array): ReadOnnxModel {
  return new ModelReader(bytes).read();
}

/**
 * The numbers of a tensor in the types that {@link OnnxTensor} has: floats of other sizes as float32, small integers as int32.
 * @param fileOf the bytes of a file with external data
 * @throws FormatError where there are more or fewer bytes than the shape needs
 */
export function onnxTensorOf(
  { name, shape, type, data }: StoredOnnxTensor,
  fileOf?: (location: string) => Uint8Array,
): OnnxTensor {
  const count = elementCount(shape);
  const bytes = data instanceof Uint8Array ? data : externalBytes(name, data, bytesOfElements(type, count), fileOf);
  const expected = bytesOfElements(type, count);
  if (bytes.length !== expected)
    throw new FormatError(
      `the tensor ${name} of ${type} [${shape.join(', ')}] needs ${expected} bytes, but it has ${bytes.length}`,
    );
  if (type === 'bool') return { type: 'bool', shape, data: Uint8Array.from(bytes, (byte) => (byte === 0 ? 0 : 1)) };
  if (type === 'uint8') return { type: 'uint8', shape, data: new Uint8Array(bytes) };
  const copy = new Uint8Array(bytes); // At the beginning of a buffer of its own: `slice` of a Node.js Buffer is a view.
  if (type === 'int64' || type === 'uint64') return { type: 'int64', shape, data: new BigInt64Array(copy.buffer) };
  const numbers = elementTypes[type].decode(copy).subarray(0, count);
  return isFloat(type)
    ? { type: 'float32', shape, data: numbers instanceof Float32Array ? numbers : Float32Array.from(numbers) }
    : { type: 'int32', shape, data: Int32Array.from(numbers) };
}

function externalBytes(
  name: string,
  { location, offset, length }: ExternalData,
  expected: number,
  fileOf: ((location: string) => Uint8Array) | undefined,
): Uint8Array {
  if (fileOf === undefined) throw new FormatError(`the numbers of the tensor ${name} are in another file, ${location}`);
  const file = fileOf(location);
  const end = offset + (length ?? expected);
  if (!Number.isSafeInteger(offset) || offset < 0 || !(end <= file.length))
    throw new FormatError(
      `bytes ${offset} to ${end} of the tensor ${name} are not in ${location}, which has ${file.length}`,
    );
  return file.subarray(offset, end);
}

/** A value, or a graph. */
interface ReadAttribute {
  readonly name: string;
  readonly value: OnnxAttribute | undefined;
  readonly graph: ReadOnnxGraph | undefined;
}

/** What `torch.onnx.export(…, dynamo=True)` says of each value that is stored, and what it says of those that are no parameters. */
const KIND = 'pkg.torch.export.graph_signature.InputSpec.kind';
const KINDS_OF_BUFFERS = ['BUFFER', 'CONSTANT_TENSOR'];

/** Graphs within graphs: more are none that a program writes. */
const MOST_DEPTH = 20;

class ModelReader {
  readonly #bytes: Uint8Array;
  readonly #reader: OnnxFields;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#reader = new OnnxFields(sourceOf(bytes));
  }

  /** ModelProto */
  read(): ReadOnnxModel {
    let irVersion = 0;
    const producer: string[] = [];
    const opsets = new Map<string, number>();
    let graph: ProtobufField | undefined;
    for (const field of this.#reader.fields()) {
      if (field.number === 1) irVersion = field.value;
      else if (field.number === 2 || field.number === 3) producer.push(this.#reader.name(field));
      else if (field.number === 7) graph = field;
      else if (field.number === 8) opsets.set(...this.#reader.operatorSet(field));
    }
    if (graph === undefined) throw new FormatError('it has no graph: it is no ONNX model');
    return { irVersion, producer: producer.join(' ').trim(), opsets, ...this.#graph(graph) };
  }

  /** GraphProto. @param depth of the nodes that it is part of; a graph within another may take the values of that */
  #graph(graph: ProtobufField, depth = 0): ReadOnnxGraph {
    if (depth > MOST_DEPTH) throw new FormatError(`its graphs are more than ${MOST_DEPTH} deep`);
    const nodes: ReadOnnxNode[] = [];
    const initializers: StoredOnnxTensor[] = [];
    const inputs: ReadOnnxValue[] = [];
    const outputs: ReadOnnxValue[] = [];
    const buffers = new Set<string>();
    for (const field of this.#reader.messages(graph)) {
      if (field.number === 1) nodes.push(this.#node(field, depth));
      else if (field.number === 5) initializers.push(this.#tensor(field));
      else if (field.number === 11) inputs.push(this.#value(field));
      else if (field.number === 12) outputs.push(this.#value(field));
      else if (field.number === 15) initializers.push(this.#sparseTensor(field));
      else if (field.number === 13) {
        const { name, metadata } = this.#reader.value(field);
        if (KINDS_OF_BUFFERS.includes(metadata.get(KIND) ?? '')) buffers.add(name);
      }
    }
    const constants = new Set(initializers.map(({ name }) => name));
    const given = inputs.filter(({ name }) => !constants.has(name));
    if (outputs.length === 0) throw new FormatError('its graph has no output');
    const stored = initializers.map((tensor) => (buffers.has(tensor.name) ? { ...tensor, isBuffer: true } : tensor));
    const read = { inputs: given, outputs, initializers: stored, nodes };
    return depth > 0 ? read : orderedGraph(read);
  }

  /** NodeProto */
  #node(field: ProtobufField, depth: number): ReadOnnxNode {
    const inputs: string[] = [];
    const outputs: string[] = [];
    let [name, op, domain] = ['', '', STANDARD_DOMAIN];
    const attributes: Record<string, OnnxAttribute> = {};
    const graphs = new Map<string, ReadOnnxGraph | undefined>();
    for (const part of this.#reader.messages(field)) {
      if (part.number === 1) inputs.push(this.#reader.name(part));
      else if (part.number === 2) outputs.push(this.#reader.name(part));
      else if (part.number === 3) name = this.#reader.name(part);
      else if (part.number === 4) op = this.#reader.name(part);
      else if (part.number === 5) {
        const { name: attribute, value, graph } = this.#attribute(part, depth);
        if (value) attributes[attribute] = value;
        else graphs.set(attribute, graph);
      } else if (part.number === 7) domain = this.#reader.domain(part);
    }
    return {
      op,
      name: name || (outputs.find((output) => output !== '') ?? op),
      domain,
      inputs,
      outputs,
      attributes,
      graphs,
    };
  }

  /** AttributeProto */
  #attribute(field: ProtobufField, depth: number): ReadAttribute {
    let name = '';
    let type = 0;
    let [int, float, string] = [0, 0, ''];
    let tensor: OnnxTensor | undefined;
    let graph: ReadOnnxGraph | undefined;
    const [ints, floats, strings]: [number[], number[], string[]] = [[], [], []];
    for (const part of this.#reader.messages(field)) {
      if (part.number === 1) name = this.#reader.name(part);
      else if (part.number === 2) [float] = this.#floats(part);
      else if (part.number === 3) int = part.value;
      else if (part.number === 4) string = this.#reader.longText(part);
      else if (part.number === 5) tensor = onnxTensorOf(this.#tensor(part));
      else if (part.number === 6) graph = this.#graph(part, depth + 1);
      else if (part.number === 7) for (const value of this.#floats(part)) floats.push(value);
      else if (part.number === 8) for (const value of this.#reader.varints(part)) ints.push(value);
      else if (part.number === 9) strings.push(this.#reader.longText(part));
      else if (part.number === 20) type = part.value;
      else if (part.number === 21) throw new FormatError(`the attribute ${name} refers to one of a function`);
    }
    // AttributeProto.AttributeType, as in encodeOnnxModel.
    const values: Readonly<Record<number, OnnxAttribute | undefined>> = {
      1: { float },
      2: { int },
      3: { string },
      4: tensor && { tensor },
      6: { floats },
      7: { ints },
      8: { strings },
    };
    return { name, value: values[type], graph };
  }

  /** Floats of a field: its own, or those that are packed in it. */
  #floats({ kind, begin, end }: ProtobufField): Float32Array {
    if (kind !== '32-bit' && (kind !== 'bytes' || (end - begin) % 4 !== 0))
      throw new FormatError(`byte ${begin} should begin floats`);
    return new Float32Array(new Uint8Array(this.#bytes.subarray(begin, end)).buffer);
  }

  #tensor(field: ProtobufField): StoredOnnxTensor {
    const { name, shape, code, bytes, varints, external } = this.#reader.tensor(field);
    const type = onnxDataTypes[code];
    const known = name || 'of an attribute';
    if (type === undefined) throw new FormatError(`the tensor ${known} is of the type ${onnxTypeName(code)}`);
    if (!Number.isSafeInteger(elementCount(shape)))
      throw new FormatError(`the tensor ${known} would have ${elementCount(shape)} numbers`);
    if (external) return { name, shape, type, data: externalData(known, external) };
    const integers = varints.flatMap((part) => [...this.#reader.varints(part)]);
    const parts = bytes.map(({ begin, end }) => this.#bytes.subarray(begin, end));
    return { name, shape, type, data: integers.length > 0 ? bytesOfIntegers(integers, type) : joined(parts) };
  }

  /** A sparse tensor with its zeros. */
  #sparseTensor(field: ProtobufField): StoredOnnxTensor {
    const { shape, ...parts } = this.#reader.sparseTensor(field);
    const [values, indices] = [parts.values, parts.indices].map((part) => part && this.#tensor(part));
    if (!values || !indices) throw new FormatError('a sparse initializer has no values or no indices');
    const numbers = onnxTensorOf(values).data;
    const places = onnxTensorOf(indices).data;
    const { name } = values;
    const count = elementCount(shape);
    if (values.type !== 'float32' || !Number.isSafeInteger(count) || count > MOST_FILLED)
      throw new FormatError(
        `the sparse initializer ${name} is not of float32, or has more than ${MOST_FILLED} numbers`,
      );
    const dense = new Float32Array(count);
    placesOf(name, Float64Array.from(places, Number), numbers.length, shape).forEach((place, i) => {
      dense[place] = Number(numbers[i]);
    });
    return { name, shape, type: 'float32', data: new Uint8Array(dense.buffer) };
  }

  #value(field: ProtobufField): ReadOnnxValue {
    const { name, code, shape } = this.#reader.value(field);
    return { name, type: code === undefined ? undefined : onnxDataTypes[code], shape };
  }
}

/** @throws FormatError that names the tensor */
function placesOf(name: string, ...indices: Parameters<typeof sparsePlaces>): Float64Array {
  try {
    return sparsePlaces(...indices);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`the sparse initializer ${name} cannot be read: ${error.message}`);
  }
}

function externalData(name: string, entries: ReadonlyMap<string, string>): ExternalData {
  const location = entries.get('location');
  if (!location) throw new FormatError(`the tensor ${name} does not say in which file its numbers are`);
  const length = entries.get('length');
  return {
    location,
    offset: Number(entries.get('offset') ?? 0),
    length: length === undefined ? undefined : Number(length),
  };
}

function bytesOfIntegers(values: readonly number[], type: ElementTypeName): Uint8Array {
  // Smaller numbers are packed into bytes, each of which is an integer.
  const size = Math.max(8, elementTypes[type].bits) / 8;
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (size === 8) view.setBigInt64(8 * i, int64Of(value), true);
    else if (size === 4) view.setInt32(4 * i, value, true);
    else if (size === 2) view.setInt16(2 * i, value, true);
    else view.setInt8(i, value);
  });
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0] : new Uint8Array(Buffer.concat(parts));
}

/**
 * A graph with its nodes in an order in which they can be computed.
 * @throws FormatError for a value that two nodes make, one that none makes, and a circle
 */
export function orderedGraph<Graph extends ReadOnnxGraph>(graph: Graph): Graph {
  const { inputs, outputs, initializers, nodes } = graph;
  const given = [...inputs, ...initializers].map(({ name }) => name);
  const ordered = inOrder(nodes, given);
  const made = new Set([...given, ...ordered.flatMap((node) => node.outputs)]);
  const missing = outputs.find(({ name }) => !made.has(name));
  if (missing) throw new FormatError(`its output ${missing.name} is made by no node`);
  return { ...graph, nodes: ordered };
}

/** The initializers of a graph, and of those in its nodes. */
export function allInitializers({ initializers, nodes }: ReadOnnxGraph): StoredOnnxTensor[] {
  const inside = nodes.flatMap(({ graphs }) =>
    [...graphs.values()].flatMap((graph) => (graph ? allInitializers(graph) : [])),
  );
  return [...initializers, ...inside];
}

/** Values that a node needs: its inputs, and what its graphs take from outside. */
export function neededValues({ inputs, graphs }: ReadOnnxNode): string[] {
  const outside = Array.from(graphs.values(), (graph) => {
    if (!graph) return [];
    const own = new Set([...graph.inputs, ...graph.initializers].map(({ name }) => name));
    for (const name of graph.nodes.flatMap(({ outputs }) => outputs)) own.add(name);
    const taken = [...graph.nodes.flatMap(neededValues), ...graph.outputs.map(({ name }) => name)];
    return taken.filter((name) => !own.has(name));
  });
  return [...inputs, ...outside.flat()].filter((name) => name !== '');
}

/**
 * The nodes, each behind those whose outputs it takes. Files must have them so, but not all do.
 * @throws FormatError for a value that two nodes make, one that none makes, and a circle
 */
function inOrder(nodes: readonly ReadOnnxNode[], known: readonly string[]): ReadOnnxNode[] {
  const makers = new Map<string, ReadOnnxNode | undefined>(known.map((name) => [name, undefined]));
  for (const node of nodes)
    for (const output of node.outputs) {
      if (output === '') continue;
      if (makers.has(output)) throw new FormatError(`the value ${output} of the node ${node.name} is made twice`);
      makers.set(output, node);
    }
  const ordered: ReadOnnxNode[] = [];
  const state = new Map<ReadOnnxNode, 'begun' | 'done'>();
  for (const root of nodes) {
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      if (state.get(node) === 'done') {
        stack.pop();
        continue;
      }
      const waiting: ReadOnnxNode[] = [];
      for (const input of neededValues(node)) {
        if (!makers.has(input)) throw new FormatError(`the input ${input} of the node ${node.name} is made by no node`);
        const maker = makers.get(input);
        if (maker && state.get(maker) !== 'done') waiting.push(maker);
      }
      if (waiting.length === 0) {
        state.set(node, 'done');
        ordered.push(node);
        stack.pop();
        continue;
      }
      state.set(node, 'begun');
      const circle = waiting.find((maker) => state.get(maker) === 'begun');
      if (circle) throw new FormatError(`its nodes are a circle: ${circle.name} needs what is made of its own output`);
      stack.push(...waiting);
    }
  }
  return ordered;
}
