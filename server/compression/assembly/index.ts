/** @file WebAssembly kernels of the compression, AssemblyScript with SIMD. */
export { countBins, moments } from './histogram';
export { pruneSmallest } from './prune';
export { bucketRanges, roundAtRandom, roundToLevels } from './uniform';
