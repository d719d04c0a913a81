/**
 * @file A TensorFlow.js backend that computes nothing: each kernel records itself as IR nodes and returns their shapes.
 * What a program does on it, autodiff included, is thereby written down as a graph.
 */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import { constant } from '../build.ts';
import type { Node, NodeOf } from '../ir.ts';
import { importDType } from '../import/elementwise.ts';
import { UnsupportedKernel, type KernelImport } from '../import/kernel.ts';
import { kernelImports } from '../import/kernelImports.ts';
import { RandomnessDetector } from './randomness.ts';
import { recordedGradients, withGradients } from './gradients.ts';

const BACKEND = 'deeptwist-recording';

type HostValues = tf.backend_util.BackendValues;

/** The part of TensorFlow.js's plain backend that makes tensors outside of its engine. */
interface CpuBackend {
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: HostValues): tf.TensorInfo;
}

class RecordingBackend extends tf.KernelBackend {
  /** The recording in progress; a kernel that runs outside of one is a mistake. */
  recording: Recording | undefined;

  get active(): Recording {
    if (this.recording === undefined) throw new Error('No recording is in progress.');
    return this.recording;
  }

  override write(values: HostValues, shape: number[], dtype: tf.DataType): tf.DataId {
    return this.active.writeHost(values, shape, dtype);
  }

  override readSync(dataId: tf.DataId): HostValues {
    return this.active.readHost(dataId);
  }

  override read(dataId: tf.DataId): Promise<HostValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override disposeData(): boolean {
    return true;
  }

  override incRef(): void {}
  decRef(): void {}

  override refCount(): number {
    return 1;
  }

  override numDataIds(): number {
    return 0;
  }

  override move(dataId: tf.DataId, values: HostValues, shape: number[], dtype: tf.DataType): void {
    this.active.adopt(dataId, values, shape, dtype);
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }
}

/** One traced run of a program. */
export class Recording {
  /** Name of the layer that is being called. */
  layer: string | undefined;
  readonly #nodes = new WeakMap<tf.DataId, Node>();
  readonly #attributes = new WeakMap<Node, unknown>();
  readonly #randomness: RandomnessDetector;

  constructor(seed: number) {
    this.#randomness = new RandomnessDetector(seed, () => this.layer);
  }

  /** Lets a tensor stand for a node: a weight, a placeholder of the batch. */
  bind(tensor: tf.Tensor, node: Node): void {
    this.#nodes.set(tensor.dataId, node);
  }

  /** A tensor of the recording backend that stands for a node. */
  tensor(node: Node): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.#info(node));
  }

  /** The node that a tensor stands for. */
  node(tensor: tf.TensorInfo): Node {
    const known = this.#nodes.get(tensor.dataId);
    if (known !== undefined) return known;
    const { backend } = tf.engine().state.tensorInfo.get(tensor.dataId) as { backend: tf.KernelBackend };
    return this.#host(tensor.dataId, backend.readSync(tensor.dataId), tensor.shape, tensor.dtype);
  }

  /** Runs with Math.random watched, so that tensors of random numbers are recognised. */
  run<R>(program: () => R): R {
    return this.#randomness.watch(program);
  }

  writeHost(values: HostValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const dataId = {};
    if (this.#randomness.sampling(values)) return dataId;
    const node = this.#randomness.recognise(values as ArrayLike<number>, shape);
    if (node === undefined) this.#host(dataId, values, shape, dtype);
    else this.#nodes.set(dataId, node);
    return dataId;
  }

  adopt(dataId: tf.DataId, values: HostValues, shape: number[], dtype: tf.DataType): void {
    this.#host(dataId, values, shape, dtype);
  }

  readHost(dataId: tf.DataId): HostValues {
    const node = this.#nodes.get(dataId);
    if (node?.op !== 'Constant') {
      throw new UnsupportedKernel('dataSync', 'JavaScript asks for the value of a tensor inside the step', this.layer);
    }
    return valuesOf(node);
  }

  /** @throws UnsupportedKernel naming the kernel and the layer */
  kernel(
    name: string,
    inputs: Record<string, tf.TensorInfo | undefined>,
    attributes: unknown,
  ): tf.TensorInfo | tf.TensorInfo[] {
    const nodes: Record<string, Node> = {};
    for (const [key, info] of Object.entries(inputs)) if (info) nodes[key] = this.node(info);
    const layer = this.layer ?? Object.values(nodes).find((node) => node.layer !== undefined)?.layer;
    const build = kernelImports[name] as KernelImport<unknown> | undefined;
    if (build === undefined && Object.values(nodes).every(({ op }) => op === 'Constant')) {
      return this.#computed(name, nodes, attributes);
    }
    if (build === undefined) throw new UnsupportedKernel(name, 'the compiler has no lowering for it', layer);
    const made = explained(name, layer, () => {
      const watched = watchReads(attributes);
      const result = build(nodes, watched.attributes);
      const unread = watched.unread();
      if (unread !== undefined) throw new TypeError(`the compiler does not know its attribute ${unread}`);
      return result;
    });
    if (layer !== undefined) attribute([made].flat(), layer, new Set(Object.values(nodes)));
    if (Array.isArray(made)) return made.map((node) => this.#info(node));
    // A copy is the same node.
    if (!this.#attributes.has(made)) this.#attributes.set(made, attributes);
    return this.#info(made);
  }

  /** The attributes of the kernel that a tensor is the result of. */
  attributesOf(result: tf.TensorInfo): unknown {
    return this.#attributes.get(this.node(result));
  }

  /** What a kernel without a lowering makes of constants alone, computed once by TensorFlow.js. */
  #computed(name: string, nodes: Record<string, Node>, attributes: unknown): tf.TensorInfo | tf.TensorInfo[] {
    const cpu = tf.findBackend('cpu') as tf.KernelBackend & CpuBackend;
    const inputs = Object.fromEntries(
      Object.entries(nodes).map(([key, node]) => {
        const { shape, dtype } = node.type;
        return [key, cpu.makeTensorInfo([...shape], dtype, valuesOf(node as NodeOf<'Constant'>))];
      }),
    );
    const kernelFunc = tf.getKernel(name, 'cpu').kernelFunc;
    const results = [kernelFunc({ inputs, attrs: attributes as tf.NamedAttrMap, backend: cpu })].flat();
    const recorded = results.map((result) => {
      const dataId = {};
      this.#host(dataId, cpu.readSync(result.dataId), result.shape, result.dtype);
      cpu.disposeData(result.dataId, true);
      return { dataId, shape: result.shape, dtype: result.dtype };
    });
    for (const { dataId } of Object.values(inputs)) cpu.disposeData(dataId, true);
    return recorded.length === 1 ? recorded[0] : recorded;
  }

  #host(dataId: tf.DataId, values: HostValues, shape: readonly number[], type: tf.DataType): Node {
    const dtype = importDType(type, 'tensor');
    const node = constant(values as ArrayLike<number>, shape, dtype);
    node.layer = this.layer;
    this.#nodes.set(dataId, node);
    return node;
  }

  #info(node: Node): tf.TensorInfo {
    const dataId = {};
    this.#nodes.set(dataId, node);
    return { dataId, shape: [...node.type.shape], dtype: node.type.dtype };
  }
}

