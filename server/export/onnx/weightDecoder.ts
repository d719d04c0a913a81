/**
 * @file Writes weights into an ONNX graph in their small form, with the standard operators that make floats of it. ONNX Runtime
 * computes what depends on constants alone once, when it loads a model.
 */
import type { OnnxGraph } from '../../formats/onnx.ts';
import type { BinaryCodesWeight } from '../../formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../formats/packed/dense.ts';
import {
  factorsOf,
  isLowRank,
  isPruned,
  type LowRankWeight,
  type PackedWeight,
  type PrunedWeight,
} from '../../formats/packed/packedFile.ts';
import { elementCount } from '../../protocol/shape.ts';
import { BitPlanes, BOOL, ConstantGraph, FLOAT, INT64 } from './constantGraph.ts';
import { addLevels } from './levelsDecoder.ts';

/** A number and its place in a sparse initializer. */
const ENTRY_BYTES = 12;

/** The byte that stands for so many zeros without a number behind them. */
const NO_NUMBER = 255;

export interface WeightDecoderOptions {
  /** True to write pruned weights as sparse initializers, for programs that compute with those or do not compute constants. */
  readonly sparseInitializers?: boolean | undefined;
}

export class WeightDecoder {
  readonly sparseInitializers: NonNullable<OnnxGraph['sparseInitializers']>[number][] = [];
  readonly #options: WeightDecoderOptions;
  readonly #graph = new ConstantGraph();
  /** Left factors, which weights can share. */
  readonly #lefts = new Set<string>();

  constructor(options: WeightDecoderOptions = {}) {
    this.#options = options;
  }

  get nodes(): OnnxGraph['nodes'] {
    return this.#graph.nodes;
  }

  get initializers(): OnnxGraph['initializers'] {
    return this.#graph.initializers;
  }

