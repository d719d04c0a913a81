/** @file Fields of the messages of ONNX that more than one reader needs. Field numbers are those of onnx.proto. */
import { FormatError } from './formatError.ts';
import { ProtobufReader, type ProtobufField } from './protobufReader.ts';

const LONGEST_NAME = 2000;
const LONGEST_TEXT = 100_000;
const MOST_AXES = 64;

/** The standard domain of operators; files may also write it as `ai.onnx`. */
export const STANDARD_DOMAIN = '';

/** A tensor as its message has it. */
export interface TensorFields {
  readonly name: string;
  readonly shape: readonly number[];
  /** TensorProto.DataType */
  readonly code: number;
  /** Fields whose bytes are elements, and fields of variable-length integers; a tensor has one of the two. */
  readonly bytes: readonly ProtobufField[];
  readonly varints: readonly ProtobufField[];
  /** The place of the elements where they are in another file: `location`, `offset`, `length`. */
  readonly external: ReadonlyMap<string, string> | undefined;
}

/** An input or output of a graph as its message has it. */
export interface ValueFields {
  readonly name: string;
  /** TensorProto.DataType; undefined for what is no tensor: a sequence, a map. */
  readonly code: number | undefined;
  /** Sizes; a name for one that is known only at run time, empty where it has none. Undefined where the rank is not given. */
  readonly shape: readonly (number | string)[] | undefined;
  /** What the program that wrote the file says of it. */
  readonly metadata: ReadonlyMap<string, string>;
}

export class OnnxFields extends ProtobufReader {
  /** Fields of a message within another. */
  messages({ kind, begin, end }: ProtobufField): Iterable<ProtobufField> {
    if (kind !== 'bytes') throw new FormatError(`byte ${begin} should begin a message`);
    return this.fields(begin, end);
  }

  name(field: ProtobufField): string {
    return this.text(field, LONGEST_NAME);
  }

  /** A description, the value of an entry, the equation of an Einsum. */
  longText(field: ProtobufField): string {
    return this.text(field, LONGEST_TEXT);
  }

  /** StringStringEntryProto */
  entry(field: ProtobufField): [key: string, value: string] {
    let [key, value] = ['', ''];
    for (const part of this.messages(field)) {
      if (part.number === 1) key = this.name(part);
      else if (part.number === 2) value = this.longText(part);
    }
    return [key, value];
  }

  /** OperatorSetIdProto */
  operatorSet(field: ProtobufField): [domain: string, version: number] {
    let [domain, version] = [STANDARD_DOMAIN, 0];
    for (const part of this.messages(field)) {
      if (part.number === 1) domain = this.domain(part);
      else if (part.number === 2) version = part.value;
    }
    return [domain, version];
  }

  domain(field: ProtobufField): string {
    const domain = this.name(field);
    return domain === 'ai.onnx' ? STANDARD_DOMAIN : domain;
  }

  /** TensorProto */
  tensor(field: ProtobufField): TensorFields {
    const shape: number[] = [];
    const bytes: ProtobufField[] = [];
    const varints: ProtobufField[] = [];
    const external = new Map<string, string>();
    let [name, code, location] = ['', 0, 0];
    for (const part of this.messages(field)) {
      if (part.number === 1) this.#addSizes(shape, part);
      else if (part.number === 2) code = part.value;
      else if (part.number === 8) name = this.name(part);
      else if (part.number === 4 || part.number === 9 || part.number === 10) bytes.push(part);
      else if (part.number === 5 || part.number === 7 || part.number === 11) varints.push(part);
      else if (part.number === 13) external.set(...this.entry(part));
      else if (part.number === 14) location = part.value;
    }
    return { name, shape, code, bytes, varints, external: location === 1 ? external : undefined };
  }

  /** SparseTensorProto. @returns the fields of two tensors, and the shape of the whole */
  sparseTensor(field: ProtobufField): {
    values: ProtobufField | undefined;
    indices: ProtobufField | undefined;
    shape: readonly number[];
  } {
    let values: ProtobufField | undefined;
    let indices: ProtobufField | undefined;
    const shape: number[] = [];
    for (const part of this.messages(field)) {
      if (part.number === 1) values = part;
      else if (part.number === 2) indices = part;
      else if (part.number === 3) this.#addSizes(shape, part);
    }
    return { values, indices, shape };
  }

  /** ValueInfoProto */
  value(field: ProtobufField): ValueFields {
    const metadata = new Map<string, string>();
    let value: ValueFields = { name: '', code: undefined, shape: undefined, metadata };
    for (const part of this.messages(field)) {
      if (part.number === 1) value = { ...value, name: this.name(part) };
      else if (part.number === 4) metadata.set(...this.entry(part));
      else if (part.number === 2)
        for (const type of this.messages(part)) if (type.number === 1) value = { ...value, ...this.#tensorType(type) };
    }
    return value;
  }

  /** TypeProto.Tensor */
  #tensorType(field: ProtobufField): Pick<ValueFields, 'code' | 'shape'> {
    let code: number | undefined;
    let shape: (number | string)[] | undefined;
    for (const part of this.messages(field)) {
      if (part.number === 1) code = part.value;
      else if (part.number === 2)
        shape = Array.from(this.messages(part), (dimension) => {
          const [size] = this.messages(dimension);
          return size === undefined ? '' : size.kind === 'varint' ? size.value : this.name(size);
        });
    }
    return { code, shape };
  }

  /** Adds the sizes of a field, one or all of a tensor's, to its shape. */
  #addSizes(shape: number[], field: ProtobufField): void {
    for (const size of this.varints(field)) {
      if (shape.push(size) > MOST_AXES) throw new FormatError(`a tensor has more than ${MOST_AXES} axes`);
      if (!(size >= 0)) throw new FormatError(`a tensor has an axis of the size ${size}`);
    }
  }
}
