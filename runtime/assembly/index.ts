/** @file What the module exports; `runtime/kernels.ts` has the types. Addresses count in bytes. */
export { multiplyVector, multiplyMatrix } from './dense';
export { multiplySparse, multiplySparseColumns, transposeTo16 } from './sparse';
export { buildTables, multiplyCodes } from './codes';
export { activate, combine, multiplyBy, scaleChannels, normalizeRows, softmax } from './elementwise';
export { gather, copyBlocks, copyPatches } from './movement';
export { pool, convolveDepthwise } from './windows';
