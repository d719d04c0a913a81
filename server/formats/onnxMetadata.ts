/** @file Reads what an ONNX file says of itself: `metadata_props` of its ModelProto. */
import { sourceOf } from './byteSource.ts';
import { FormatError } from './formatError.ts';
import { ProtobufReader } from './protobufReader.ts';

/** Field numbers of onnx.proto. */
const GRAPH = 7;
const METADATA = 14;
const [KEY, VALUE] = [1, 2];
/** Bytes of a text at most: the settings of an experiment have a hundredth of that. */
const MOST_BYTES = 2 ** 22;

/** @throws FormatError for what is no ONNX file */
export function readOnnxMetadata(file: Uint8Array): Record<string, string> {
  const reader = new ProtobufReader(sourceOf(file));
  const metadata: [string, string][] = [];
  let hasGraph = false;
  for (const field of reader.fields()) {
    if (field.number === GRAPH && field.kind === 'bytes') hasGraph = true;
    if (field.number !== METADATA || field.kind !== 'bytes') continue;
    let [key, value] = ['', ''];
    for (const part of reader.fields(field.begin, field.end)) {
      if (part.number === KEY) key = reader.text(part, MOST_BYTES);
      if (part.number === VALUE) value = reader.text(part, MOST_BYTES);
    }
    metadata.push([key, value]);
  }
  if (!hasGraph) throw new FormatError('it has no graph: it is no ONNX file');
  return Object.fromEntries(metadata);
}
