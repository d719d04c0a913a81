/** @file 16-bit floating point to float32, which is exact, and IEEE's from float32, which rounds. */
import { elementsOf } from './elements.ts';

const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

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
  const floats = new Uint32Array(stored.length);
  for (let i = 0; i < floats.length; i++) floats[i] = stored[i] << 16;
  return new Float32Array(floats.buffer);
}

/**
 * @returns little-endian IEEE 754 binary16, two bytes each: the nearest number, of two the one whose last bit is 0; infinity beyond
 * 65504
 */
export function float16FromFloat32(numbers: Float32Array): Uint8Array {
  const halves = new Uint8Array(2 * numbers.length);
  const view = new DataView(halves.buffer);
  numbers.forEach((number, i) => view.setUint16(2 * i, float16Bits(number), true));
  return halves;
}

function float16Bits(number: number): number {
  value[0] = number;
  const sign = (bits[0] >>> 16) & 0x8000;
  const size = Math.abs(number);
  if (Number.isNaN(number)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00; // Half a step above the largest number.
  // Steps of 2^-24 below 2^-14, and of 2^-10 of the power of two below the number from there on.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const steps = roundHalfToEven(size * 2 ** (10 - exponent));
  // 1024 steps are the next power of two: they carry into the exponent.
  return sign | (((exponent + 14) << 10) + steps);
}

/** @param size at least 0 and below 2^12 */
function roundHalfToEven(size: number): number {
  const below = Math.floor(size);
  const rest = size - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
