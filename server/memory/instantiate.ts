/** @file Instantiating the WebAssembly kernels that `npm run build` compiles from the `assembly/` folders. */

/** Bytes by which a WebAssembly.Memory grows. */
export const PAGE = 65536;

export function compileKernels(base64: string): WebAssembly.Module {
  return new WebAssembly.Module(Buffer.from(base64, 'base64'));
}

/**
 * Kernels that work in a memory of ours.
 * @typeParam Kernels the functions that the module exports, as its `assembly/index.ts` declares them
 */
export function instantiateKernels<Kernels>(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const abort = () => {
    throw new Error('A WebAssembly kernel aborted.');
  };
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as Kernels;
}
