/** @file Numbers as the types that inputs of ONNX files take. */
import { ort, type Tensor } from './onnxRuntime.ts';

type Numbers = Float32Array | Int32Array;

const floats = {
  float32: (values: Numbers) => (values instanceof Float32Array ? values : Float32Array.from(values)),
  float64: (values: Numbers) => Float64Array.from(values),
} as const;

const integers = {
  int8: (values: Numbers) => Int8Array.from(values),
  int16: (values: Numbers) => Int16Array.from(values),
  int32: whole,
  int64: (values: Numbers) => BigInt64Array.from(whole(values), BigInt),
  uint8: (values: Numbers) => Uint8Array.from(values),
  uint16: (values: Numbers) => Uint16Array.from(values),
} as const;

/** Fractions become whole numbers, and all but zero is true: so does the cast to the type of an input in training. */
const conversions = {
  ...floats,
  ...integers,
  bool: (values: Numbers) => Uint8Array.from(values, (x) => (x === 0 ? 0 : 1)),
} as const;

/** A type that numbers can be given as. */
export type InputType = keyof typeof conversions;

export function isInputType(type: string): type is InputType {
  return Object.hasOwn(conversions, type);
}

/** True for whole numbers. */
export function isIntegerType(type: InputType): type is keyof typeof integers {
  return Object.hasOwn(integers, type);
}

/** Integers that the type does not have lose their upper bits. */
export function inputTensor(type: InputType, values: Numbers, shape: readonly number[]): Tensor {
  return new ort.Tensor(type, conversions[type](values), shape);
}

function whole(values: Numbers): Int32Array {
  return values instanceof Int32Array ? values : Int32Array.from(values);
}
