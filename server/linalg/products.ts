/** @file Matrix products by ONNX Runtime: small generated models, one session of each kind and thread count. */
import { availableParallelism } from 'node:os';
import { encodeOnnxModel, type OnnxAttribute, type OnnxGraph, type OnnxType } from '../formats/onnx.ts';
import { ort, type InferenceSession, type Tensor } from '../formats/onnxRuntime.ts';

interface GramData {
  float32: Float32Array;
  float64: Float64Array;
}
export type GramPrecision = keyof GramData;
/** `rows`: A A'; `columns`: A' A. */
type GramSide = 'rows' | 'columns';

/** A float32 matrix [rows, columns], row-major. */
export interface Matrix {
  data: Float32Array;
  rows: number;
  columns: number;
}

/** Below this size of the shorter side, waking a second thread costs more than it computes. */
const ONE_THREAD_BELOW = 300;

/** Threads for the products of a matrix when the user sets none. */
export function defaultThreads(rows: number, columns: number): number {
  return Math.min(rows, columns) < ONE_THREAD_BELOW ? 1 : availableParallelism();
}

/** Products of float32 matrices; `threads` of ONNX Runtime work on one product. */
export class Products {
  readonly #threads: number;

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Gram matrix of a matrix, accumulated in `precision`; [rows, rows] or [columns, columns]. */
  async gram<P extends GramPrecision>(matrix: Matrix, side: GramSide, precision: P): Promise<GramData[P]> {
    const { gram } = await this.#run(`gram ${side} ${precision}`, () => gramGraph(side, precision), {
      matrix: tensorOf(matrix),
    });
    return gram.data as GramData[P];
  }

  /** left * right. */
  multiply(left: Matrix, right: Matrix): Promise<Matrix> {
    return this.#multiply(left, right, false, false);
  }

  /** left' * right. */
  multiplyLeftTransposed(left: Matrix, right: Matrix): Promise<Matrix> {
    return this.#multiply(left, right, true, false);
  }

  /** left * right'. */
  multiplyRightTransposed(left: Matrix, right: Matrix): Promise<Matrix> {
    return this.#multiply(left, right, false, true);
  }

  /** left * right', in float64; [left.rows, right.rows]. */
  async multiplyToFloat64(left: Matrix, right: Matrix): Promise<Float64Array> {
    const { product } = await this.#run('multiply to float64', multiplyToFloat64Graph, {
      left: tensorOf(left),
      right: tensorOf(right),
    });
    return product.data as Float64Array;
  }

  /** Writes left * right to `target`. */
  async multiplyInto(target: Float32Array, left: Matrix, right: Matrix): Promise<void> {
    await this.#run(
      'multiply false false',
      () => multiplyGraph(false, false),
      { left: tensorOf(left), right: tensorOf(right) },
      { product: new ort.Tensor('float32', target, [left.rows, right.columns]) },
    );
  }

  /**
   * Writes (I - V' T' V) X to `target` [n, count].
   *
   * @param x [n, count]
   * @param v [b, n]
   * @param t [b, b]
   */
  async reflectInto(target: Float32Array, x: Matrix, v: Matrix, t: Matrix): Promise<void> {
    await this.#run(
      'reflect',
      reflectGraph,
      { x: tensorOf(x), v: tensorOf(v), t: tensorOf(t) },
      { reflected: new ort.Tensor('float32', target, [x.rows, x.columns]) },
    );
  }

  /**
   * One step of a Cholesky factorization by blocks.
   *
   * @param inverse L11^-1 [m, m]
   * @param below C21 [n, m]
   * @param last C22 [n, n]
   * @returns L21 = C21 L11^-T [n, m] and C22 - L21 L21' [n, n]
   */
  async eliminate(inverse: Float64Array, below: Float64Array, last: Float64Array) {
    const m = Math.sqrt(inverse.length);
    const n = Math.sqrt(last.length);
    const { factor, rest } = await this.#run('eliminate', eliminateGraph, {
      inverse: new ort.Tensor('float64', inverse, [m, m]),
      below: new ort.Tensor('float64', below, [n, m]),
      last: new ort.Tensor('float64', last, [n, n]),
    });
    return { factor: factor.data as Float64Array, rest: rest.data as Float64Array };
  }

  /** -L22^-1 L21 L11^-1 [n, m], of [n, n], [n, m] and [m, m]. */
  async inverseCorner(second: Float64Array, factor: Float64Array, first: Float64Array): Promise<Float64Array> {
    const m = Math.sqrt(first.length);
    const n = Math.sqrt(second.length);
    const { corner } = await this.#run('inverse corner', inverseCornerGraph, {
      second: new ort.Tensor('float64', second, [n, n]),
      factor: new ort.Tensor('float64', factor, [n, m]),
      first: new ort.Tensor('float64', first, [m, m]),
    });
    return corner.data as Float64Array;
  }

  async #multiply(left: Matrix, right: Matrix, transposeLeft: boolean, transposeRight: boolean): Promise<Matrix> {
    const { product } = await this.#run(
      `multiply ${transposeLeft} ${transposeRight}`,
      () => multiplyGraph(transposeLeft, transposeRight),
      { left: tensorOf(left), right: tensorOf(right) },
    );
    return {
      data: product.data as Float32Array,
      rows: transposeLeft ? left.columns : left.rows,
      columns: transposeRight ? right.rows : right.columns,
    };
  }

  async #run(
    kind: string,
    graph: () => OnnxGraph,
    inputs: Record<string, Tensor>,
    outputs: Record<string, Tensor> = {},
  ): Promise<Record<string, Tensor>> {
    const session = await openSession(kind, graph, this.#threads);
    return session.run(inputs, outputs);
  }
}

