/** @file WebAssembly kernels of the compression, AssemblyScript with SIMD. */
export { countBins, moments } from './histogram';
export { pruneSmallest } from './prune';
export { bucketGradients, roundToTable, sumByLevel } from './table';
export { bucketRanges, roundAtRandom, roundToLevels } from './uniform';
