/**
 * @file Writes weights into an ONNX graph in their small form, with the standard operators that make floats of it. ONNX Runtime
 * computes what depends on constants alone once, when it loads a model.
 */
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from '../../formats/onnx.ts';
import type { BinaryCodesWeight } from '../../formats/packed/binaryCodes.ts';
import type { FactorsWeight } from '../../formats/packed/factors.ts';
import type { PackedWeight } from '../../formats/packed/packedFile.ts';
import type { SparseWeight } from '../../formats/packed/sparse.ts';
import { elementCount } from '../../protocol/shape.ts';

/** Codes of TensorProto.DataType, as `Cast` takes them. */
const FLOAT = { int: 1 };
const INT32 = { int: 6 };
const INT64 = { int: 7 };
const BOOL = { int: 9 };

/** A number and its place in a sparse initializer. */
const ENTRY_BYTES = 12;

/** Zeros before a number that one byte can tell. */
const LONGEST_GAP = 255;

export interface WeightDecoderOptions {
  /** True to write pruned weights as sparse initializers, for programs that compute with those or do not compute constants. */
  readonly sparseInitializers?: boolean | undefined;
}

export class WeightDecoder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxGraph['initializers'][number][] = [];
  readonly sparseInitializers: NonNullable<OnnxGraph['sparseInitializers']>[number][] = [];
  readonly #options: WeightDecoderOptions;
  readonly #constants = new Set<string>();
  /** Left factors, which weights can share. */
  readonly #lefts = new Set<string>();
  #count = 0;

  constructor(options: WeightDecoderOptions = {}) {
    this.#options = options;
  }

  /** Bytes of the tensors that hold a weight. */
  bytesOf(name: string): number {
    const dense = this.initializers
      .filter((tensor) => tensor.name === name || tensor.name.startsWith(`${name}:`))
      .map(({ data }) => data);
    const sparse = this.sparseInitializers
      .filter((tensor) => tensor.name === name)
      .flatMap(({ values, indices }) => [values, indices]);
    return [...dense, ...sparse].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Writes a weight in its small form, and what decodes it. @param name of the tensor that nodes take */
  add(name: string, weight: PackedWeight): void {
    if (weight.form === 'dense') this.#tensor(name, { type: 'float32', shape: weight.shape, data: weight.values });
    else if (weight.form === 'sparse') this.#addSparse(name, weight);
    else if (weight.form === 'factors') this.addProduct(name, weight, this.addFactors(name, weight));
    else if (weight.form === 'binary-codes') this.#addCodes(name, weight);
    else this.#tensor(name, { type: 'float32', shape: weight.shape, data: weight.rebuild() });
  }

  /** Writes the factors of a weight. @returns their names */
  addFactors(name: string, { view, rank, left, right, leftOf }: FactorsWeight): { left: string; right: string } {
    const { outer, rows, inner } = view;
    const leftName = `${leftOf ?? name}:left`;
    if (!this.#lefts.has(leftName)) this.#tensor(leftName, { type: 'float32', shape: [rows, rank], data: left });
    this.#lefts.add(leftName);
    const rightShape = [rank, outer * inner];
    return {
      left: leftName,
      right: this.#tensor(`${name}:right`, { type: 'float32', shape: rightShape, data: right }),
    };
  }

  /** Writes the product of factors as the weight. */
  addProduct(
    name: string,
    { shape, view: { outer, rows, inner } }: FactorsWeight,
    { left, right }: { readonly left: string; readonly right: string },
  ): void {
    const product = this.#emit('MatMul', [left, right]);
    const inOrder =
      outer === 1
        ? product
        : this.#emit('Transpose', [this.#reshape(product, [rows, outer, inner])], { perm: { ints: [1, 0, 2] } });
    this.#emit('Reshape', [inOrder, this.#integers(shape)], {}, name);
  }

  #addSparse(name: string, weight: SparseWeight): void {
    const { shape, values } = weight;
    if (values.length === 0) {
      this.#emit('ConstantOfShape', [this.#integers(shape)], {}, name); // Zeros of float32, when no value is given.
      return;
    }
    if (
      this.#options.sparseInitializers &&
      values.length * ENTRY_BYTES < elementCount(shape) * values.BYTES_PER_ELEMENT
    ) {
      const indices = new BigInt64Array(values.length);
      weight.forEachPosition((position, i) => (indices[i] = BigInt(position)));
      this.sparseInitializers.push({ name, shape, values, indices });
      return;
    }
    const gaps = gapsOf(weight);
    const maskBytes = elementCount(shape) / 8;
    if (values.length * 4 + maskBytes < gaps.bytes.length + 4 * gaps.values.length) this.#addMasked(name, weight);
    else this.#addGaps(name, shape, gaps);
  }

  /** Numbers and the zeros before each: `position = sum over (gap + 1) - 1`. */
  #addGaps(name: string, shape: readonly number[], gaps: { bytes: Uint8Array; values: Float32Array }): void {
    const { length } = gaps.bytes;
    const bytes = this.#tensor(`${name}:gaps`, { type: 'uint8', shape: [length], data: gaps.bytes });
    const numbers = this.#tensor(`${name}:values`, { type: 'float32', shape: [length], data: gaps.values });
    const one = this.#integers([1]);
    const steps = this.#emit('Add', [this.#emit('Cast', [bytes], { to: INT64 }), one]);
    const positions = this.#emit('Sub', [this.#emit('CumSum', [steps, this.#axis()]), one]);
    const zeros = this.#emit('ConstantOfShape', [this.#integers([elementCount(shape)])]);
    const flat = this.#emit('ScatterND', [zeros, this.#reshape(positions, [-1, 1]), numbers]);
    this.#emit('Reshape', [flat, this.#integers(shape)], {}, name);
  }

  /** Numbers, and a bit for each weight that tells whether it is one of them. */
  #addMasked(name: string, weight: SparseWeight): void {
    const { shape, values } = weight;
    const count = elementCount(shape);
    const mask = new Uint8Array(Math.ceil(count / 8));
    weight.forEachPosition((position) => setBit(mask, position));
    const bytes = this.#tensor(`${name}:mask`, { type: 'uint8', shape: [mask.length], data: mask });
    const numbers = this.#tensor(`${name}:values`, { type: 'float32', shape: [values.length], data: values });
    const bits = this.#reshape(this.#bits(bytes, 1, count), [count]);
    // Before the first number the index is -1, which is the last one: it is not taken.
    const index = this.#emit('Sub', [this.#emit('CumSum', [bits, this.#axis()]), this.#int32(1)]);
    const isKept = this.#emit('Cast', [bits], { to: BOOL });
    const number = this.#emit('Gather', [numbers, index], { axis: { int: 0 } });
    const flat = this.#emit('Where', [isKept, number, this.#float(0)]);
    this.#emit('Reshape', [flat, this.#integers(shape)], {}, name);
  }

  /** `sum_i +-scales[r, i]`, with + where bit i of the code is set; bits of one plane lie together, in the order of the tensor. */
  #addCodes(name: string, weight: BinaryCodesWeight): void {
    const { shape, bits, scales } = weight;
    const { outer, rows: sets, inner } = weight.view;
    const count = elementCount(shape);
    const planeBytes = Math.ceil(count / 8);
    const planes = new Uint8Array(bits * planeBytes);
    weight.forEachCode((code, position) => {
      for (let plane = 0; plane < bits; plane++)
        if ((code >> plane) & 1) setBit(planes, 8 * plane * planeBytes + position);
    });
    const packed = this.#tensor(`${name}:codes`, { type: 'uint8', shape: [bits, planeBytes], data: planes });
    const byPlane = Float32Array.from(scales, (_, i) => scales[(i % sets) * bits + Math.floor(i / sets)]);
    const alpha = this.#tensor(`${name}:scales`, { type: 'float32', shape: [bits, 1, sets, 1], data: byPlane });
    const plus = this.#emit('Cast', [this.#bits(packed, bits, count)], { to: FLOAT });
    const signs = this.#emit('Sub', [this.#emit('Mul', [plus, this.#float(2)]), this.#float(1)]);
    const terms = this.#emit('Mul', [this.#reshape(signs, [bits, outer, sets, inner]), alpha]);
    const sum = this.#emit('ReduceSum', [terms, this.#integers([0])], { keepdims: { int: 0 } });
    this.#emit('Reshape', [sum, this.#integers(shape)], {}, name);
  }

  /** The first `count` bits of each row of bytes, [rows, count], as int32; the lowest bit of a byte comes first. */
  #bits(bytes: string, rows: number, count: number): string {
    const powers = this.#constant('powers', {
      type: 'int32',
      shape: [8],
      data: Int32Array.from({ length: 8 }, (_, i) => 2 ** i),
    });
    const column = this.#reshape(this.#emit('Cast', [bytes], { to: INT32 }), [-1, 1]);
    const bit = this.#emit('Mod', [this.#emit('Div', [column, powers]), this.#int32(2)]);
    const all = this.#reshape(bit, [rows, 8 * Math.ceil(count / 8)]);
    if (count % 8 === 0) return all;
    return this.#emit('Slice', [all, this.#integers([0]), this.#integers([count]), this.#integers([1])]);
  }

  #emit(
    op: string,
    inputs: readonly string[],
    attributes?: Record<string, OnnxAttribute>,
    output = `decoded:${this.#count++}`,
  ): string {
    this.nodes.push({ op, inputs, outputs: [output], ...(attributes && { attributes }) });
    return output;
  }

  #reshape(x: string, shape: readonly number[]): string {
    return this.#emit('Reshape', [x, this.#integers(shape)]);
  }

  #tensor(name: string, tensor: OnnxTensor): string {
    this.initializers.push({ name, ...tensor });
    return name;
  }

  /** A constant that weights share. */
  #constant(name: string, tensor: OnnxTensor): string {
    const full = `decoder:${name}`;
    if (!this.#constants.has(full)) this.#tensor(full, tensor);
    this.#constants.add(full);
    return full;
  }

  #integers(values: readonly number[]): string {
    return this.#constant(values.join(), {
      type: 'int64',
      shape: [values.length],
      data: BigInt64Array.from(values, BigInt),
    });
  }

  #axis(): string {
    return this.#constant('axis', { type: 'int64', shape: [], data: BigInt64Array.of(0n) });
  }

  #int32(value: number): string {
    return this.#constant(`int32:${value}`, { type: 'int32', shape: [], data: Int32Array.of(value) });
  }

  #float(value: number): string {
    return this.#constant(`float:${value}`, { type: 'float32', shape: [], data: Float32Array.of(value) });
  }
}

/** The numbers that are not 0, and the zeros before each; a longer gap is cut by zeros among the numbers. */
function gapsOf(weight: SparseWeight): { bytes: Uint8Array; values: Float32Array } {
  const bytes: number[] = [];
  const numbers: number[] = [];
  let next = 0;
  weight.forEachPosition((position, i) => {
    for (; position - next > LONGEST_GAP; next += LONGEST_GAP + 1) {
      bytes.push(LONGEST_GAP);
      numbers.push(0);
    }
    bytes.push(position - next);
    numbers.push(weight.values[i]);
    next = position + 1;
  });
  return { bytes: Uint8Array.from(bytes), values: Float32Array.from(numbers) };
}

function setBit(bytes: Uint8Array, index: number): void {
  bytes[index >> 3] |= 1 << (index & 7);
}
