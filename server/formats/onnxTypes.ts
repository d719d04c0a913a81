/** @file The element types of ONNX: `TensorProto.DataType` of onnx.proto. */
import type { ElementTypeName } from './elementTypes.ts';

/** Element types that can be read, by their code. */
export const onnxDataTypes: Readonly<Record<number, ElementTypeName | undefined>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
  17: 'float8_e4m3fn',
  19: 'float8_e5m2',
  21: 'uint4',
  22: 'int4',
};

/** Types without a reader. */
const otherTypes: Readonly<Record<number, string | undefined>> = {
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  18: 'float8_e4m3fnuz',
  20: 'float8_e5m2fnuz',
  23: 'float4_e2m1',
};

/** Name of a type for a message, also of one that cannot be read. */
export function onnxTypeName(code: number): string {
  return onnxDataTypes[code] ?? otherTypes[code] ?? `type ${code}`;
}
