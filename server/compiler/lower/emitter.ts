/** @file Collects the ONNX nodes and initializers that operations are lowered to. */
import { elementCount } from '../../protocol/shape.ts';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxType } from '../../formats/onnx.ts';
import { checkInt32 } from '../build.ts';
import type { Device } from '../device.ts';
import type { DType, Node } from '../ir.ts';
import { nodeName } from './rejection.ts';

/** Name of a tensor in the ONNX graph. */
export type OnnxName = string;

/** Domain of ONNX Runtime's own operators. */
const MICROSOFT = 'com.microsoft';

export const onnxType = (dtype: DType): OnnxType => dtype;

/** What will run a graph, as far as operations are written otherwise for it. */
export interface LoweringTarget {
  /** 'webgpu': a transfer to the processor and back for each operator that ONNX Runtime has no WebGPU kernel for is avoided. */
  readonly device?: Device;
  /** Channels that ONNX Runtime's blocked convolutions take together: such a graph is for this machine's processor alone. */
  readonly channelBlock?: number;
}

export class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxGraph['initializers'][number][] = [];
  /** The operation that is being written, whose ONNX nodes are named by it. */
  origin: Node | undefined;
  readonly device: Device;
  /** Channels that blocked convolutions take together; 1 where there are none. */
  readonly channelBlock: number;
  readonly #cached = new Map<string, readonly OnnxName[]>();
  #count = 0;

  constructor({ device = 'cpu', channelBlock = 1 }: LoweringTarget = {}) {
    this.device = device;
    this.channelBlock = channelBlock;
  }

  /** An operation with one output. */
  emit(op: string, inputs: readonly OnnxName[], attributes?: Record<string, OnnxAttribute>, domain?: string): OnnxName {
    return this.emitMany(op, inputs, 1, attributes, domain)[0];
  }

  emitMany(
    op: string,
    inputs: readonly OnnxName[],
    outputCount: number,
    attributes?: Record<string, OnnxAttribute>,
    domain?: string,
  ): readonly OnnxName[] {
    const key = JSON.stringify([op, domain, inputs, outputCount, attributes]);
    const known = this.#cached.get(key);
    if (known !== undefined) return known;
    const outputs = Array.from({ length: outputCount }, () => this.#name());
    const name = this.origin && nodeName(this.nodes.length, this.origin);
    this.nodes.push({ op, name, inputs, outputs, attributes, domain });
    this.#cached.set(key, outputs);
    return outputs;
  }

  constant(tensor: OnnxTensor): OnnxName {
    const name = this.#name();
    this.initializers.push({ name, ...tensor });
    return name;
  }

  /** A vector of integers, as shape-like inputs take it. */
  integers(values: readonly number[]): OnnxName {
    return this.#once(`i${values.join()}`, () =>
      this.constant({ type: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) }),
    );
  }

  /** @throws RangeError for an integer that has no int32 */
  scalar(value: number, dtype: DType): OnnxName {
    if (dtype === 'int32') checkInt32(value);
    const data =
      dtype === 'float32' ? Float32Array.of(value) : dtype === 'int32' ? Int32Array.of(value) : Uint8Array.of(value);
    return this.#once(`s${dtype}${Object.is(value, -0) ? '-0' : value}`, () =>
      this.constant({ type: onnxType(dtype), shape: [], data }),
    );
  }

  ones(shape: readonly number[]): OnnxName {
    const data = new Float32Array(elementCount(shape)).fill(1);
    return this.#once(`ones${shape.join()}`, () => this.constant({ type: 'float32', shape, data }));
  }

  reshape(x: OnnxName, shape: readonly number[]): OnnxName {
    return this.emit('Reshape', [x, this.integers(shape)]);
  }

  transpose(x: OnnxName, permutation: readonly number[]): OnnxName {
    return this.emit('Transpose', [x], { perm: { ints: permutation } });
  }

  /**
   * Products of many matrices: the last two axes of an operand may be exchanged first.
   * @param ranks of both operands
   */
  products(
    [a, b]: readonly OnnxName[],
    [rankA, rankB]: readonly [number, number],
    { transposeA = false, transposeB = false }: { transposeA?: boolean; transposeB?: boolean },
  ): OnnxName {
    if (this.device === 'webgpu') {
      const exchanged = (x: OnnxName, rank: number) =>
        this.transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
      return this.emit('MatMul', [transposeA ? exchanged(a, rankA) : a, transposeB ? exchanged(b, rankB) : b]);
    }
    const attributes = { transA: { int: transposeA ? 1 : 0 }, transB: { int: transposeB ? 1 : 0 } };
    return this.emit('FusedMatMul', [a, b], attributes, MICROSOFT);
  }

  #once(key: string, make: () => OnnxName): OnnxName {
    const known = this.#cached.get(key);
    if (known !== undefined) return known[0];
    const name = make();
    this.#cached.set(key, [name]);
    return name;
  }

  #name(): OnnxName {
    return `t${this.#count++}`;
  }
}
