/**
 * @file Operators that move numbers and change none: of tensors, and of what is known, such as shapes. The arguments of each are worked
 * out once for both.
 */
import * as tf from '@tensorflow/tfjs';
import { rowMajorStrides } from '../../../formats/strided.ts';
import { elementCount } from '../../../protocol/shape.ts';
import type { NodeCall, Operator, Operators } from '../nodeCall.ts';
import {
  asKind,
  axisOf,
  broadcast,
  broadcastShape,
  broadcastTo,
  isKnown,
  knownCount,
  knownIntegers,
  rearranged,
  tensorOf,
  type KnownTensor,
  type Value,
} from '../values.ts';
import { fromBeginning } from './indexing.ts';

/** Another shape of the same numbers. */
export function reshaped(value: Value, shape: readonly number[]): Value {
  if (elementCount(shape) !== elementCount(value.shape))
    throw new TypeError(`[${value.shape.join(', ')}] has not as many numbers as [${shape.join(', ')}]`);
  return isKnown(value) ? { ...value, shape } : tf.reshape(value, [...shape]);
}

function reshape(call: NodeCall): Value {
  const value = call.value(0);
  const keepsZero = call.integer('allowzero', 0) !== 0;
  const wanted = call
    .requiredNumbers(1, 'the shape')
    .map((size, axis) => (size === 0 && !keepsZero ? (value.shape[axis] ?? 0) : size));
  const open = wanted.indexOf(-1);
  if (open >= 0) {
    const others = elementCount(wanted.filter((_, axis) => axis !== open));
    wanted[open] = elementCount(value.shape) / others;
    if (!Number.isInteger(wanted[open]))
      throw new TypeError(
        `[${value.shape.join(', ')}] cannot be given the shape [${wanted.with(open, -1).join(', ')}]`,
      );
  }
  return reshaped(value, wanted);
}

function flatten(call: NodeCall): Value {
  const value = call.value(0);
  const axis = call.integer('axis', 1);
  const split = axis < 0 ? axis + value.shape.length : axis;
  return reshaped(value, [elementCount(value.shape.slice(0, split)), elementCount(value.shape.slice(split))]);
}

/** Axes as an attribute before version 13, as an input after. */
function axesOf(call: NodeCall): readonly number[] | undefined {
  return call.mode.opset < 13 ? call.integers('axes') : call.numbers(1, 'axes');
}

function squeeze(call: NodeCall): Value {
  const value = call.value(0);
  const { shape } = value;
  const axes = axesOf(call)?.map((axis) => axisOf(axis, shape.length));
  const wrong = axes?.find((axis) => shape[axis] !== 1);
  if (wrong !== undefined) throw new TypeError(`axis ${wrong} of [${shape.join(', ')}] is not of length 1`);
  return reshaped(
    value,
    shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)),
  );
}

function unsqueeze(call: NodeCall): Value {
  const value = call.value(0);
  const given = axesOf(call) ?? [];
  const rank = value.shape.length + given.length;
  const axes = new Set(given.map((axis) => axisOf(axis, rank)));
  const rest = [...value.shape];
  return reshaped(
    value,
    Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.shift() ?? 1))),
  );
}

