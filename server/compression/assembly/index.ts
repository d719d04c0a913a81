/** @file WebAssembly kernels of the compression, AssemblyScript with SIMD. */
export { pruneSmallest } from './prune';
