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

/** The code of kernels for memories that threads share, and for others: a module imports one kind, by a flag. */
export class KernelCode {
  readonly #code: Buffer<ArrayBuffer>;
  readonly #modules = new Map<boolean, WebAssembly.Module>();

  constructor(base64: string) {
    this.#code = Buffer.from(base64, 'base64');
  }

  /** The module that can import a memory. */
  moduleFor(memory: WebAssembly.Memory): WebAssembly.Module {
    const shared = isShared(memory);
    const known = this.#modules.get(shared);
    if (known) return known;
    const module = new WebAssembly.Module(shared ? this.#sharedCode() : this.#code);
    this.#modules.set(shared, module);
    return module;
  }

  #sharedCode(): Buffer<ArrayBuffer> {
    const code = Buffer.from(this.#code);
    const flags = code.indexOf(BEFORE_FLAGS) + BEFORE_FLAGS.length;
    if (code[flags] !== WITH_MAXIMUM) throw new TypeError('The kernels import no memory with a maximum.');
    code[flags] = SHARED;
    return code;
  }
}

/**
 * Kernels that work in a memory of ours.
 * @typeParam Kernels the functions that the module exports, as its `assembly/index.ts` declares them
 */
export function instantiateKernels<Kernels>(
  code: KernelCode | WebAssembly.Module,
  memory: WebAssembly.Memory,
): Kernels {
  const module = code instanceof KernelCode ? code.moduleFor(memory) : code;
  const abort = () => {
    throw new Error('A WebAssembly kernel aborted.');
  };
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as Kernels;
}