function transpose(call: NodeCall): Value {
  const value = call.value(0);
  const { shape } = value;
  const permutation = call.integers('perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  if (permutation.length !== shape.length) throw new TypeError(`its perm is not of ${shape.length} axes`);
  if (!isKnown(value)) return tf.transpose(value, [...permutation]);
  const strides = rowMajorStrides(shape);
  return rearranged(
    value,
    permutation.map((axis) => shape[axis]),
    (position) => permutation.reduce((sum, axis, i) => sum + position[i] * strides[axis], 0),
  );
}

/** From where to where an axis is cut, and by what steps: size is the number of places that are taken. */
export interface Range {
  readonly begin: number;
  readonly step: number;
  readonly size: number;
}

/** A part of a value. @param ranges what is taken of each axis */
export function sliced(value: Value, ranges: readonly Range[]): Value {
  if (isKnown(value)) {
    const strides = rowMajorStrides(value.shape);
    return rearranged(
      value,
      ranges.map(({ size }) => size),
      (position) =>
        position.reduce(
          (sum, place, axis) => sum + (ranges[axis].begin + place * ranges[axis].step) * strides[axis],
          0,
        ),
    );
  }
  // From the lowest place to the highest by steps of 1, then every so many of them, then backwards.
  const lowest = ranges.map(({ begin, step, size }) => (step < 0 && size > 0 ? begin + (size - 1) * step : begin));
  const spans = ranges.map(({ step, size }) => (size === 0 ? 0 : (size - 1) * Math.abs(step) + 1));
  const isWhole = spans.every((span, axis) => span === value.shape[axis]);
  let result: tf.Tensor = isWhole ? value : tf.slice(value, lowest, spans);
  for (const [axis, { step, size }] of ranges.entries())
    if (Math.abs(step) > 1 && size > 1) result = everySoMany(result, axis, Math.abs(step), size);
  const backwards = ranges.flatMap(({ step, size }, axis) => (step < 0 && size > 1 ? [axis] : []));
  return backwards.length > 0 ? tf.reverse(result, backwards) : result;
}

/** Places 0, step, 2 step, … of an axis, by operations that have gradients. */
function everySoMany(x: tf.Tensor, axis: number, step: number, size: number): tf.Tensor {
  const outer = elementCount(x.shape.slice(0, axis));
  const inner = elementCount(x.shape.slice(axis + 1));
  const padded = tf.pad(tf.reshape(x, [outer, x.shape[axis], inner]), [
    [0, 0],
    [0, size * step - x.shape[axis]],
    [0, 0],
  ]);
  const first = tf.slice(tf.reshape(padded, [outer, size, step, inner]), [0, 0, 0, 0], [outer, size, 1, inner]);
  return tf.reshape(first, x.shape.toSpliced(axis, 1, size));
}

function slice(call: NodeCall): Value {
  const value = call.value(0);
  const isOld = call.mode.opset < 10;
  const starts = isOld ? (call.integers('starts') ?? []) : call.requiredNumbers(1, 'the starts');
  const ends = isOld ? (call.integers('ends') ?? []) : call.requiredNumbers(2, 'the ends');
  const axes = (isOld ? call.integers('axes') : call.numbers(3, 'the axes')) ?? starts.map((_, i) => i);
  const steps = call.numbers(4, 'the steps') ?? starts.map(() => 1);
  const ranges = value.shape.map((size): Range => ({ begin: 0, step: 1, size }));
  axes.forEach((given, i) => {
    const axis = axisOf(given, value.shape.length);
    const length = value.shape[axis];
    const step = steps[i];
    if (step === 0) throw new TypeError('a step of it is 0');
    const clamp = (place: number, least: number, most: number) =>
      Math.max(least, Math.min(most, place < 0 ? place + length : place));
    const begin = step > 0 ? clamp(starts[i], 0, length) : clamp(starts[i], 0, length - 1);
    const end = step > 0 ? clamp(ends[i], 0, length) : clamp(ends[i], -1, length - 1);
    ranges[axis] = { begin, step, size: Math.max(0, Math.ceil((end - begin) / step)) };
  });
  return sliced(value, ranges);
}

/** Whole axes but for one, of which a part is taken. */
function partOf(value: Value, axis: number, begin: number, size: number): Value {
  return sliced(
    value,
    value.shape.map((length, i) => ({ begin: i === axis ? begin : 0, step: 1, size: i === axis ? size : length })),
  );
}

/** Sizes of the parts of an axis, of so many places each; the last may have fewer. */
export function dividedAxis(length: number, size: number): number[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size));
}

/** @throws TypeError where the sizes are not those of the axis */
export function splitAxis(value: Value, axis: number, sizes: readonly number[]): Value[] {
  const length = value.shape[axis];
  if (sizes.reduce((sum, one) => sum + one, 0) !== length)
    throw new TypeError(`parts of ${sizes.join(', ')} are not the ${length} places of the axis`);
  let begin = 0;
  return sizes.map((size) => {
    begin += size;
    return partOf(value, axis, begin - size, size);
  });
}

function split(call: NodeCall): readonly Value[] {
  const value = call.value(0);
  const axis = axisOf(call.integer('axis', 0), value.shape.length);
  const length = value.shape[axis];
  const count = call.integer('num_outputs', call.outputs);
  const given = call.mode.opset < 13 ? call.integers('split') : call.numbers(1, 'the sizes');
  return splitAxis(value, axis, given ?? dividedAxis(length, Math.ceil(length / count)));
}

