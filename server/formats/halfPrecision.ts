/** @file 16-bit floating point to float32. Both conversions are exact. */

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

/** bfloat16: the upper half of a float32. */
function bfloat16(half: number): number {
  bits[0] = half << 16;
  return value[0];
}

/** @param halves little-endian IEEE 754 binary16, two bytes each */
export function float32FromFloat16(halves: Uint8Array): Float32Array {
  return convert(halves, float16);
}

/** @param halves little-endian bfloat16, two bytes each */
export function float32FromBfloat16(halves: Uint8Array): Float32Array {
  return convert(halves, bfloat16);
}

function convert(halves: Uint8Array, toNumber: (half: number) => number): Float32Array {
  const numbers = new Float32Array(halves.length / 2);
  for (let i = 0; i < numbers.length; i++) numbers[i] = toNumber(halves[2 * i] | (halves[2 * i + 1] << 8));
  return numbers;
}
