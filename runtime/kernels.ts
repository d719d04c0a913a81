/** @file The WebAssembly kernels, as `assembly/index.ts` exports them. Addresses count in bytes, lengths and strides in numbers. */
import { deflatedWasmBase64 } from './generated/wasm.ts';

export interface Kernels {
  multiplyVector(x: number, w: number, bias: number, inputs: number, outputs: number, y: number): void;
  multiplyMatrix(x: number, count: number, w: number, bias: number, inputs: number, outputs: number, y: number): void;
  multiplySparse(
    x: number,
    values: number,
    distances: number,
    sizes: number,
    order: number,
    outputs: number,
    bias: number,
    y: number,
  ): void;
  multiplySparseColumns(
    columns: number,
    count: number,
    values: number,
    distances: number,
    sizes: number,
    order: number,
    outputs: number,
    bias: number,
    y: number,
  ): void;
  transposeTo16(x: number, count: number, inputs: number, columns: number): void;
  buildTables(x: number, groups: number, tables: number): number;
  multiplyCodes(
    tables: number,
    unit: number,
    keys: number,
    scales: number,
    bits: number,
    groups: number,
    outputs: number,
    bias: number,
    y: number,
  ): void;
  activate(kind: number, alpha: number, x: number, length: number): void;
  combine(kind: number, a: number, b: number, length: number, y: number): void;
  multiplyBy(factor: number, x: number, length: number, y: number): void;
  scaleChannels(x: number, scale: number, shift: number, channels: number, count: number, y: number): void;
  normalizeRows(x: number, epsilon: number, size: number, count: number, y: number): void;
  softmax(x: number, size: number, count: number): void;
  gather(x: number, index: number, length: number, y: number): void;
  copyBlocks(x: number, xStride: number, bytes: number, count: number, y: number, yStride: number): void;
  copyPatches(
    x: number,
    height: number,
    width: number,
    channels: number,
    kernelHeight: number,
    kernelWidth: number,
    strideHeight: number,
    strideWidth: number,
    dilationHeight: number,
    dilationWidth: number,
    paddingTop: number,
    paddingLeft: number,
    outputWidth: number,
    first: number,
    count: number,
    patches: number,
  ): void;
  pool(
    isMaximum: number,
    x: number,
    height: number,
    width: number,
    channels: number,
    windowHeight: number,
    windowWidth: number,
    strideHeight: number,
    strideWidth: number,
    paddingTop: number,
    paddingLeft: number,
    outputHeight: number,
    outputWidth: number,
    y: number,
  ): void;
  convolveDepthwise(
    x: number,
    height: number,
    width: number,
    channels: number,
    kernel: number,
    kernelHeight: number,
    kernelWidth: number,
    multiplier: number,
    strideHeight: number,
    strideWidth: number,
    dilationHeight: number,
    dilationWidth: number,
    paddingTop: number,
    paddingLeft: number,
    outputHeight: number,
    outputWidth: number,
    bias: number,
    y: number,
  ): void;
}

/** Kinds of `activate`, as `assembly/elementwise.ts` numbers them. */
export const activationKinds = {
  relu: 0,
  relu6: 1,
  sigmoid: 2,
  hardSigmoid: 3,
  tanh: 4,
  swish: 5,
  exp: 6,
  leakyRelu: 7,
  elu: 8,
} as const;

/** Kinds of `combine`. */
export const combinations = { add: 0, multiply: 1, maximum: 2, minimum: 3, subtract: 4 } as const;

/** Compiles the kernels; they work in the given memory. A browser compiles on its main thread only when it may be waited for. */
export async function instantiateKernels(memory: WebAssembly.Memory): Promise<Kernels> {
  const deflated = Uint8Array.from(atob(deflatedWasmBase64), (character) => character.charCodeAt(0));
  const wasm = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate'));
  const { instance } = await WebAssembly.instantiate(await new Response(wasm).arrayBuffer(), { env: { memory } });
  return instance.exports as unknown as Kernels;
}