function concat(call: NodeCall): Value {
  call.sameKinds();
  const values = call.inputs;
  const axis = axisOf(call.integer('axis', 0), values[0].shape.length);
  const known = values.filter(isKnown);
  if (known.length < values.length) return values.length === 1 ? values[0] : tf.concat(values.map(tensorOf), axis);
  const shape = known[0].shape.with(
    axis,
    known.reduce((sum, one) => sum + one.shape[axis], 0),
  );
  const outer = elementCount(shape.slice(0, axis));
  const rows = known.map((one) => elementCount(one.shape.slice(axis)));
  const numbers = Array.from({ length: outer }, (_, row) =>
    known.flatMap((one, i) => Array.from(one.numbers).slice(row * rows[i], (row + 1) * rows[i])),
  ).flat();
  return { kind: known[0].kind, shape, numbers };
}

function gather(call: NodeCall): Value {
  const value = call.value(0);
  const axis = axisOf(call.integer('axis', 0), value.shape.length);
  const indices = call.value(1);
  const length = value.shape[axis];
  if (!isKnown(indices)) {
    const given = tf.cast(indices, 'int32');
    // Indices of the data are rows from 0 on, and an error where they are not (compiler/indexBounds.ts).
    return tf.gather(tensorOf(value), call.isSample(1) ? given : fromBeginning(given, length), axis);
  }
  const places = Array.from(indices.numbers, (place) => axisOf(place, length));
  const shape = value.shape.toSpliced(axis, 1, ...indices.shape);
  const isRange = places.every((place, i) => i === 0 || place === places[i - 1] + 1);
  if (isRange && places.length > 0) return reshaped(partOf(value, axis, places[0], places.length), shape);
  const list = knownIntegers(places);
  if (!isKnown(value)) return reshaped(tf.gather(value, tensorOf(list) as tf.Tensor1D, axis), shape);
  const strides = rowMajorStrides(value.shape);
  const flat = rearranged(value, value.shape.with(axis, places.length), (position) =>
    position.reduce((sum, place, i) => sum + (i === axis ? places[place] : place) * strides[i], 0),
  );
  return reshaped(flat, shape);
}

function expand(call: NodeCall): Value {
  const value = call.value(0);
  const shape = broadcastShape(value.shape, call.requiredNumbers(1, 'the shape'));
  return isKnown(value) ? broadcast(value, shape) : broadcastTo(value, shape);
}

function tile(call: NodeCall): Value {
  const value = call.value(0);
  const repeats = call.requiredNumbers(1, 'the repeats');
  if (!isKnown(value)) return tf.tile(value, repeats);
  const strides = rowMajorStrides(value.shape);
  return rearranged(
    value,
    value.shape.map((size, axis) => size * repeats[axis]),
    (position) => position.reduce((sum, place, axis) => sum + (place % value.shape[axis]) * strides[axis], 0),
  );
}

/** The place of a padded axis that has the number of another place, `before` being added in front. */
const sources = {
  reflect: (place: number, length: number) => {
    const period = 2 * (length - 1);
    const inPeriod = ((place % period) + period) % period;
    return inPeriod < length ? inPeriod : period - inPeriod;
  },
  edge: (place: number, length: number) => Math.max(0, Math.min(length - 1, place)),
  wrap: (place: number, length: number) => ((place % length) + length) % length,
} as const;

function pad(call: NodeCall): Value {
  const x = call.tensor(0);
  const mode = call.word('mode', ['constant', 'reflect', 'edge', 'wrap']);
  const isOld = call.mode.opset < 11;
  const given = isOld ? (call.integers('pads') ?? []) : call.requiredNumbers(1, 'the pads');
  const axes = call.numbers(3, 'the axes') ?? x.shape.map((_, axis) => axis);
  const [before, after] = [x.shape.map(() => 0), x.shape.map(() => 0)];
  axes.forEach((one, i) => {
    const axis = axisOf(one, x.rank);
    before[axis] = given[i];
    after[axis] = given[i + axes.length];
  });
  if (mode === 'constant') {
    const value = isOld ? call.real('value', 0) : (call.numbers(2, 'the constant')?.[0] ?? 0);
    const cut = sliced(
      x,
      x.shape.map((size, axis) => ({
        begin: Math.max(0, -before[axis]),
        step: 1,
        size: size + Math.min(0, before[axis]) + Math.min(0, after[axis]),
      })),
    );
    return tf.pad(
      tensorOf(cut),
      before.map((size, axis): [number, number] => [Math.max(0, size), Math.max(0, after[axis])]),
      value,
    );
  }
  return x.shape.reduce<tf.Tensor>((padded, length, axis) => {
    if (before[axis] === 0 && after[axis] === 0) return padded;
    const size = length + before[axis] + after[axis];
    const places = Array.from({ length: size }, (_, place) => sources[mode](place - before[axis], length));
    return tf.gather(padded, tf.tensor1d(places, 'int32'), axis);
  }, x);
}

