/** @file Operators that take or put numbers at places that other tensors name. */
import * as tf from '@tensorflow/tfjs';
import { rowMajorStrides } from '../../../formats/strided.ts';
import { elementCount } from '../../../protocol/shape.ts';
import type { NodeCall, Operators } from '../nodeCall.ts';
import {
  axisOf,
  exchangedWithLast,
  isKnown,
  knownIntegers,
  tensorOf,
  type KnownTensor,
  type Value,
} from '../values.ts';

/** Places on an axis for indices that count from its end where they are negative. */
export function fromBeginning(indices: tf.Tensor, length: number | tf.Tensor): tf.Tensor {
  const whole = typeof length === 'number' ? tf.scalar(length, 'int32') : length;
  return tf.where(tf.less(indices, 0), tf.add(indices, whole), indices);
}

/** Places [numbers of `indices`] in a tensor whose axes are one: those that `indices` has, but for one axis, which its numbers are of. */
function placesOfElements(indices: Value, shape: readonly number[], axis: number): Value {
  if (indices.shape.length !== shape.length)
    throw new TypeError(`its indices have ${indices.shape.length} axes, and ${shape.length} are wanted`);
  const strides = rowMajorStrides(shape);
  const length = shape[axis];
  const ofIndex = rowMajorStrides(indices.shape);
  const offsets = Array.from({ length: elementCount(indices.shape) }, (_, i) =>
    strides.reduce(
      (sum, stride, at) => sum + (at === axis ? 0 : (Math.floor(i / ofIndex[at]) % indices.shape[at]) * stride),
      0,
    ),
  );
  if (isKnown(indices))
    return knownIntegers(offsets.map((offset, i) => offset + strides[axis] * axisOf(indices.numbers[i], length)));
  const flat = tf.reshape(tf.cast(indices, 'int32'), [offsets.length]);
  return tf.add(tf.mul(fromBeginning(flat, length), tf.scalar(strides[axis], 'int32')), tf.tensor1d(offsets, 'int32'));
}

/** The places of rows in a tensor whose first axes are one. */
interface Rows {
  /** A place for each row, as one axis. */
  readonly places: Value;
  /** Number of places. */
  readonly count: number;
  /** Shape of a row. */
  readonly row: readonly number[];
}

/** @param batch number of leading axes that indices and the tensor share */
function rowsOf(indices: Value, shape: readonly number[], batch = 0): Rows {
  const depth = indices.shape.at(-1) ?? 0;
  if (indices.shape.length === 0 || batch + depth > shape.length)
    throw new TypeError(`its indices [${indices.shape.join(', ')}] are of more axes than [${shape.join(', ')}] has`);
  const sizes = shape.slice(batch, batch + depth);
  const strides = rowMajorStrides(sizes);
  const total = elementCount(indices.shape.slice(0, -1));
  const ofBatch = total / elementCount(shape.slice(0, batch));
  const offset = (i: number) => Math.floor(i / ofBatch) * elementCount(sizes);
  const { count, row } = { count: elementCount(shape.slice(0, batch + depth)), row: shape.slice(batch + depth) };
  if (isKnown(indices)) {
    const places = Array.from({ length: total }, (_, i) =>
      strides.reduce(
        (sum, stride, axis) => sum + stride * axisOf(indices.numbers[i * depth + axis], sizes[axis]),
        batch > 0 ? offset(i) : 0,
      ),
    );
    return { places: knownIntegers(places), count, row };
  }
  const flat = tf.reshape(tf.cast(indices, 'int32'), [total, depth]);
  const within = tf.sum(tf.mul(fromBeginning(flat, tf.tensor1d(sizes, 'int32')), tf.tensor1d(strides, 'int32')), 1);
  const offsets = Array.from({ length: total }, (_, i) => offset(i));
  return { places: batch > 0 ? tf.add(within, tf.tensor1d(offsets, 'int32')) : within, count, row };
}

