/** @file How the elements of tensors are stored, in all formats, and their conversion to numbers. */
import { elementsOf, type ElementArray, type NumericArray } from './elements.ts';
import { float32FromBfloat16, float32FromFloat16 } from './halfPrecision.ts';

/** Numbers of a tensor: integers of 64 bits are rounded to float64. */
export type Numbers = Float32Array | Float64Array;

interface ElementType {
  readonly bits: number;
  /** @param bytes of whole elements, little-endian */
  decode(bytes: Uint8Array): Numbers;
}

export type ElementTypeName =
  | `float${16 | 32 | 64}`
  | `${'' | 'u'}int${4 | 8 | 16 | 32 | 64}`
  | 'bfloat16'
  | 'bool'
  | 'float8_e4m3fn'
  | 'float8_e5m2';

export const elementTypes: Readonly<Record<ElementTypeName, ElementType>> = {
  float64: { bits: 64, decode: (bytes) => elementsOf(bytes, Float64Array) },
  float32: { bits: 32, decode: (bytes) => elementsOf(bytes, Float32Array) },
  float16: { bits: 16, decode: float32FromFloat16 },
  bfloat16: { bits: 16, decode: float32FromBfloat16 },
  // Micikevicius et al., "FP8 formats for deep learning" (2022). E5M2 is the upper half of a float16.
  float8_e5m2: { bits: 8, decode: (bytes) => float32FromFloat16(upperHalves(bytes)) },
  float8_e4m3fn: { bits: 8, decode: (bytes) => Float32Array.from(bytes, (byte) => E4M3[byte]) },
  int64: { bits: 64, decode: (bytes) => Float64Array.from(elementsOf(bytes, BigInt64Array), Number) },
  uint64: { bits: 64, decode: (bytes) => Float64Array.from(elementsOf(bytes, BigUint64Array), Number) },
  int32: integers(Int32Array),
  uint32: integers(Uint32Array),
  int16: integers(Int16Array),
  uint16: integers(Uint16Array),
  int8: integers(Int8Array),
  uint8: integers(Uint8Array),
  bool: integers(Uint8Array),
  // Two in a byte, the first in its lower half.
  int4: { bits: 4, decode: (bytes) => nibbles(bytes, (nibble) => (nibble < 8 ? nibble : nibble - 16)) },
  uint4: { bits: 4, decode: (bytes) => nibbles(bytes, (nibble) => nibble) },
};

/** @param bytes of whole elements, little-endian */
export function float32Of(type: ElementTypeName, bytes: Uint8Array): Float32Array {
  const numbers = elementTypes[type].decode(bytes);
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
}

/** True for floats of every size. */
export function isFloat(type: ElementTypeName): boolean {
  return type.includes('float');
}

/** Bytes of so many elements. */
export function bytesOfElements(type: ElementTypeName, count: number): number {
  return Math.ceil((elementTypes[type].bits * count) / 8);
}

function integers(Elements: ElementArray<Exclude<NumericArray, BigInt64Array | BigUint64Array>>): ElementType {
  const bits = 8 * Elements.BYTES_PER_ELEMENT;
  return { bits, decode: (bytes) => new Float64Array(elementsOf(bytes, Elements)) };
}

function nibbles(bytes: Uint8Array, toNumber: (nibble: number) => number): Float32Array {
  const numbers = new Float32Array(2 * bytes.length);
  bytes.forEach((byte, i) => {
    numbers[2 * i] = toNumber(byte & 15);
    numbers[2 * i + 1] = toNumber(byte >> 4);
  });
  return numbers;
}

function upperHalves(bytes: Uint8Array): Uint8Array {
  const halves = new Uint8Array(2 * bytes.length);
  bytes.forEach((byte, i) => (halves[2 * i + 1] = byte));
  return halves;
}

/** 1 sign, 4 exponent (bias 7), 3 fraction bits; no infinity, NaN where all bits but the sign are set. */
const E4M3 = Float32Array.from({ length: 256 }, (_, byte) => {
  const exponent = (byte >> 3) & 15;
  const fraction = byte & 7;
  if (exponent === 15 && fraction === 7) return NaN;
  const size = exponent === 0 ? fraction * 2 ** -9 : (1 + fraction / 8) * 2 ** (exponent - 7);
  return byte & 0x80 ? -size : size;
});
