/** @file The arrays that export_models.py writes, as samples. */
import type { NpyArray } from '../../server/formats/npy.ts';

export function isOfFloats({ dtype }: NpyArray): boolean {
  return dtype.startsWith('f');
}

/** Numbers of an array in the type of samples. */
export function samplesOf(array: NpyArray): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  return isOfFloats(array) ? Float32Array.from(array.data, Number) : Int32Array.from(array.data, Number);
}