  /** Bytes of the tensors that hold a weight. */
  bytesOf(name: string): number {
    const isOfWeight = (tensor: { name: string }) => tensor.name === name || tensor.name.startsWith(`${name}:`);
    const dense = this.initializers.filter(isOfWeight).map(({ data }) => data);
    const sparse = this.sparseInitializers.filter(isOfWeight).flatMap(({ values, indices }) => [values, indices]);
    return [...dense, ...sparse].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Writes a weight in its small form, and what decodes it. @param name of the tensor that nodes take */
  add(name: string, weight: PackedWeight): void {
    if (isPruned(weight)) this.#addPruned(name, weight);
    else if (isLowRank(weight)) this.addProduct(name, weight, this.addFactors(name, weight));
    else if (weight.form === 'levels') addLevels(this.#graph, name, weight);
    else if (weight.form === 'binary-codes') this.#addCodes(name, weight);
    else this.#graph.floats(name, weight.shape, weight.values);
  }

  /** Writes the factors of a weight. @returns their names */
  addFactors(name: string, weight: LowRankWeight): { left: string; right: string } {
    const { left, right } = factorsOf(weight);
    const names = { left: `${weight.leftOf ?? name}:left`, right: `${name}:right` };
    if (!this.#lefts.has(names.left)) this.add(names.left, left);
    this.#lefts.add(names.left);
    this.add(names.right, right);
    return names;
  }

  /** Writes the product of factors as the weight. */
  addProduct(
    name: string,
    { shape, view }: LowRankWeight,
    { left, right }: { readonly left: string; readonly right: string },
  ): void {
    const product = this.#graph.emit('MatMul', [left, right]);
    this.#graph.reshape(this.#graph.inTensorOrder(product, view), shape, name);
  }

  #addPruned(name: string, weight: PrunedWeight): void {
    const graph = this.#graph;
    const { shape, values } = weight;
    const count = elementCount(shape);
    if (values.length === 0) {
      graph.emit('ConstantOfShape', [graph.integers(shape)], {}, name); // Zeros of float32, when no value is given.
      return;
    }
    if (this.#options.sparseInitializers && values.length * ENTRY_BYTES < count * values.BYTES_PER_ELEMENT) {
      const indices = new BigInt64Array(values.length);
      weight.forEachPosition((position, i) => (indices[i] = BigInt(position)));
      this.sparseInitializers.push({ name, shape, values, indices });
      return;
    }
    this.add(valuesOf(name), weight.form === 'sparse' ? new DenseWeight([values.length], values) : weight.coded);
    const gaps = gapsOf(weight);
    const isMaskSmaller = gaps.length > count / 8;
    const flat = isMaskSmaller ? addMasked(graph, name, weight) : addScattered(graph, name, gaps, count);
    graph.reshape(flat, shape, name);
  }

  /** `sum_i +-scales[r, i]`, with + where bit i of the code is set; bits of one plane lie together, in the order of the tensor. */
  #addCodes(name: string, weight: BinaryCodesWeight): void {
    const graph = this.#graph;
    const { shape, bits, scales } = weight;
    const { outer, rows: sets, inner } = weight.view;
    const count = elementCount(shape);
    const planes = new BitPlanes(bits, count);
    weight.forEachCode((code, position) => planes.set(position, code));
    const packed = graph.bytes(`${name}:codes`, [bits, planes.length], planes.bytes);
    const byPlane = Float32Array.from(scales, (_, i) => scales[(i % sets) * bits + Math.floor(i / sets)]);
    const alpha = graph.floats(`${name}:scales`, [bits, 1, sets, 1], byPlane);
    const plus = graph.emit('Cast', [graph.bits(packed, bits, count)], { to: FLOAT });
    const signs = graph.emit('Sub', [graph.emit('Mul', [plus, graph.float(2)]), graph.float(1)]);
    const terms = graph.emit('Mul', [graph.reshape(signs, [bits, outer, sets, inner]), alpha]);
    const sum = graph.emit('ReduceSum', [terms, graph.integers([0])], { keepdims: { int: 0 } });
    graph.reshape(sum, shape, name);
  }
}

/** Name of the numbers of a pruned weight. */
function valuesOf(name: string): string {
  return `${name}:values`;
}

/** The numbers of a pruned weight at their places, which a bit for each place tells. */
function addMasked(graph: ConstantGraph, name: string, weight: PrunedWeight): string {
  const count = elementCount(weight.shape);
  const mask = new BitPlanes(1, count);
  weight.forEachPosition((position) => mask.set(position, 1));
  const bits = graph.bits(graph.bytes(`${name}:mask`, [1, mask.length], mask.bytes), 1, count);
  return withZeros(graph, graph.emit('Cast', [graph.reshape(bits, [count])], { to: INT64 }), valuesOf(name));
}

/** The numbers of a pruned weight at their places, which the gaps before them tell: `position = sum over (gap + 1) - 1`. */
function addScattered(graph: ConstantGraph, name: string, gaps: Uint8Array, count: number): string {
  const numbers = valuesOf(name);
  const bytes = graph.emit('Cast', [graph.bytes(`${name}:gaps`, [gaps.length], gaps)], { to: INT64 });
  const all = graph.emit('ConstantOfShape', [graph.integers([count])]);
  const scattered = (steps: string, entries: string) => {
    const positions = graph.emit('Sub', [graph.cumulative(steps), graph.integers([1])]);
    return graph.emit('ScatterND', [all, graph.reshape(positions, [-1, 1]), entries]);
  };
  if (!gaps.includes(NO_NUMBER)) return scattered(graph.emit('Add', [bytes, graph.integers([1])]), numbers);
  // The last of the zeros that have no number behind them is an entry, too. ONNX Runtime computes no `Compress` when it loads.
  const isNumber = graph.emit('Cast', [graph.emit('Less', [bytes, graph.integers([NO_NUMBER])])], { to: INT64 });
  return scattered(graph.emit('Add', [bytes, isNumber]), withZeros(graph, isNumber, numbers));
}

/** The numbers in their order where there is a 1, and zeros where there is a 0. */
function withZeros(graph: ConstantGraph, isNumber: string, numbers: string): string {
  // Before the first number the index is -1, which is the last one: it is not taken.
  const index = graph.emit('Sub', [graph.cumulative(isNumber), graph.integers([1])]);
  const number = graph.emit('Gather', [numbers, index]);
  return graph.emit('Where', [graph.emit('Cast', [isNumber], { to: BOOL }), number, graph.float(0)]);
}

/** The zeros before each number, a byte each; more zeros have bytes of {@link NO_NUMBER} before theirs. */
function gapsOf(weight: PrunedWeight): Uint8Array {
  const gaps: number[] = [];
  let next = 0;
  weight.forEachPosition((position) => {
    for (; position - next >= NO_NUMBER; next += NO_NUMBER) gaps.push(NO_NUMBER);
    gaps.push(position - next);
    next = position + 1;
  });
  return Uint8Array.from(gaps);
}
