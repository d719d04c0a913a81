/** @file Instantiating the WebAssembly kernels that `npm run build` compiles from the `assembly/` folders. */

/** Bytes by which a WebAssembly.Memory grows. */
export const PAGE = 65536;
/** Pages that a WebAssembly.Memory can have, which the kernels' code gives as the maximum of the memory that it imports. */
export const MOST_PAGES = 65536;

/** In the code, what comes before the flags of the limits of the memory that is imported: its name, and 2 for a memory. */
const BEFORE_FLAGS = Buffer.from('\u0006memory\u0002', 'latin1');
/** Flags of limits: a maximum follows, and the memory is shared between threads. */
const [WITH_MAXIMUM, SHARED] = [1, 3];

/** True for a memory that threads share. */
export function isShared({ buffer }: WebAssembly.Memory): boolean {
  return (buffer as ArrayBufferLike) instanceof SharedArrayBuffer;
}

/**
 * The code of kernels, and its instances over memories. A module imports one kind of memory, by a flag: those that threads share, or others.
 * @typeParam Kernels the functions that the code exports, as its `assembly/index.ts` declares them
 */
export class KernelCode<Kernels extends object> {
  readonly #base64: string;
  readonly #modules = new Map<boolean, WebAssembly.Module>();
  readonly #instances = new WeakMap<WebAssembly.Memory, Kernels>();

  constructor(base64: string) {
    this.#base64 = base64;
  }

  /** The kernels that work in a memory, instantiated once for each memory. */
  kernelsIn(memory: WebAssembly.Memory): Kernels {
    const known = this.#instances.get(memory);
    if (known) return known;
    const kernels = instantiateKernels<Kernels>(this.moduleFor(memory), memory);
    this.#instances.set(memory, kernels);
    return kernels;
  }

  /** The module that can import a memory. */
  moduleFor(memory: WebAssembly.Memory): WebAssembly.Module {
    const shared = isShared(memory);
    const known = this.#modules.get(shared);
    if (known) return known;
    const code = Buffer.from(this.#base64, 'base64');
    if (shared) share(code);
    const module = new WebAssembly.Module(code);
    this.#modules.set(shared, module);
    return module;
  }
}

/** Makes code, in place, import a memory that threads share. */
function share(code: Buffer): void {
  const flags = code.indexOf(BEFORE_FLAGS) + BEFORE_FLAGS.length;
  if (code[flags] !== WITH_MAXIMUM) throw new TypeError('The kernels import no memory with a maximum.');
  code[flags] = SHARED;
}

/** Kernels of a module that work in a memory of ours. */
export function instantiateKernels<Kernels>(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const abort = () => {
    throw new Error('A WebAssembly kernel aborted.');
  };
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as Kernels;
}
