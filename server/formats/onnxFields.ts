/** @file Fields of the messages of ONNX that more than one reader needs. Field numbers are those of onnx.proto. */
import { FormatError } from './formatError.ts';
import { ProtobufReader, type ProtobufField } from './protobufReader.ts';

const LONGEST_NAME = 2000;
const LONGEST_TEXT = 100_000;
const MOST_AXES = 64;

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

  /** Adds the sizes of a field, one or all of a tensor's, to its shape. */
  addSizes(shape: number[], field: ProtobufField): void {
    for (const size of this.varints(field)) {
      if (shape.push(size) > MOST_AXES) throw new FormatError(`a tensor has more than ${MOST_AXES} axes`);
      if (!(size >= 0)) throw new FormatError(`a tensor has an axis of the size ${size}`);
    }
  }
}
