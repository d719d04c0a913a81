/** @file Numbers in fewer bits, as TensorFlow.js stores weights (`quantization` in tfjs-core's io/types.ts): it makes float32 of them when it loads. */
import { float16FromFloat32, float32FromFloat16 } from '../../formats/halfPrecision.ts';
import type { PackedWeight } from '../../formats/packed/packedFile.ts';
import { bytesOf } from '../../formats/packed/packedWeight.ts';
import type { exportOptions } from '../../protocol/model/exportFormats.ts';

export type TfjsDtype = (typeof exportOptions.dtype.values)[number];

/** What the manifest says of a weight that is not stored as float32. */
export interface Quantization {
  readonly dtype: 'float16' | 'uint8' | 'uint16';
  readonly original_dtype: 'float32';
  /** A number is `code * scale + min`. */
  readonly scale?: number;
  readonly min?: number;
}

export interface StoredNumbers {
  readonly bytes: Uint8Array;
  /** Undefined for float32. */
  readonly quantization?: Quantization;
}

/**
 * @param round true to round the numbers of a matrix where the type does not have them; a vector is little and stays as it is
 * @param axes of the weight
 * @param known a grid that the numbers may lie on
 * @returns float32 where the type does not have all numbers
 */
export function storedNumbers(
  values: Float32Array,
  dtype: TfjsDtype,
  { round, axes, known }: { round: boolean; axes: number; known?: Grid | undefined },
): StoredNumbers {
  const rounds = round && axes > 1;
  const dense = { bytes: bytesOf(values) };
  if (dtype === 'float32' || values.length === 0) return dense;
  if (dtype === 'float16') {
    const bytes = float16FromFloat32(values);
    const isSame = isEqual(float32FromFloat16(bytes), values);
    return isSame || rounds ? { bytes, quantization: { dtype, original_dtype: 'float32' } } : dense;
  }
  const most = dtype === 'uint8' ? 0xff : 0xffff;
  const isKnown = known && values.every((value) => isOnGrid(value, known, most));
  const grid = (isKnown ? known : exactGrid(values, most)) ?? (rounds ? nearestGrid(values, most) : undefined);
  if (!grid) return dense;
  const { scale, min } = grid;
  const codes = dtype === 'uint8' ? new Uint8Array(values.length) : new Uint16Array(values.length);
  values.forEach((value, i) => (codes[i] = codeOf(value, grid, most)));
  return {
    bytes: new Uint8Array(codes.buffer),
    quantization: { dtype, original_dtype: 'float32', scale, min },
  };
}

export interface Grid {
  readonly scale: number;
  readonly min: number;
}

/** The grid of a weight of uniform levels that has one scale. */
export function gridOf(weight: PackedWeight | undefined): Grid | undefined {
  if (weight?.form !== 'levels' || weight.levels instanceof Float32Array || weight.buckets?.scales.length !== 1)
    return undefined;
  const { scales, offsets } = weight.buckets;
  return { scale: scales[0] / (weight.levels.uniform - 1), min: offsets?.[0] ?? 0 };
}

function codeOf(value: number, { scale, min }: Grid, most: number): number {
  return Math.min(most, Math.max(0, Math.round((value - min) / scale)));
}

/** True where TensorFlow.js makes the number of its code: it computes in float64 and rounds once. */
function isOnGrid(value: number, grid: Grid, most: number): boolean {
  return Math.fround(codeOf(value, grid, most) * grid.scale + grid.min) === value;
}

/** The grid whose points all numbers are, once they are rounded to float32; undefined where there is none. */
function exactGrid(values: Float32Array, most: number): Grid | undefined {
  const distinct = new Set<number>();
  for (const value of values) if (distinct.add(value).size > most + 1 || !Number.isFinite(value)) return undefined;
  const sorted = Float64Array.from(distinct).sort();
  let scale = Infinity;
  for (let i = 1; i < sorted.length; i++) scale = Math.min(scale, sorted[i] - sorted[i - 1]);
  const grid = { min: sorted[0], scale: Number.isFinite(scale) ? scale : 1 };
  return sorted.every((value) => isOnGrid(value, grid, most)) ? grid : undefined;
}

/**
 * As many steps as there are codes from the smallest number to the largest, moved so that 0 stays 0, as the converter of TensorFlow.js
 * does; undefined for numbers that are not finite.
 */
function nearestGrid(values: Float32Array, most: number): Grid | undefined {
  let [least, largest] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) return undefined;
    least = Math.min(least, value);
    largest = Math.max(largest, value);
  }
  const scale = (largest - least) / most;
  return { scale, min: least < 0 && largest > 0 ? -Math.round(-least / scale) * scale : least };
}

function isEqual(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, i) => value === b[i]);
}