const sessions = new Map<string, Promise<InferenceSession>>();

/** Sessions live as long as the process: there are at most a dozen, and each holds a model of under 1 kB. */
function openSession(kind: string, graph: () => OnnxGraph, threads: number): Promise<InferenceSession> {
  const key = `${kind} ${threads}`;
  let session = sessions.get(key);
  if (session === undefined) {
    session = ort.InferenceSession.create(encodeOnnxModel(graph()), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // An arena would keep the largest intermediate, twice the bytes of the matrix, for the rest of the process.
      enableCpuMemArena: false,
      // A thread that waits by spinning would take the core on which the WebAssembly kernels run.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    sessions.set(key, session);
  }
  return session;
}

function tensorOf({ data, rows, columns }: Matrix): Tensor {
  return new ort.Tensor('float32', data, [rows, columns]);
}

const value = (name: string, type: OnnxType, ...shape: string[]) => ({ name, type, shape });
const transpose = (left: boolean, right: boolean): Record<string, OnnxAttribute> => ({
  transA: { int: left ? 1 : 0 },
  transB: { int: right ? 1 : 0 },
});

/** TensorProto.DataType.DOUBLE */
const toFloat64 = { to: { int: 11 } };

function gramGraph(side: GramSide, precision: GramPrecision): OnnxGraph {
  const attributes = transpose(side === 'columns', side === 'rows');
  const size = side === 'rows' ? 'm' : 'n';
  return {
    inputs: [value('matrix', 'float32', 'm', 'n')],
    outputs: [value('gram', precision, size, size)],
    initializers: [],
    nodes:
      precision === 'float64'
        ? [
            { op: 'Cast', inputs: ['matrix'], outputs: ['wide'], attributes: toFloat64 },
            { op: 'Gemm', inputs: ['wide', 'wide'], outputs: ['gram'], attributes },
          ]
        : [{ op: 'Gemm', inputs: ['matrix', 'matrix'], outputs: ['gram'], attributes }],
  };
}

function multiplyGraph(transposeLeft: boolean, transposeRight: boolean): OnnxGraph {
  return {
    inputs: [
      value('left', 'float32', ...(transposeLeft ? ['k', 'm'] : ['m', 'k'])),
      value('right', 'float32', ...(transposeRight ? ['n', 'k'] : ['k', 'n'])),
    ],
    outputs: [value('product', 'float32', 'm', 'n')],
    initializers: [],
    nodes: [
      {
        op: 'Gemm',
        inputs: ['left', 'right'],
        outputs: ['product'],
        attributes: transpose(transposeLeft, transposeRight),
      },
    ],
  };
}

function multiplyToFloat64Graph(): OnnxGraph {
  return {
    inputs: [value('left', 'float32', 'm', 'k'), value('right', 'float32', 'n', 'k')],
    outputs: [value('product', 'float64', 'm', 'n')],
    initializers: [],
    nodes: [
      { op: 'Cast', inputs: ['left'], outputs: ['wideLeft'], attributes: toFloat64 },
      { op: 'Cast', inputs: ['right'], outputs: ['wideRight'], attributes: toFloat64 },
      { op: 'Gemm', inputs: ['wideLeft', 'wideRight'], outputs: ['product'], attributes: transpose(false, true) },
    ],
  };
}

function eliminateGraph(): OnnxGraph {
  return {
    inputs: [
      value('inverse', 'float64', 'm', 'm'),
      value('below', 'float64', 'n', 'm'),
      value('last', 'float64', 'n', 'n'),
    ],
    outputs: [value('factor', 'float64', 'n', 'm'), value('rest', 'float64', 'n', 'n')],
    initializers: [],
    nodes: [
      { op: 'Gemm', inputs: ['below', 'inverse'], outputs: ['factor'], attributes: transpose(false, true) },
      {
        op: 'Gemm',
        inputs: ['factor', 'factor', 'last'],
        outputs: ['rest'],
        attributes: { ...transpose(false, true), alpha: { float: -1 } },
      },
    ],
  };
}

function inverseCornerGraph(): OnnxGraph {
  return {
    inputs: [
      value('second', 'float64', 'n', 'n'),
      value('factor', 'float64', 'n', 'm'),
      value('first', 'float64', 'm', 'm'),
    ],
    outputs: [value('corner', 'float64', 'n', 'm')],
    initializers: [],
    nodes: [
      { op: 'Gemm', inputs: ['factor', 'first'], outputs: ['product'] },
      { op: 'Gemm', inputs: ['second', 'product'], outputs: ['corner'], attributes: { alpha: { float: -1 } } },
    ],
  };
}

function reflectGraph(): OnnxGraph {
  return {
    inputs: [value('x', 'float32', 'n', 'c'), value('v', 'float32', 'b', 'n'), value('t', 'float32', 'b', 'b')],
    outputs: [value('reflected', 'float32', 'n', 'c')],
    initializers: [],
    nodes: [
      { op: 'Gemm', inputs: ['v', 'x'], outputs: ['vx'] },
      { op: 'Gemm', inputs: ['t', 'vx'], outputs: ['tvx'], attributes: transpose(true, false) },
      {
        op: 'Gemm',
        inputs: ['v', 'tvx', 'x'],
        outputs: ['reflected'],
        attributes: { ...transpose(true, false), alpha: { float: -1 } },
      },
    ],
  };
}
