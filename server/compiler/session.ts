/** @file An ONNX Runtime session that runs one graph over tensors bound once, in place. */
import { elementCount } from '../protocol/shape.ts';
import { encodeOnnxModel, type OnnxGraph, type OnnxValue } from '../formats/onnx.ts';
import { rejectedOperation } from './lower/rejection.ts';
import { ort, type InferenceSession, type Tensor } from '../formats/onnxRuntime.ts';

export type Buffer = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

export interface SessionOptions {
  threads: number;
  /** True where idle threads wait busily for the next operator of a run: faster while nothing else wants the cores. */
  spinning: boolean;
}

/**
 * Optimizers of ONNX Runtime 1.30 that change results. Pad_Fusion moves a border of zeros into the pads of a MaxPool, which stand for
 * -infinity, and gives AveragePool and MaxPool pads as large as their windows, which they refuse.
 */
const WRONG_OPTIMIZERS = ['Pad_Fusion'];

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

function bufferFor({ type, name }: OnnxValue, shape: readonly number[]): Buffer {
  if (type === 'float64' || type === 'int64' || type === 'uint8')
    throw new TypeError(`The graph has ${name} of type ${type}.`);
  return new arrays[type](elementCount(shape));
}

/**
 * First output of each session, a sequence, which has no counterpart in JavaScript. A run writes its outputs into the buffers that it got.
 * Then onnxruntime-node (1.30) copies them, one after the other, for a result that nobody needs, and gives up at this one: after the run,
 * before the first copy. The copies took a tenth of a step of LeNet-300-100, and half of one of 74 million weights. A version that does not
 * copy, or returns sequences, has no error here, and the buffers are the same.
 */
const UNRETURNED = 'unreturned';
const CANNOT_RETURN = 'Non tensor type is temporarily not supported';

function withUnreturned(graph: OnnxGraph): OnnxGraph {
  const element = { name: `${UNRETURNED}:element`, type: 'float32', shape: [], data: new Float32Array(1) } as const;
  return {
    ...graph,
    initializers: [...graph.initializers, element],
    nodes: [...graph.nodes, { op: 'SequenceConstruct', inputs: [element.name], outputs: [UNRETURNED] }],
    outputs: [{ name: UNRETURNED, type: 'float32', shape: [], isSequence: true }, ...graph.outputs],
  };
}

/** A graph with a buffer behind each input and output; a run reads and writes the buffers, nothing is copied. */
export class BoundSession {
  /** Buffers by name of input or output. */
  readonly buffers: ReadonlyMap<string, Buffer>;
  readonly #session: InferenceSession;
  readonly #feeds: Record<string, Tensor>;
  readonly #fetches: Record<string, Tensor | null>;

  private constructor(session: InferenceSession, graph: OnnxGraph, bound: ReadonlyMap<string, Buffer>) {
    const buffers = new Map<string, Buffer>();
    const tensor = (value: OnnxValue): [string, Tensor] => {
      // Graphs of the compiler have no symbolic dimensions.
      const shape = value.shape as readonly number[];
      const buffer = bound.get(value.name) ?? bufferFor(value, shape);
      buffers.set(value.name, buffer);
      return [value.name, new ort.Tensor(value.type as 'float32', buffer as Float32Array, shape)];
    };
    this.#session = session;
    this.#feeds = Object.fromEntries(graph.inputs.map(tensor));
    this.#fetches = { [UNRETURNED]: null, ...Object.fromEntries(graph.outputs.map(tensor)) };
    this.buffers = buffers;
  }

  /**
   * @param bound buffers to use, by name; others are allocated
   * @throws UnsupportedKernel for an operation that ONNX Runtime does not have for its types
   */
  static async create(
    graph: OnnxGraph,
    bound: ReadonlyMap<string, Buffer>,
    options: SessionOptions,
  ): Promise<BoundSession> {
    const model = encodeOnnxModel(withUnreturned(graph));
    const created = ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      extra: {
        optimization: { disable_specified_optimizers: WRONG_OPTIMIZERS.join(';') },
        session: {
          set_denormal_as_zero: '1',
          // Between two runs the optimizer and JavaScript have the core to themselves.
          force_spinning_stop: '1',
          intra_op: { allow_spinning: options.spinning ? '1' : '0' },
        },
      },
    });
    const session = await created.catch((error: unknown) => {
      throw rejectedOperation(error) ?? error;
    });
    return new BoundSession(session, graph, bound);
  }

  async run(): Promise<void> {
    try {
      await this.#session.run(this.#feeds, this.#fetches);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes(CANNOT_RETURN))) throw error;
    }
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
