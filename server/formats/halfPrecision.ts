/** @file 16-bit floating point to float32. Both conversions are exact. */
import { elementsOf } from './elements.ts';

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
function float16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The number of each of the 65,536 halves: a model has billions of them. */
let numbers: Float32Array | undefined;

/** @param halves little-endian IEEE 754 binary16, two bytes each */
export function float32FromFloat16(halves: Uint8Array): Float32Array {
  const table = (numbers ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => float16(half)));
  const stored = elementsOf(halves, Uint16Array);
  const result = new Float32Array(stored.length);
  for (let i = 0; i < result.length; i++) result[i] = table[stored[i]];
  return result;
}

/** @param halves little-endian bfloat16, two bytes each: the upper half of a float32 */
export function float32FromBfloat16(halves: Uint8Array): Float32Array {
  const stored = elementsOf(halves, Uint16Array);
  const bits = new Uint32Array(stored.length);
  for (let i = 0; i < bits.length; i++) bits[i] = stored[i] << 16;
  return new Float32Array(bits.buffer);
}
