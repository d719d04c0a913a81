/**
 * @file A TensorFlow.js backend that computes nothing: each kernel records itself as IR nodes and returns their shapes.
 * What a program does on it, autodiff included, is thereby written down as a graph.
 */
import * as tf from '@tensorflow/tfjs';
import { constant } from '../build.ts';
import type { Node } from '../ir.ts';
import { importDType } from '../import/elementwise.ts';
import { UnsupportedKernel, type KernelImport } from '../import/kernel.ts';
import { kernelImports } from '../import/kernelImports.ts';
import { RandomnessDetector } from './randomness.ts';
import { recordedGradients, withGradients } from './gradients.ts';
import {
  computeOnHost,
  isConstant,
  keptConstant,
  keptValues,
  rememberCall,
  rememberTensor,
  valuesOf,
  type HostValues,
} from './keptTensors.ts';

const BACKEND = 'deeptwist-recording';

class RecordingBackend extends tf.KernelBackend {
  /** The recording in progress; a kernel that runs outside of one is a mistake. */
  recording: Recording | undefined;
  /** How many tensors and variables have the same data; one, if it is not here. */
  readonly #references = new WeakMap<tf.DataId, number>();

  get active(): Recording {
    if (this.recording === undefined) throw new Error('No recording is in progress.');
    return this.recording;
  }

  override write(values: HostValues, shape: number[], dtype: tf.DataType): tf.DataId {
    return this.active.writeHost(values, shape, dtype);
  }

  override readSync(dataId: tf.DataId): HostValues {
    return this.recording === undefined ? keptValues(dataId) : this.recording.readHost(dataId);
  }

  override read(dataId: tf.DataId): Promise<HostValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    this.decRef(dataId);
    return force || this.refCount(dataId) <= 0;
  }

  override incRef(dataId: tf.DataId): void {
    this.#references.set(dataId, this.refCount(dataId) + 1);
  }

  decRef(dataId: tf.DataId): void {
    this.#references.set(dataId, this.refCount(dataId) - 1);
  }

  override refCount(dataId: tf.DataId): number {
    return this.#references.get(dataId) ?? 1;
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

  /**
   * The node that a tensor stands for.
   * @throws UnsupportedKernel for a tensor of an earlier step that is no constant, or was not kept
   */
  node({ dataId, shape, dtype }: tf.TensorInfo): Node {
    const known = this.#known(dataId);
    if (known !== undefined) return known;
    const holder = (tf.engine().state.tensorInfo.get(dataId) as { backend: tf.KernelBackend } | undefined)?.backend;
    if (holder === undefined || holder instanceof RecordingBackend) {
      const which = holder === undefined ? 'that was disposed of after an earlier step' : 'of an earlier step';
      throw new UnsupportedKernel('tf.keep', `JavaScript uses a tensor ${which}`, this.layer);
    }
    const node = this.#host(holder.readSync(dataId), shape, dtype);
    this.#nodes.set(dataId, node);
    return node;
  }

  #known(dataId: tf.DataId): Node | undefined {
    return this.#nodes.get(dataId) ?? keptConstant(dataId);
  }

  /** Runs with Math.random watched, so that tensors of random numbers are recognised. */
  run<R>(program: () => R): R {
    return this.#randomness.watch(program);
  }

  writeHost(values: HostValues, shape: number[], dtype: tf.DataType): tf.DataId {
    if (this.#randomness.sampling(values)) return {};
    const random = this.#randomness.recognise(values as ArrayLike<number>, shape);
    return this.#info(random ?? this.#host(values, shape, dtype)).dataId;
  }

  adopt(dataId: tf.DataId, values: HostValues, shape: number[], dtype: tf.DataType): void {
    this.#nodes.set(dataId, this.#host(values, shape, dtype));
  }

  readHost(dataId: tf.DataId): HostValues {
    const node = this.#known(dataId);
    if (node === undefined || !isConstant(node)) {
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
    if (build === undefined && Object.values(nodes).every(isConstant)) {
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
    rememberCall([made].flat(), { name, inputs: nodes, attributes });
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
    const results = computeOnHost({ name, inputs: nodes, attributes }).map(({ values, shape, dtype }) =>
      this.#info(this.#host(values, shape, dtype)),
    );
    return results.length === 1 ? results[0] : results;
  }

  #host(values: HostValues, shape: readonly number[], type: tf.DataType): Node {
    const node = constant(values as ArrayLike<number>, shape, importDType(type, 'tensor'));
    node.layer = this.layer;
    return node;
  }

  #info(node: Node): tf.TensorInfo {
    const dataId = {};
    this.#nodes.set(dataId, node);
    rememberTensor(dataId, node);
    return { dataId, shape: [...node.type.shape], dtype: node.type.dtype };
  }
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
