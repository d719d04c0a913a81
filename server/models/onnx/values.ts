/**
 * @file The values between the operators of an ONNX graph: tensors of TensorFlow.js, and numbers that are known while the graph is
 * recorded, such as shapes and what is computed of them. (A compiled step has its shapes in its graph.)
 */
import * as tf from '@tensorflow/tfjs';
import { isFloat, type ElementTypeName } from '../../formats/elementTypes.ts';
import type { OnnxTensor } from '../../formats/onnx.ts';
import { rowMajorStrides } from '../../formats/strided.ts';
import { elementCount, isSizes } from '../../protocol/shape.ts';

/** Floats of every size are float32 here, integers of every size those that float64 has. */
export type Kind = 'float' | 'int' | 'bool';

/** A number as one of a kind. */
export const asKind: Readonly<Record<Kind, (number: number) => number>> = {
  float: Math.fround,
  int: Math.trunc,
  bool: (number) => (number === 0 ? 0 : 1),
};

/** Numbers in row-major order that do not depend on weights or samples. */
export interface KnownTensor {
  readonly kind: Kind;
  readonly shape: readonly number[];
  readonly numbers: ArrayLike<number>;
}

export type Value = tf.Tensor | KnownTensor;

/** Tensors one after the other, as many as are known. */
export interface Sequence {
  readonly elements: readonly Value[];
}

export function isSequence(value: Value | Sequence): value is Sequence {
  return 'elements' in value;
}

export function isKnown(value: Value): value is KnownTensor {
  return !(value instanceof tf.Tensor);
}

export function kindOf(value: Value): Kind {
  if (isKnown(value)) return value.kind;
  return value.dtype === 'float32' ? 'float' : value.dtype === 'bool' ? 'bool' : 'int';
}

export function kindOfType(type: ElementTypeName): Kind {
  return isFloat(type) ? 'float' : type === 'bool' ? 'bool' : 'int';
}

/** Element types of TensorFlow.js. */
export const dtypes = { float: 'float32', int: 'int32', bool: 'bool' } as const satisfies Record<Kind, tf.DataType>;

export function knownTensorOf({ type, shape, data }: OnnxTensor): KnownTensor {
  return {
    kind: kindOfType(type),
    shape,
    numbers: data instanceof BigInt64Array ? Float64Array.from(data, Number) : data,
  };
}

export function knownIntegers(numbers: readonly number[], shape: readonly number[] = [numbers.length]): KnownTensor {
  return { kind: 'int', shape, numbers };
}

/** A mask of 8192 x 8192 places. */
const MOST_KNOWN = 2 ** 26;

/** How many known numbers an operator makes for a shape. @throws TypeError for more than memory should be spent on */
export function knownCount(shape: readonly number[]): number {
  const count = elementCount(shape);
  if (!isSizes(shape) || count > MOST_KNOWN)
    throw new TypeError(
      `it would make known numbers of the shape [${shape.join(', ')}]; at most ${MOST_KNOWN} are made`,
    );
  return count;
}

const MOST_INT32 = 2 ** 31 - 1;

/** A known tensor as one of TensorFlow.js; integers that int32 has not become its largest or smallest. */
export function tensorOf(value: Value): tf.Tensor {
  if (!isKnown(value)) return value;
  const { kind, shape, numbers } = value;
  if (kind === 'float') return tf.tensor(Float32Array.from(numbers), [...shape], 'float32');
  if (kind === 'bool') return tf.tensor(Uint8Array.from(numbers), [...shape], 'bool');
  const integers = Int32Array.from(numbers, (number) => Math.max(-MOST_INT32 - 1, Math.min(MOST_INT32, number)));
  return tf.tensor(integers, [...shape], 'int32');
}

/** The shape that two shapes broadcast to, as in NumPy. @throws TypeError where they do not */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const first = a[axis - rank + a.length] ?? 1;
    const second = b[axis - rank + b.length] ?? 1;
    if (first !== second && first !== 1 && second !== 1)
      throw new TypeError(`shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
    return first === 1 ? second : first;
  });
}

/** A tensor whose numbers are those of another at other places. @param placeOf index in `value` of the number at a position */
export function rearranged(
  value: KnownTensor,
  shape: readonly number[],
  placeOf: (position: readonly number[]) => number,
): KnownTensor {
  const position = shape.map(() => 0);
  const numbers = Array.from({ length: knownCount(shape) }, () => {
    const number = value.numbers[placeOf(position)];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++position[axis] < shape[axis]) break;
      position[axis] = 0;
    }
    return number;
  });
  return { kind: value.kind, shape, numbers };
}

/** A tensor with its numbers repeated to a shape that its own broadcasts to. */
export function broadcastTo(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return x.shape.join() === shape.join() ? x : tf.broadcastTo(x, [...shape]);
}

/** {@link broadcastTo} for what is known. */
export function broadcast(value: KnownTensor, shape: readonly number[]): KnownTensor {
  if (value.shape.join() === shape.join()) return value;
  const strides = rowMajorStrides(value.shape);
  const before = shape.length - value.shape.length;
  return rearranged(value, shape, (position) =>
    value.shape.reduce((sum, size, axis) => sum + (size === 1 ? 0 : position[before + axis] * strides[axis]), 0),
  );
}

/** An axis counted from the end where it is negative. @throws TypeError for one that a tensor has not */
export function axisOf(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new TypeError(`it has no axis ${axis}: it has ${rank} of them`);
  return axis < 0 ? axis + rank : axis;
}

/** Exchanges an axis of tensors of a rank with the last one; a second time, that is undone. */
export function exchangedWithLast(axis: number, rank: number): (x: tf.Tensor) => tf.Tensor {
  const last = rank - 1;
  if (axis === last) return (x) => x;
  const order = Array.from({ length: rank }, (_, i) => (i === axis ? last : i === last ? axis : i));
  return (x) => tf.transpose(x, order);
}
