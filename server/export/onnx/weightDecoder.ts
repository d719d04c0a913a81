/**
 * @file Writes weights into an ONNX graph in their small form, with the standard operators that make floats of it. ONNX Runtime
 * computes what depends on constants alone once, when it loads a model.
 */
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from '../../formats/onnx.ts';
import { storedShape, type MatrixView } from '../../compression/targets/matrixView.ts';
import type { StoredForm } from '../storedForm.ts';

/** A weight of the graph; its name is that of the tensor that nodes take. */
export interface GraphWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** For a weight with a {@link StoredForm}. */
  readonly view?: MatrixView;
}

/** Codes of TensorProto.DataType, as `Cast` takes them. */
const FLOAT = { int: 1 };
const INT32 = { int: 6 };
const INT64 = { int: 7 };
const BOOL = { int: 9 };

/** Zeros before a number that one byte can tell. */
const LONGEST_GAP = 255;

export class WeightDecoder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxGraph['initializers'][number][] = [];
  readonly #constants = new Set<string>();
  #count = 0;

  /** Writes a weight as floats. */
  addDense({ name, shape, values }: GraphWeight): void {
    this.#tensor(name, { type: 'float32', shape, data: values });
  }

  /** Writes a weight in a small form, and what decodes it. */
  add(weight: GraphWeight & { readonly view: MatrixView }, stored: StoredForm): void {
    if (stored.form === 'sparse') this.#addSparse(weight);
    else if (stored.form === 'factors') this.addProduct(weight, this.addFactors(weight, stored));
    else this.#addCodes(weight, stored);
  }

  /** Writes the factors of a weight. @returns their names */
  addFactors(
    { name, view }: GraphWeight & { readonly view: MatrixView },
    { left, right }: { readonly left: Float32Array; readonly right: Float32Array },
  ): { left: string; right: string } {
    const { rows, columns } = storedShape(view);
    return {
      left: this.#tensor(`${name}:left`, { type: 'float32', shape: [rows, left.length / rows], data: left }),
      right: this.#tensor(`${name}:right`, { type: 'float32', shape: [right.length / columns, columns], data: right }),
    };
  }

  /** Writes the product of factors, the matrix of `storedShape`, as the weight. */
  addProduct(
    { name, shape, view }: GraphWeight & { readonly view: MatrixView },
    { left, right }: { readonly left: string; readonly right: string },
  ): void {
    const { outer, rows, inner } = view;
    const product = this.#emit('MatMul', [left, right]);
    const isInOrder = inner === 1 || outer === 1;
    const inOrder = isInOrder
      ? product
      : this.#emit('Transpose', [this.#reshape(product, [rows, outer, inner])], { perm: { ints: [1, 0, 2] } });
    this.#emit('Reshape', [inOrder, this.#integers(shape)], {}, name);
  }

  #addSparse({ name, shape, values }: GraphWeight): void {
    const kept = values.filter((value) => value !== 0);
    if (kept.length === 0) {
      this.#emit('ConstantOfShape', [this.#integers(shape)], {}, name); // Zeros of float32, when no value is given.
      return;
    }
    const gaps = gapsOf(values);
    const isSmallerAsMask = kept.length * 4 + values.length / 8 < gaps.bytes.length + 4 * gaps.values.length;
    if (isSmallerAsMask) this.#addMasked({ name, shape, values }, kept);
    else this.#addGaps({ name, shape, values }, gaps);
  }

  /** Numbers and the zeros before each: `position = sum over (gap + 1) - 1`. */
  #addGaps({ name, shape, values }: GraphWeight, gaps: { bytes: Uint8Array; values: Float32Array }): void {
    const { length } = gaps.bytes;
    const bytes = this.#tensor(`${name}:gaps`, { type: 'uint8', shape: [length], data: gaps.bytes });
    const numbers = this.#tensor(`${name}:values`, { type: 'float32', shape: [length], data: gaps.values });
    const one = this.#integers([1]);
    const steps = this.#emit('Add', [this.#emit('Cast', [bytes], { to: INT64 }), one]);
    const positions = this.#emit('Sub', [this.#emit('CumSum', [steps, this.#axis()]), one]);
    const zeros = this.#emit('ConstantOfShape', [this.#integers([values.length])]);
    const flat = this.#emit('ScatterND', [zeros, this.#reshape(positions, [-1, 1]), numbers]);
    this.#emit('Reshape', [flat, this.#integers(shape)], {}, name);
  }

  /** Numbers, and a bit for each weight that tells whether it is one of them. */
  #addMasked({ name, shape, values }: GraphWeight, kept: Float32Array): void {
    const mask = packBits(values.length, (i) => values[i] !== 0);
    const bytes = this.#tensor(`${name}:mask`, { type: 'uint8', shape: [mask.length], data: mask });
    const numbers = this.#tensor(`${name}:values`, { type: 'float32', shape: [kept.length], data: kept });
    const bits = this.#reshape(this.#bits(bytes, 1, values.length), [values.length]);
    // Before the first number the index is -1, which is the last one: it is not taken.
    const index = this.#emit('Sub', [this.#emit('CumSum', [bits, this.#axis()]), this.#int32(1)]);
    const isKept = this.#emit('Cast', [bits], { to: BOOL });
    const number = this.#emit('Gather', [numbers, index], { axis: { int: 0 } });
    const flat = this.#emit('Where', [isKept, number, this.#float(0)]);
    this.#emit('Reshape', [flat, this.#integers(shape)], {}, name);
  }

  /** `sum_i +-scales[r, i]`, with + where bit i of the code is set; bits of one plane lie together, in the order of the tensor. */
  #addCodes(
    { name, shape, view }: GraphWeight & { readonly view: MatrixView },
    { bits, scales, codes }: Extract<StoredForm, { form: 'binary-codes' }>,
  ): void {
    const { outer, rows, inner, columns } = view;
    const sets = scales.length / bits;
    const place = (i: number) => {
      if (sets === 1) return i; // Codes with one set of scales are in the order of the tensor already.
      const [o, row] = [Math.floor(i / (rows * inner)), Math.floor(i / inner) % rows];
      return row * columns + o * inner + (i % inner);
    };
    const planes = Array.from({ length: bits }, (_, plane) =>
      packBits(codes.length, (i) => ((codes[place(i)] >> plane) & 1) === 1),
    );
    const packed = this.#tensor(`${name}:codes`, {
      type: 'uint8',
      shape: [bits, planes[0].length],
      data: Uint8Array.from(planes.flatMap((plane) => [...plane])),
    });
    const byPlane = Float32Array.from(scales, (_, i) => scales[(i % sets) * bits + Math.floor(i / sets)]);
    const alpha = this.#tensor(`${name}:scales`, { type: 'float32', shape: [bits, 1, sets, 1], data: byPlane });
    const plus = this.#emit('Cast', [this.#bits(packed, bits, codes.length)], { to: FLOAT });
    const signs = this.#emit('Sub', [this.#emit('Mul', [plus, this.#float(2)]), this.#float(1)]);
    const terms = this.#emit('Mul', [this.#reshape(signs, [bits, outer, rows, inner]), alpha]);
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
function gapsOf(values: Float32Array): { bytes: Uint8Array; values: Float32Array } {
  const bytes: number[] = [];
  const numbers: number[] = [];
  let gap = 0;
  for (const value of values) {
    if (value !== 0 || gap === LONGEST_GAP) {
      bytes.push(gap);
      numbers.push(value);
      gap = 0;
    } else gap++;
  }
  // Zeros behind the last number are not written.
  while (numbers.at(-1) === 0) {
    numbers.pop();
    bytes.pop();
  }
  return { bytes: Uint8Array.from(bytes), values: Float32Array.from(numbers) };
}

function packBits(count: number, isSet: (index: number) => boolean): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(count / 8));
  for (let i = 0; i < count; i++) if (isSet(i)) bytes[i >> 3] |= 1 << (i & 7);
  return bytes;
}
