/**
 * @file Tensors of an ONNX model: initializers, dense and sparse, and values of Constant nodes, in its graph and in those within it.
 * Field numbers are those of onnx.proto.
 */
import { FormatError } from '../../formats/formatError.ts';
import { OnnxFields, type TensorFields } from '../../formats/onnxFields.ts';
import { onnxDataTypes, onnxTypeName } from '../../formats/onnxTypes.ts';
import type { ProtobufField } from '../../formats/protobufReader.ts';
import { fileBeside } from '../../modules/fileBeside.ts';
import { elementCount } from '../../protocol/shape.ts';
import { UserError } from '../../protocol/userError.ts';
import { bytesOfElements, elementTypes } from '../../formats/elementTypes.ts';
import { MOST_FILLED, sparsePlaces } from '../../formats/sparsePlaces.ts';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { matrixViewOfTensor } from '../matrixView.ts';
import type { OpenedFile } from '../openedFile.ts';
import { bytesOfSegments, decodeElements, fromVarints, type Segment } from '../storedNumbers.ts';
import type { StoredTensor } from '../tensor.ts';
import { MOST_TENSORS, uniqueNames, unreadable, type ReadModel } from './readModel.ts';

/** Graphs within graphs: bodies of loops and branches. */
const DEEPEST = 16;
const SAVE_AGAIN = 'Export the model again, and keep its file of external data beside it.';

interface Found {
  readonly values: TensorFields;
  /** True for a value of a Constant node, which is no weight. */
  readonly isConstant?: boolean;
  /** What makes it a sparse tensor: where its values stand, and its shape. */
  readonly sparse?: { readonly indices: TensorFields; readonly shape: readonly number[] };
}

/** @param openBeside opens a file of external data, each once */
export async function readOnnx(
  file: OpenedFile,
  openBeside: (path: string) => Promise<OpenedFile>,
): Promise<ReadModel> {
  const graphs = new GraphReader(file);
  const metadata = graphs.readModel();
  const unique = uniqueNames();
  const tensors: StoredTensor[] = [];
  for (const found of graphs.found) {
    const { values, sparse, isConstant = false } = found;
    const stored = await tensorOf(unique(values.name), values, file, openBeside);
    // Numbers that are not real are shapes and indices.
    const isOfModel = !isConstant && /float/.test(stored.dtype);
    const tensor = isOfModel ? stored : { ...stored, isOfModel };
    if (!sparse) tensors.push(tensor);
    else
      tensors.push(sparseTensor(tensor, await tensorOf(tensor.name, sparse.indices, file, openBeside), sparse.shape));
  }
  return { format: 'ONNX', tensors, metadata };
}

class GraphReader {
  readonly found: Found[] = [];
  readonly #reader: OnnxFields;
  #nodes = 0;

  constructor(file: OpenedFile) {
    this.#reader = new OnnxFields(file);
  }

