/** @file Nodes that compute with constants alone, and the constants: ONNX Runtime computes them once, when it loads a model. */
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from '../../formats/onnx.ts';
import type { RowView } from '../../formats/packed/packedWeight.ts';
import { elementCount } from '../../protocol/shape.ts';

/** Codes of TensorProto.DataType, as `Cast` takes them. */
export const FLOAT = { int: 1 };
export const INT32 = { int: 6 };
export const INT64 = { int: 7 };
export const BOOL = { int: 9 };
export const DOUBLE = { int: 11 };

export class ConstantGraph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxGraph['initializers'][number][] = [];
  readonly #shared = new Set<string>();
  #count = 0;

  /** Adds a node. @returns the name of its output */
  emit(
    op: string,
    inputs: readonly string[],
    attributes?: Record<string, OnnxAttribute>,
    output = `decoded:${this.#count++}`,
  ): string {
    this.nodes.push({ op, inputs, outputs: [output], ...(attributes && { attributes }) });
    return output;
  }

  /** Adds a tensor. @returns its name */
  tensor(name: string, tensor: OnnxTensor): string {
    this.initializers.push({ name, ...tensor });
    return name;
  }

  floats(name: string, shape: readonly number[], data: Float32Array): string {
    return this.tensor(name, { type: 'float32', shape, data });
  }

  bytes(name: string, shape: readonly number[], data: Uint8Array): string {
    return this.tensor(name, { type: 'uint8', shape, data });
  }

  reshape(x: string, shape: readonly number[], output?: string): string {
    return this.emit('Reshape', [x, this.integers(shape)], {}, output);
  }

  /** Numbers in the order of a matrix, put into that of the tensor, in another shape. */
  inTensorOrder(x: string, { outer, rows, inner }: RowView): string {
    if (outer === 1 || rows === 1) return x;
    return this.emit('Transpose', [this.reshape(x, [rows, outer, inner])], { perm: { ints: [1, 0, 2] } });
  }

  /** The first `count` bits of each row of bytes, [rows, count], as int32; the lowest bit of a byte comes first. */
  bits(bytes: string, rows: number, count: number): string {
    const column = this.reshape(this.emit('Cast', [bytes], { to: INT32 }), [-1, 1]);
    const bit = this.emit('Mod', [this.emit('Div', [column, this.powersOfTwo([8])]), this.int32(2)]);
    const all = this.reshape(bit, [rows, 8 * Math.ceil(count / 8)]);
    return count % 8 === 0 ? all : this.first(all, count, 1);
  }

  /** What stands first on an axis. */
  first(x: string, count: number, axis: number): string {
    return this.emit('Slice', [x, this.integers([0]), this.integers([count]), this.integers([axis])]);
  }

  integers(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant(values.join(), { type: 'int64', shape: [values.length], data });
  }

  /** The sum of all numbers up to each. */
  cumulative(x: string): string {
    const axis = this.#constant('axis', { type: 'int64', shape: [], data: BigInt64Array.of(0n) });
    return this.emit('CumSum', [x, axis]);
  }

  /** 1, 2, 4, … as int32, in a shape. */
  powersOfTwo(shape: readonly number[]): string {
    const data = Int32Array.from({ length: elementCount(shape) }, (_, i) => 2 ** i);
    return this.#constant(['powers', ...shape].join(), { type: 'int32', shape, data });
  }

  int32(value: number): string {
    return this.#constant(`int32:${value}`, { type: 'int32', shape: [], data: Int32Array.of(value) });
  }

  float(value: number): string {
    return this.#constant(`float:${value}`, { type: 'float32', shape: [], data: Float32Array.of(value) });
  }

  double(value: number): string {
    return this.#constant(`double:${value}`, { type: 'float64', shape: [], data: Float64Array.of(value) });
  }

  /** A constant that weights share. */
  #constant(name: string, tensor: OnnxTensor): string {
    const full = `decoder:${name}`;
    if (!this.#shared.has(full)) this.tensor(full, tensor);
    this.#shared.add(full);
    return full;
  }
}

/** Bits in planes of whole bytes, [planes, bytes], the lowest bit of a byte first; all of them 0 before {@link set}. */
export class BitPlanes {
  readonly bytes: Uint8Array;
  /** Bytes of a plane. */
  readonly length: number;

  /** @param count bits of a plane */
  constructor(planes: number, count: number) {
    this.length = Math.ceil(count / 8);
    this.bytes = new Uint8Array(planes * this.length);
  }

  /** Writes the lowest bits of a number, one into each plane. */
  set(place: number, value: number): void {
    for (let at = place >> 3, rest = value; rest > 0; at += this.length, rest >>= 1)
      this.bytes[at] |= (rest & 1) << (place & 7);
  }
}