function depthToSpace(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const [batch, channels, height, width] = x.shape;
  const block = call.integer('blocksize', 1);
  const rest = channels / block ** 2;
  const [shape, order] =
    call.word('mode', ['DCR', 'CRD']) === 'DCR'
      ? [
          [batch, block, block, rest, height, width],
          [0, 3, 4, 1, 5, 2],
        ]
      : [
          [batch, rest, block, block, height, width],
          [0, 1, 4, 2, 5, 3],
        ];
  return tf.reshape(tf.transpose(tf.reshape(x, shape), order), [batch, rest, height * block, width * block]);
}

function spaceToDepth(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const [batch, channels, height, width] = x.shape;
  const block = call.integer('blocksize', 1);
  const [tall, wide] = [height / block, width / block];
  const parts = tf.reshape(x, [batch, channels, tall, block, wide, block]);
  return tf.reshape(tf.transpose(parts, [0, 3, 5, 1, 2, 4]), [batch, channels * block ** 2, tall, wide]);
}

function shapeOf(call: NodeCall): KnownTensor {
  const shape = call.shape(0);
  const place = (given: number) => Math.max(0, Math.min(shape.length, given < 0 ? given + shape.length : given));
  return knownIntegers(shape.slice(place(call.integer('start', 0)), place(call.integer('end', shape.length))));
}

function constantOfShape(call: NodeCall): KnownTensor {
  const shape = call.requiredNumbers(0, 'the shape');
  const { kind, numbers } = call.tensorAttribute('value') ?? { kind: 'float', numbers: [0] };
  return { kind, shape, numbers: Array<number>(knownCount(shape)).fill(numbers[0]) };
}

/** Start, limit and step must be known. */
const range: Operator = (call) => {
  const [start, limit, step] = ['the start', 'the limit', 'the step'].map(
    (what, i) => call.requiredNumbers(i, what)[0],
  );
  const kind = call.known(0, 'the start')?.kind ?? 'int';
  const length = Math.max(0, Math.ceil(asKind[kind](limit - start) / step));
  knownCount([length]);
  let next = start;
  const numbers = Array.from({ length }, () => {
    const number = next;
    next = asKind[kind](number + step);
    return number;
  });
  return { kind, shape: [length], numbers };
};

/** The upper or the lower triangle of matrices; 0 elsewhere. */
function triangle(call: NodeCall): Value {
  const value = call.value(0);
  const [rows, columns] = value.shape.slice(-2);
  const diagonal = call.numbers(1, 'the diagonal')?.[0] ?? 0;
  const isUpper = call.integer('upper', 1) !== 0;
  const inside = (row: number, column: number) => (isUpper ? column - row >= diagonal : column - row <= diagonal);
  if (isKnown(value)) {
    const numbers = Array.from(value.numbers, (number, i) =>
      inside(Math.floor(i / columns) % rows, i % columns) ? number : 0,
    );
    return { ...value, numbers };
  }
  const mask = Array.from({ length: rows * columns }, (_, i) => (inside(Math.floor(i / columns), i % columns) ? 1 : 0));
  // A product with the mask would make NaN of numbers that are infinite, as those of a mask of attention are.
  return tf.where(tf.tensor(mask, [rows, columns], 'bool'), value, tf.zerosLike(value));
}

export const movementOperators: Operators = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Slice: slice,
  Split: split,
  Concat: concat,
  Gather: gather,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Shape: shapeOf,
  Size: (call) => knownIntegers([elementCount(call.shape(0))], []),
  ConstantOfShape: constantOfShape,
  Range: range,
  Trilu: triangle,
};
