/**
 * @file The memory of a graphics processor as a model needs it: weights, gradients and optimizer state stay there from run to run.
 * ONNX Runtime for Node.js has no copy between host and device (`getData` of a tensor there ends the process), so that a session that
 * computes nothing carries them.
 */
import { encodeOnnxModel } from '../formats/onnx.ts';
import { ort, type InferenceSession, type Tensor } from '../formats/onnxRuntime.ts';
import { deviceErrorOf } from './device.ts';

type HostArray = Float32Array<ArrayBuffer>;

/** A tensor that has a place on the host, too. */
interface Mirrored {
  readonly values: HostArray;
  readonly shape: readonly number[];
}

interface Copies {
  /** Tensors that they are for. */
  readonly count: number;
  readonly toDevice: InferenceSession;
  readonly toHost: InferenceSession;
}

/** Bytes that a device has taken and given since it was opened. */
export interface Traffic {
  toDevice: number;
  toHost: number;
}

/** Sessions on a device: nothing but errors that cannot be caught is printed. */
export const deviceSessionOptions = { executionProviders: ['webgpu'], logSeverityLevel: 4 } as const;

/** Names of tensors are those of the ports of the graphs that read them. */
export class DeviceMemory {
  readonly traffic: Traffic = { toDevice: 0, toHost: 0 };
  readonly #tensors = new Map<string, Tensor>();
  readonly #mirrored = new Map<string, Mirrored>();
  readonly #constants = new Map<string, Mirrored>();
  readonly #sessions: InferenceSession[] = [];
  #copies: Copies | undefined;
  /** The places of the mirrored tensors, of the two that there are, which have what was written last. */
  #isOnHost = true;
  #isOnDevice = false;

  /** Gives a tensor of the host a place on the device. Its values are read at the next {@link toDevice} after a {@link claim}. */
  mirror(name: string, values: HostArray, shape: readonly number[]): void {
    if (!this.#isOnHost) throw new Error(`${name} would be mirrored while the host has no weights.`);
    this.#mirrored.set(name, { values, shape });
    this.#isOnDevice = false;
  }

  /** A tensor that only the device reads, and nobody changes. */
  constant(name: string, values: HostArray, shape: readonly number[]): void {
    this.#constants.set(name, { values, shape });
  }

  /** @throws Error where nothing of that name is on the device */
  tensor(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new Error(`${name} is not on the device.`);
    return tensor;
  }

  /** Takes a tensor that a run has left on the device, in the place of the one before. */
  keep(name: string, tensor: Tensor): void {
    this.#tensors.get(name)?.dispose();
    this.#tensors.set(name, tensor);
    if (this.#mirrored.has(name)) this.#isOnHost = false;
  }

  /** Brings the mirrored tensors to the device where the host may have changed them. */
  async toDevice(): Promise<void> {
    if (!this.#isOnDevice) {
      const { toDevice } = await this.#copySessions();
      await this.#carry(toDevice, this.#mirrored);
      this.#isOnDevice = true;
    }
    const missing = new Map([...this.#constants].filter(([name]) => !this.#tensors.has(name)));
    if (missing.size === 0) return;
    const session = await copySession(missing, 'gpu-buffer');
    this.adopt(session);
    await this.#carry(session, missing);
  }

  /** Brings the mirrored tensors to the host, which may change them until a run on the device needs them again. */
  async claim(): Promise<void> {
    if (!this.#isOnHost) {
      const { toHost } = await this.#copySessions();
      const names = [...this.#mirrored.keys()];
      const feeds = Object.fromEntries(names.map((name) => [name, this.tensor(name)]));
      const fetches = Object.fromEntries(
        Array.from(this.#mirrored, ([name, { values, shape }]) => [copyOf(name), hostTensor(values, shape)]),
      );
      await throwingDeviceErrors(toHost.run(feeds, fetches));
      this.traffic.toHost += bytesOf(this.#mirrored);
      this.#isOnHost = true;
    }
    this.#isOnDevice = false;
  }

  /** Takes a session that leaves tensors here, to release it after them: ONNX Runtime gives their memory back by its session. */
  adopt(session: InferenceSession): void {
    this.#sessions.push(session);
  }

  /** Nothing that ran on the device may do so afterwards. */
  async dispose(): Promise<void> {
    this.#discard([...this.#tensors.keys()]);
    await this.#releaseCopies();
    for (const session of this.#sessions.splice(0)) await session.release();
  }

  #discard(names: Iterable<string>): void {
    for (const name of names) {
      this.#tensors.get(name)?.dispose();
      this.#tensors.delete(name);
    }
  }

  async #carry(session: InferenceSession, tensors: ReadonlyMap<string, Mirrored>): Promise<void> {
    const feeds = Array.from(tensors, ([name, { values, shape }]) => [name, hostTensor(values, shape)] as const);
    const copied = await throwingDeviceErrors(session.run(Object.fromEntries(feeds)));
    for (const [name] of feeds) {
      this.#tensors.get(name)?.dispose();
      this.#tensors.set(name, copied[copyOf(name)]);
    }
    this.traffic.toDevice += bytesOf(tensors);
  }

  /** Sessions for all mirrored tensors. They come in groups: weights, then the state of an optimizer, and the host has them then. */
  async #copySessions(): Promise<Copies> {
    if (this.#copies?.count !== this.#mirrored.size) {
      this.#discard(this.#mirrored.keys());
      await this.#releaseCopies();
      this.#copies = {
        count: this.#mirrored.size,
        toDevice: await copySession(this.#mirrored, 'gpu-buffer'),
        toHost: await copySession(this.#mirrored, 'cpu'),
      };
    }
    return this.#copies;
  }

  async #releaseCopies(): Promise<void> {
    await this.#copies?.toDevice.release();
    await this.#copies?.toHost.release();
    this.#copies = undefined;
  }
}

/** Name of the output that a copy of a tensor leaves its session by. */
const copyOf = (name: string) => `copy:${name}`;

const hostTensor = (values: HostArray, shape: readonly number[]): Tensor => new ort.Tensor('float32', values, shape);

function bytesOf(tensors: ReadonlyMap<string, Mirrored>): number {
  return [...tensors.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
}

function copySession(
  tensors: ReadonlyMap<string, Mirrored>,
  preferredOutputLocation: 'cpu' | 'gpu-buffer',
): Promise<InferenceSession> {
  const values = (rename: (name: string) => string) =>
    Array.from(tensors, ([name, { shape }]) => ({ name: rename(name), type: 'float32' as const, shape }));
  const model = encodeOnnxModel({
    inputs: values((name) => name),
    outputs: values(copyOf),
    initializers: [],
    nodes: Array.from(tensors.keys(), (name) => ({ op: 'Identity', inputs: [name], outputs: [copyOf(name)] })),
  });
  const location = preferredOutputLocation === 'cpu' ? {} : { preferredOutputLocation };
  return throwingDeviceErrors(ort.InferenceSession.create(model, { ...deviceSessionOptions, ...location }));
}

/** @throws DeviceError where the promise is rejected because of the device */
export async function throwingDeviceErrors<T>(promise: Promise<T>): Promise<T> {
  return promise.catch((error: unknown) => {
    throw deviceErrorOf(error) ?? error;
  });
}
