/** @file ONNX files for tests: graphs of a few nodes, written by the product's own writer. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodeOnnxModel,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../../../../server/formats/onnx.ts';
import { sourceOf } from '../../../../server/formats/byteSource.ts';
import { ProtobufReader } from '../../../../server/formats/protobufReader.ts';
import { Message } from '../../../../server/formats/protobufWriter.ts';
import { Random } from '../../../../server/formats/random.ts';
import { elementCount } from '../../../../server/protocol/shape.ts';

/**
 * Tensors of random numbers, the same in each run of a file of tests that makes its own: files share a process, in any order.
 * @returns `randomFloats`, numbers in -1 to 1, and `positiveFloats`, numbers in 0.5 to 1.5
 */
export function seededFloats(seed = 11) {
  const ofAll = new Random(seed);
  const randomFloats = (shape: readonly number[], scale = 1, random = ofAll): OnnxTensor => {
    const data = Float32Array.from({ length: elementCount(shape) }, () => scale * (2 * random.uniform() - 1));
    return { type: 'float32', shape, data };
  };
  const positiveFloats = (shape: readonly number[], random = ofAll): OnnxTensor => {
    const { data } = randomFloats(shape, 0.5, random);
    return { type: 'float32', shape, data: Float32Array.from(data as Float32Array, (value) => 1 + value) };
  };
  return { randomFloats, positiveFloats };
}

export function integers(values: readonly number[], shape: readonly number[] = [values.length]): OnnxTensor {
  return { type: 'int64', shape, data: BigInt64Array.from(values, BigInt) };
}

export function node(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Record<string, OnnxAttribute> = {},
): OnnxNode {
  return { op, name: `/${output}/${op}`, inputs, outputs: [output], attributes };
}

export interface GraphFile {
  readonly nodes: readonly OnnxNode[];
  readonly tensors?: Readonly<Record<string, OnnxTensor>>;
  /** That of the batch is a name. */
  readonly input?: readonly (number | string)[];
  readonly inputType?: OnnxGraph['inputs'][number]['type'];
  /** Default: `x`. All have one shape and type. */
  readonly inputNames?: readonly string[];
  readonly outputs?: readonly string[];
  readonly outputRank?: number;
  readonly outputType?: OnnxGraph['outputs'][number]['type'];
  readonly opset?: number;
}

/** The bytes of a graph, from `x` to `y` unless it has other names. */
export function graphFile({
  nodes,
  tensors = {},
  input = ['batch', 4],
  inputType = 'float32',
  inputNames = ['x'],
  outputs = ['y'],
  outputRank = 2,
  outputType = 'float32',
  opset = 17,
}: GraphFile): Uint8Array {
  const open = Array.from({ length: outputRank }, (_, axis) => `d${axis}`);
  return encodeOnnxModel(
    {
      inputs: inputNames.map((name) => ({ name, type: inputType, shape: input })),
      outputs: outputs.map((name) => ({ name, type: outputType, shape: open })),
      initializers: Object.entries(tensors).map(([name, tensor]) => ({ name, ...tensor })),
      nodes,
    },
    {},
    { opset, irVersion: 8 },
  );
}

export function writeGraph(folder: string, name: string, file: GraphFile): string {
  const path = join(folder, name);
  writeFileSync(path, graphFile(file));
  return path;
}

/** The file with what PyTorch's newer exporter says of stored values, by their names: `PARAMETER`, `BUFFER`, `CONSTANT_TENSOR`. */
export function withKinds(file: Uint8Array, kinds: Readonly<Record<string, string>>): Uint8Array {
  const model = new Message();
  for (const { number, kind, value, begin, end } of new ProtobufReader(sourceOf(file)).fields()) {
    const said = Object.entries(kinds).map(([name, ofValue]) => {
      const entry = new Message().text(1, 'pkg.torch.export.graph_signature.InputSpec.kind').text(2, ofValue);
      return new Message().message(13, new Message().text(1, name).message(4, entry)).bytes;
    });
    if (kind === 'varint') model.integer(number, value);
    else model.data(number, Buffer.concat([file.subarray(begin, end), ...(number === 7 ? said : [])]));
  }
  return model.bytes;
}
