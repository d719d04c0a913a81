/** @file An ONNX Runtime session that runs one graph over tensors bound once, in place. */
import { elementCount } from '../protocol/shape.ts';
import { encodeOnnxModel, type OnnxGraph, type OnnxValue } from '../formats/onnx.ts';
import { deviceErrorOf, type Device } from './device.ts';
import { deviceSessionOptions, throwingDeviceErrors, type DeviceMemory } from './deviceMemory.ts';
import { rejectedOperation } from './lower/rejection.ts';
import { isKept } from './ports.ts';
import { ort, type InferenceSession, type Tensor } from '../formats/onnxRuntime.ts';

export type Buffer = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

export interface SessionOptions {
  /** Default: 'cpu'. */
  device?: Device;
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

/** The memory that has some inputs and outputs of a graph. */
interface OnDevice {
  readonly memory: DeviceMemory;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const bytesOf = (tensors: readonly Tensor[]): number =>
  tensors.reduce((sum, { data }) => sum + (data as Buffer).byteLength, 0);

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

/**
 * A graph with a buffer behind each input and output that is not in the memory of a device; a run reads and writes the buffers, and
 * on the processor nothing is copied.
 */
export class BoundSession {
  /** Buffers by name of input or output. */
  readonly buffers: ReadonlyMap<string, Buffer>;
  readonly #session: InferenceSession;
  readonly #feeds: Record<string, Tensor>;
  readonly #fetches: Record<string, Tensor>;
  /** {@link UNRETURNED} and {@link #fetches}, on the processor. */
  readonly #allFetches: Record<string, Tensor | null>;
  readonly #onDevice: OnDevice | undefined;

  private constructor(
    session: InferenceSession,
    graph: OnnxGraph,
    bound: ReadonlyMap<string, Buffer>,
    { device, memory }: { readonly device: Device; readonly memory: DeviceMemory | undefined },
  ) {
    const buffers = new Map<string, Buffer>();
    const isHere = ({ name }: OnnxValue) => memory === undefined || !isKept(name);
    const tensor = (value: OnnxValue): [string, Tensor] => {
      // Graphs of the compiler have no symbolic dimensions.
      const shape = value.shape as readonly number[];
      const buffer = bound.get(value.name) ?? bufferFor(value, shape);
      buffers.set(value.name, buffer);
      return [value.name, new ort.Tensor(value.type as 'float32', buffer as Float32Array, shape)];
    };
    this.#session = session;
    this.#feeds = Object.fromEntries(graph.inputs.filter(isHere).map(tensor));
    this.#fetches = Object.fromEntries(graph.outputs.filter(isHere).map(tensor));
    this.#allFetches = device === 'cpu' ? { [UNRETURNED]: null, ...this.#fetches } : this.#fetches;
    this.buffers = buffers;
    if (memory) {
      const kept = (values: readonly OnnxValue[]) => values.filter((value) => !isHere(value)).map(({ name }) => name);
      this.#onDevice = { memory, inputs: kept(graph.inputs), outputs: kept(graph.outputs) };
    }
  }

  /**
   * @param bound buffers to use, by name; others are allocated
   * @param memory of the device, which has weights, gradients and optimizer state; default: they are buffers
   * @throws UnsupportedKernel for an operation that ONNX Runtime does not have for its types, DeviceError where the device cannot be used
   */
  static async create(
    graph: OnnxGraph,
    bound: ReadonlyMap<string, Buffer>,
    options: SessionOptions,
    memory?: DeviceMemory,
  ): Promise<BoundSession> {
    const { device = 'cpu' } = options;
    const model = encodeOnnxModel(device === 'cpu' ? withUnreturned(graph) : graph);
    const keeps = memory !== undefined && graph.outputs.some(({ name }) => isKept(name));
    const created = ort.InferenceSession.create(model, {
      ...(device === 'webgpu' ? deviceSessionOptions : { executionProviders: ['cpu'], logSeverityLevel: 3 }),
      ...(keeps && {
        preferredOutputLocation: Object.fromEntries(
          graph.outputs.map(({ name }) => [name, isKept(name) ? 'gpu-buffer' : 'cpu'] as const),
        ),
      }),
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
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
      throw deviceErrorOf(error) ?? rejectedOperation(error) ?? error;
    });
    if (keeps) memory.adopt(session);
    return new BoundSession(session, graph, bound, { device, memory });
  }

  /**
   * @returns the outputs that are left in the memory of the device, by name: whoever takes one disposes of it
   * @throws DeviceError where the device fails
   */
  async run(): Promise<ReadonlyMap<string, Tensor>> {
    if (this.#onDevice === undefined) {
      await this.#runHere();
      return new Map();
    }
    const { memory, inputs, outputs } = this.#onDevice;
    await memory.toDevice();
    const feeds = { ...this.#feeds, ...Object.fromEntries(inputs.map((name) => [name, memory.tensor(name)])) };
    const fetched = Object.entries(this.#fetches);
    memory.traffic.toDevice += bytesOf(Object.values(this.#feeds));
    memory.traffic.toHost += bytesOf(Object.values(this.#fetches));
    if (outputs.length === 0) {
      await throwingDeviceErrors(this.#session.run(feeds, this.#fetches));
      return new Map();
    }
    // ONNX Runtime writes into no buffer of ours where an output stays on the device.
    const results = await throwingDeviceErrors(
      this.#session.run(feeds, [...outputs, ...fetched.map(([name]) => name)]),
    );
    for (const [name, { data }] of fetched) (data as Buffer).set(results[name].data as Buffer);
    return new Map(outputs.map((name) => [name, results[name]]));
  }

  /** All outputs are buffers. */
  async #runHere(): Promise<void> {
    try {
      await throwingDeviceErrors(this.#session.run(this.#feeds, this.#allFetches));
    } catch (error) {
      if (!(error instanceof Error && error.message.includes(CANNOT_RETURN))) throw error;
    }
  }

  /** The memory of a device releases those that leave tensors there. */
  async release(): Promise<void> {
    if (!this.#onDevice?.outputs.length) await this.#session.release();
  }
}