/** All elements of a constant. */
function valuesOf({ params: { values }, type: { shape } }: NodeOf<'Constant'>): Float32Array | Int32Array | Uint8Array {
  const count = elementCount(shape);
  return values.length === count ? values : new (values.constructor as Float32ArrayConstructor)(count).fill(values[0]);
}

/** Runs an import of the kernel `name`; what it throws says that the kernel has no IR form. */
function explained(name: string, layer: string | undefined, build: () => Node | Node[]): Node | Node[] {
  try {
    return build();
  } catch (error) {
    throw new UnsupportedKernel(name, (error as Error).message, layer);
  }
}

/** Attributes that tell which of them an import has not read: what it does not know of, it cannot have done justice to. */
function watchReads(attributes: unknown): { attributes: unknown; unread: () => string | undefined } {
  const given = (attributes ?? {}) as Record<string, unknown>;
  const read = new Set<PropertyKey>();
  const watched = new Proxy(given, {
    get(target, key): unknown {
      read.add(key);
      return Reflect.get(target, key);
    },
  });
  return {
    attributes: watched,
    unread: () => Object.keys(given).find((key) => given[key] !== undefined && !read.has(key)),
  };
}

/** Gives a kernel's operations, up to its inputs, to a layer. */
function attribute(made: readonly Node[], layer: string, inputs: ReadonlySet<Node>): void {
  const stack = [...made];
  const seen = new Set<Node>(inputs);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    // Constants without a layer may be shared.
    if (seen.has(node) || node.inputs.length === 0) continue;
    seen.add(node);
    node.layer = layer;
    stack.push(...node.inputs);
  }
}

let backend: RecordingBackend | undefined;

function recordingBackend(): RecordingBackend {
  if (backend !== undefined) return backend;
  const created = new RecordingBackend();
  tf.registerBackend(BACKEND, () => created, 0);
  tf.findBackend(BACKEND);
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => created.active.kernel(kernelName, inputs, attrs),
    });
  }
  backend = created;
  return created;
}

/**
 * Records what `program` does; the backend that was set before is set again.
 * @param seed of Math.random
 */
export async function record<R>(seed: number, program: (recording: Recording) => R): Promise<R> {
  const recorder = recordingBackend();
  const previous = tf.getBackend() as string | undefined;
  const recording = new Recording(seed);
  recorder.recording = recording;
  await tf.setBackend(BACKEND);
  try {
    const gradients = recordedGradients((result) => recording.attributesOf(result));
    return withGradients(() => recording.run(() => program(recording)), gradients);
  } finally {
    recorder.recording = undefined;
    if (previous) await tf.setBackend(previous); // There is none before TensorFlow.js has computed anything.
  }
}