  /** ModelProto. @returns what the model says of itself */
  readModel(): [string, string][] {
    const metadata: [string, string][] = [];
    const producer: string[] = [];
    let graph: ProtobufField | undefined;
    for (const field of this.#reader.fields()) {
      if (field.number === 1) metadata.push(['IR version', String(field.value)]);
      else if (field.number === 2 || field.number === 3) producer.push(this.#reader.longText(field));
      else if (field.number === 6) metadata.push(['description', this.#reader.longText(field)]);
      else if (field.number === 7) graph = field;
      else if (field.number === 8) metadata.push(['operators', this.#operators(field)]);
      else if (field.number === 14) metadata.push(this.#reader.entry(field));
    }
    if (graph === undefined) throw new FormatError('it has no graph: it is no ONNX model');
    const ports = this.#readGraph(graph, '', 0);
    return [['producer', producer.join(' ').trim()], ['nodes', String(this.#nodes)], ...ports, ...metadata].filter(
      (entry): entry is [string, string] => entry[1] !== '',
    );
  }

  /** GraphProto. @param path prefix of the names in a graph within another */
  #readGraph(graph: ProtobufField, path: string, depth: number): [string, string][] {
    if (depth > DEEPEST) throw new FormatError(`its graphs are nested more than ${DEEPEST} deep`);
    const ports: [string, string][] = [];
    for (const field of this.#reader.messages(graph)) {
      if (field.number === 1) this.#readNode(field, path, depth);
      else if (field.number === 2) ports.push(['graph', this.#reader.longText(field)]);
      else if (field.number === 5) this.#add({ values: this.#initializer(field, path) });
      else if (field.number === 11 || field.number === 12)
        ports.push(this.#port(field.number === 11 ? 'input' : 'output', field));
      else if (field.number === 15) this.#add(this.#sparse(field, path));
    }
    return ports;
  }

  /** NodeProto */
  #readNode(node: ProtobufField, path: string, depth: number): void {
    this.#nodes++;
    let [output, name, operator] = ['', '', ''];
    const tensors: ProtobufField[] = [];
    const graphs: ProtobufField[] = [];
    for (const field of this.#reader.messages(node)) {
      if (field.number === 2 && output === '') output = this.#reader.name(field);
      else if (field.number === 3) name = this.#reader.name(field);
      else if (field.number === 4) operator = this.#reader.name(field);
      else if (field.number === 5)
        for (const part of this.#reader.messages(field)) {
          if (part.number === 5) tensors.push(part);
          else if (part.number === 6 || part.number === 11) graphs.push(part);
        }
    }
    if (operator === 'Constant')
      for (const tensor of tensors)
        this.#add({ values: { ...this.#initializer(tensor, path), name: path + output }, isConstant: true });
    for (const graph of graphs) this.#readGraph(graph, `${path}${name || output || operator}/`, depth + 1);
  }

  #add(tensor: Found): void {
    if (this.found.push(tensor) > MOST_TENSORS) throw new FormatError(`it has more than ${MOST_TENSORS} tensors`);
  }

  #initializer(tensor: ProtobufField, path: string): TensorFields {
    const fields = this.#reader.tensor(tensor);
    return { ...fields, name: path + fields.name };
  }

  #sparse(field: ProtobufField, path: string): Found {
    const { values, indices, shape } = this.#reader.sparseTensor(field);
    if (!values || !indices) throw new FormatError('a sparse initializer has no values or no indices');
    return { values: this.#initializer(values, path), sparse: { indices: this.#reader.tensor(indices), shape } };
  }

  /** `["input x", "float32 [batch, 784]"]`; no text for what is no tensor. */
  #port(kind: string, field: ProtobufField): [string, string] {
    const { name, code, shape } = this.#reader.value(field);
    const dtype = code === undefined ? '?' : onnxTypeName(code);
    if (shape) return [`${kind} ${name}`, `${dtype} [${shape.map((size) => (size === '' ? '?' : size)).join(', ')}]`];
    return [`${kind} ${name}`, code === undefined ? '' : dtype];
  }

  /** `ai.onnx 17` */
  #operators(field: ProtobufField): string {
    const [domain, version] = this.#reader.operatorSet(field);
    return `${domain || 'ai.onnx'} ${version}`;
  }
}

async function tensorOf(
  name: string,
  { shape, code, bytes: raw, varints, external }: TensorFields,
  file: OpenedFile,
  openBeside: (path: string) => Promise<OpenedFile>,
): Promise<StoredTensor> {
  const elements = elementCount(shape);
  const type = onnxDataTypes[code];
  const dtype = onnxTypeName(code);
  const stored = [...raw, ...varints].reduce((sum, { begin, end }) => sum + end - begin, 0);
  const known = { name, shape, dtype, elements, bytes: stored };
  if (!Number.isSafeInteger(elements)) return unreadable(known, `it would have ${elements} numbers`);
  if (type === undefined) return unreadable(known, `the element type ${dtype} cannot be read`);
  let segments: Segment[] = raw.map(({ begin, end }) => ({ file, begin, end }));
  if (external) {
    try {
      segments = [await externalSegment(external, bytesOfElements(type, elements), file.path, openBeside)];
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof UserError)) throw error;
      return unreadable(known, error.message, error.remedy ?? SAVE_AGAIN);
    }
  }
  const bytes = external ? segments[0].end - segments[0].begin : stored;
  const expected = bytesOfElements(type, elements);
  if (varints.length === 0 && bytes !== expected)
    return unreadable(
      { ...known, bytes },
      `${dtype} [${shape.join(', ')}] needs ${expected} bytes, but it has ${bytes}`,
    );
  const integers = varints.map(({ begin, end }) => ({ file, begin, end }));
  const width = Math.max(8, elementTypes[type].bits) / 8;
  return {
    ...known,
    bytes,
    view: matrixViewOfTensor(shape, name),
    numbers: () =>
      varints.length > 0
        ? decodeElements(fromVarints(bytesOfSegments(integers), width), type, elements)
        : decodeElements(bytesOfSegments(segments), type, elements),
  };
}

async function externalSegment(
  external: ReadonlyMap<string, string>,
  bytes: number,
  path: string,
  openBeside: (path: string) => Promise<OpenedFile>,
): Promise<Segment> {
  const location = external.get('location') ?? '';
  const { file: found } = await fileBeside(path, location, SAVE_AGAIN);
  const file = await openBeside(found);
  const begin = Number(external.get('offset') ?? 0);
  const end = begin + Number(external.get('length') ?? bytes);
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin < 0 || end < begin || end > file.length)
    throw new FormatError(`its bytes ${begin} to ${end} are not in ${location}, which has ${file.length}`);
  return { file, begin, end };
}

/** The numbers of a part that are filled in at once. */
const PART = 2 ** 18;

/** A tensor with the zeros that are not stored. */
function sparseTensor(values: StoredTensor, indices: StoredTensor, shape: readonly number[]): StoredTensor {
  const elements = elementCount(shape);
  const known = { ...values, shape, elements, bytes: values.bytes + indices.bytes, form: 'sparse', view: undefined };
  if (values.problem !== undefined) return known;
  if (!Number.isSafeInteger(elements) || elements < values.elements)
    return unreadable(known, `it has ${values.elements} values for ${elements} numbers`);
  if (indices.problem !== undefined || !indices.dtype.includes('int'))
    return unreadable(known, `its indices of ${indices.dtype} cannot be read`, SAVE_AGAIN);
  if (elements > MOST_FILLED)
    return unreadable(
      known,
      `it would have ${formatCount(elements)} numbers, most of them zeros that are not in the file; ` +
        `at most ${formatCount(MOST_FILLED)} are filled in`,
      'Export it as several smaller tensors.',
    );
  return {
    ...known,
    view: matrixViewOfTensor(shape, values.name),
    async *numbers() {
      const places = sparsePlaces(await allOf(indices), values.elements, shape);
      const stored = await allOf(values);
      for (let begin = 0, next = 0; begin < elements; begin += PART) {
        const part = new Float64Array(Math.min(PART, elements - begin));
        for (; next < places.length && places[next] < begin + part.length; next++)
          part[places[next] - begin] = stored[next];
        yield part;
      }
    },
  };
}

async function allOf(tensor: StoredTensor): Promise<Float64Array> {
  const all = new Float64Array(tensor.elements);
  let at = 0;
  for await (const part of tensor.numbers()) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