/** Rows of a tensor [count, …row], one for each place. */
function taken(value: Value, { places, count, row }: Rows, shape: readonly number[]): Value {
  if (!isKnown(value) || !isKnown(places)) {
    const rows = tf.gather(tf.reshape(tensorOf(value), [count, ...row]), tensorOf(places) as tf.Tensor1D);
    return tf.reshape(rows, [...shape]);
  }
  const size = elementCount(row);
  const numbers = Array.from(places.numbers).flatMap((place) =>
    Array.from({ length: size }, (_, i) => value.numbers[place * size + i]),
  );
  return { kind: value.kind, shape, numbers } satisfies KnownTensor;
}

function gatherElements(call: NodeCall): Value {
  const [value, indices] = [call.value(0), call.value(1)];
  const axis = axisOf(call.integer('axis', 0), value.shape.length);
  const places = placesOfElements(indices, value.shape, axis);
  return taken(value, { places, count: elementCount(value.shape), row: [] }, indices.shape);
}

function gatherND(call: NodeCall): Value {
  const [value, indices] = [call.value(0), call.value(1)];
  const batch = call.integer('batch_dims', 0);
  const rows = rowsOf(indices, value.shape, batch);
  return taken(value, rows, [...indices.shape.slice(0, -1), ...rows.row]);
}

/** Rows put at places of a tensor, or added to what is there. */
function put(call: NodeCall, { places, count, row }: Rows): tf.Tensor {
  const reduction = call.word('reduction', ['none', 'add']);
  call.sameKinds([0, 2]);
  const value = call.tensor(0);
  const indices = tf.reshape(tensorOf(places), [-1, 1]);
  const rows = tf.reshape(call.tensor(2), [indices.shape[0], ...row]);
  const into = tf.reshape(value, [count, ...row]);
  const scattered = tf.scatterND(indices, rows, [count, ...row]);
  if (reduction === 'add') return tf.reshape(tf.add(into, scattered), value.shape);
  const marks = tf.scatterND(indices, tf.ones([indices.shape[0]]), [count]);
  const isPut = tf.reshape(tf.greater(marks, 0), [count, ...row.map(() => 1)]);
  return tf.reshape(tf.where(isPut, scattered, into), value.shape);
}

function scatterElements(call: NodeCall): tf.Tensor {
  const { shape } = call.value(0);
  const axis = axisOf(call.integer('axis', 0), shape.length);
  return put(call, { places: placesOfElements(call.value(1), shape, axis), count: elementCount(shape), row: [] });
}

function scatterND(call: NodeCall): tf.Tensor {
  return put(call, rowsOf(call.value(1), call.value(0).shape));
}

/** The largest or smallest numbers on an axis, in order, with their places. */
function topK(call: NodeCall): tf.Tensor[] {
  const x = call.tensor(0);
  const axis = axisOf(call.integer('axis', -1), x.rank);
  const count = call.mode.opset < 10 ? call.integer('k', 1) : call.requiredNumbers(1, 'the number k')[0];
  const isLargest = call.integer('largest', 1) !== 0;
  call.integer('sorted', 1); // Any order will do where it is 0.
  const exchanged = exchangedWithLast(axis, x.rank);
  const last = exchanged(x);
  const { values, indices } = tf.topk(isLargest ? last : tf.neg(last), count);
  return [exchanged(isLargest ? values : tf.neg(values)), exchanged(indices)];
}

/** Codes of numbers, on an axis of their own: the second of `values` at the place of the number, the first elsewhere. */
function oneHot(call: NodeCall): tf.Tensor {
  const indices = call.tensor(0);
  const [depth] = call.requiredNumbers(1, 'the depth');
  const [off, on] = call.requiredNumbers(2, 'the values');
  const kind = call.known(2, 'the values')?.kind;
  const axis = axisOf(call.integer('axis', -1), indices.rank + 1);
  const codes = tf.oneHot(
    fromBeginning(tf.cast(indices, 'int32'), depth),
    depth,
    on,
    off,
    kind === 'float' ? 'float32' : 'int32',
  );
  const order = indices.shape.map((_, i) => i);
  return axis === indices.rank ? codes : tf.transpose(codes, order.toSpliced(axis, 0, indices.rank));
}

export const indexingOperators: Operators = {
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  TopK: topK,
  OneHot: oneHot,
};
