/** @file Cases of the kernels in import/structure.ts. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { distinct, operand, shapes, type KernelRow, type Operand, type Range } from './kernelCase.ts';

interface Of {
  range?: Range;
  kind?: Operand['kind'];
  ranks?: [number, number];
}

/** Cases of one operand and settings that depend on its shape. */
function shaped<S>(
  settingsOf: (shape: number[]) => fc.Arbitrary<S>,
  compute: (x: tf.Tensor, settings: S) => tf.Tensor | tf.Tensor[],
  { range, kind, ranks = [1, 4] }: Of = {},
): KernelRow {
  return shapes(...ranks)
    .chain((shape) => fc.tuple(operand(shape, range, kind), settingsOf(shape)))
    .map(([x, settings]) => ({ operands: [x], compute: ([tensor]) => compute(tensor, settings), settings }));
}

const axis = ({ length }: readonly number[]) => fc.integer({ min: -length, max: length - 1 });
const axes = ({ length }: readonly number[]) =>
  fc.option(fc.uniqueArray(fc.integer({ min: 0, max: length - 1 }), { minLength: 1 }), { nil: undefined });

const reductionSettings = (shape: readonly number[]) => fc.record({ axis: axes(shape), keepDims: fc.boolean() });
const reduction = (compute: (x: tf.Tensor, axis?: number[], keepDims?: boolean) => tf.Tensor, of?: Of): KernelRow =>
  shaped(reductionSettings, (x, { axis: along, keepDims }) => compute(x, along, keepDims), of);

const argument = (compute: (x: tf.Tensor, axis: number) => tf.Tensor): KernelRow =>
  shaped(axis, compute, { kind: 'float32', range: [-1, 1] });

const cumulative = (compute: (x: tf.Tensor, axis: number, exclusive: boolean, reverse: boolean) => tf.Tensor, of: Of) =>
  shaped(
    ({ length }) =>
      fc.record({ along: fc.integer({ min: 0, max: length - 1 }), exclusive: fc.boolean(), reverse: fc.boolean() }),
    (x, { along, exclusive, reverse }) => compute(x, along, exclusive, reverse),
    of,
  );

/** Cases of a linear function, whose gradient TensorFlow.js has not, or has wrong. */
const untrainable = (row: KernelRow): KernelRow => row.map((example) => ({ ...example, untrainable: true }));

/** Places [n, depth] in the first axes of a tensor. */
const places = (shape: readonly number[], depth: number) =>
  fc
    .array(fc.tuple(...shape.slice(0, depth).map((size) => fc.integer({ min: 0, max: size - 1 }))), {
      minLength: 1,
      maxLength: 5,
    })
    .map((found): Operand => ({ shape: [found.length, depth], values: found.flat(), kind: 'int32' }));

const severalIndices = (row: (shape: number[], indices: Operand) => KernelRow): KernelRow =>
  shapes(1, 4).chain((shape) =>
    fc
      .integer({ min: 1, max: shape.length })
      .chain((depth) => places(shape, depth))
      .chain((indices) => row(shape, indices)),
  );

/** TensorFlow.js has no gradient for a single part. */
const twice = (x: tf.Tensor, along: number) => tf.concat([x, x], along);

const slicing = (shape: readonly number[]) =>
  fc.tuple(
    ...shape.map((size) =>
      fc
        .integer({ min: 0, max: size - 1 })
        .chain((begin) => fc.record({ begin: fc.constant(begin), size: fc.integer({ min: 1, max: size - begin }) })),
    ),
  );

const permutation = ({ length }: readonly number[]) =>
  fc.shuffledSubarray(
    Array.from({ length }, (_, i) => i),
    { minLength: length },
  );

export const structureRows: Readonly<Record<string, KernelRow>> = {
  Sum: fc.oneof(
    reduction(tf.sum),
    reduction(tf.sum, { kind: 'int32' }),
    reduction(tf.sum, { kind: 'bool', range: [0, 1] }),
  ),
  Mean: fc.oneof(reduction(tf.mean), reduction(tf.mean, { kind: 'int32' })),
  Prod: reduction(tf.prod, { range: [-2, 2] }),
  // Ties in a maximum share the gradient in TensorFlow.js.
  Max: fc.oneof(reduction(tf.max, { range: [-1, 1] }), reduction(tf.max, { kind: 'int32' })),
  Min: fc.oneof(reduction(tf.min, { range: [-1, 1] }), reduction(tf.min, { kind: 'bool', range: [0, 1] })),
  All: reduction(tf.all, { kind: 'bool', range: [0, 1] }),
  Any: reduction(tf.any, { kind: 'bool', range: [0, 1] }),
  Softmax: shaped(
    () => fc.constant(undefined),
    (x) => tf.softmax(x),
  ),
  FusedBatchNorm: shapes(4, 4).chain((shape) => {
    const channels = shape.slice(3);
    return fc
      .tuple(operand(shape), operand(channels), operand(channels, [1, 3]), operand(channels), operand(channels))
      .map((operands) => ({
        operands,
        compute: ([x, mean, variance, offset, scale]) =>
          tf.batchNorm(x as tf.Tensor4D, mean as tf.Tensor1D, variance as tf.Tensor1D, offset, scale, 0.01),
      }));
  }),
  Cumsum: fc.oneof(
    untrainable(cumulative(tf.cumsum, {})),
    cumulative(tf.cumsum, { kind: 'int32' }),
    cumulative(tf.cumsum, { kind: 'bool', range: [0, 1] }),
  ),
  Cumprod: fc.oneof(
    cumulative(tf.cumprod, { kind: 'float32', range: [-2, 2] }),
    cumulative(tf.cumprod, { kind: 'int32', range: [-2, 2] }),
  ),
  TopK: untrainable(
    shapes(1, 3).chain((shape) =>
      fc.tuple(distinct(shape), fc.integer({ min: 1, max: shape.at(-1) })).map(([x, count]) => ({
        operands: [x],
        settings: count,
        compute: ([tensor]) => {
          const { values, indices } = tf.topk(tensor, count);
          return [values, tf.cast(indices, 'float32')];
        },
      })),
    ),
  ),
  ArgMax: argument(tf.argMax),
  ArgMin: argument(tf.argMin),

  Reshape: shaped(
    () => fc.constant(undefined),
    (x) => tf.reshape(x, [-1, x.shape[0]]),
  ),
  ExpandDims: shaped(axis, (x, along) => tf.expandDims(x, along)),
  Transpose: shaped(permutation, (x, order) => tf.transpose(x, order), { ranks: [2, 4] }),
  Tile: shaped(
    ({ length }) => fc.array(fc.integer({ min: 1, max: 3 }), { minLength: length, maxLength: length }),
    (x, repeats) => tf.tile(x, repeats),
  ),
  Concat: fc
    .tuple(shapes(1, 3), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }))
    .chain(([shape, sizes]) =>
      axis(shape).chain((along) =>
        fc
          .tuple(...sizes.map((size) => operand(shape.with(along, size))))
          .map((operands) => ({ operands, compute: (tensors) => tf.concat([...tensors], along), settings: along })),
      ),
    ),
  Pack: fc.tuple(shapes(1, 3), fc.integer({ min: 1, max: 4 })).chain(([shape, count]) =>
    fc
      .tuple(
        fc.integer({ min: -1, max: shape.length }),
        fc.array(operand(shape), { minLength: count, maxLength: count }),
      )
      .map(([along, operands]) => ({
        operands,
        compute: (tensors) => tf.stack([...tensors], along),
        settings: along,
      })),
  ),
  Unpack: shaped(axis, (x, along) => tf.unstack(twice(x, along), along)),
  Slice: shaped(slicing, (x, cuts) =>
    tf.slice(
      x,
      cuts.map(({ begin }) => begin),
      cuts.map(({ size }) => size),
    ),
  ),
  StridedSlice: shaped(
    ({ length }) => {
      const strides = (...steps: number[]) =>
        fc.array(fc.constantFrom(...steps), { minLength: length, maxLength: length });
      return fc.oneof(
        fc.record({ strides: strides(-2, -1, 1, 2), shrink: fc.constant(0) }),
        // Bit 0: the first axis is indexed and falls away.
        fc.record({ strides: strides(1), shrink: fc.constant(1) }),
      );
    },
    (x, { strides, shrink }) =>
      tf.stridedSlice(
        x,
        strides.map((step, i) => (step > 0 ? 0 : x.shape[i] - 1)),
        strides.map((step, i) => (step > 0 ? x.shape[i] : -x.shape[i] - 1)),
        strides,
        0,
        0,
        0,
        0,
        shrink,
      ),
    { kind: 'weight' },
  ).map((example) => ({ ...example, untrainable: true })),
  SplitV: shaped(
    (shape) => fc.record({ along: axis(shape), first: fc.integer({ min: 0, max: 4 }) }),
    (x, { along, first }) => {
      const size = x.shape.at(along) as number;
      const cut = 1 + Math.min(first, 2 * size - 2);
      return tf.split(twice(x, along), [cut, 2 * size - cut], along);
    },
  ),
  Reverse: shaped(axes, (x, along) => tf.reverse(x, along)),
  PadV2: shaped(
    ({ length }) =>
      fc.record({
        paddings: fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })), {
          minLength: length,
          maxLength: length,
        }),
        value: fc.constantFrom(0, -1.5),
      }),
    (x, { paddings, value }) => tf.pad(x, paddings, value),
  ),
  GatherV2: fc
    .tuple(shapes(1, 3), shapes(1, 2))
    .chain(([shape, lookups]) =>
      axis(shape).chain((along) =>
        fc
          .tuple(operand(shape), operand(lookups, [0, (shape.at(along) as number) - 1], 'int32'))
          .map((operands) => ({ operands, compute: ([x, indices]) => tf.gather(x, indices, along), settings: along })),
      ),
    ),
  MirrorPad: untrainable(
    shapes(1, 4).chain((sizes) => {
      const shape = sizes.map((size) => size + 1);
      const side = (size: number) => fc.integer({ min: 0, max: size - 1 });
      return fc
        .tuple(
          operand(shape),
          fc.tuple(...shape.map((size) => fc.tuple(side(size), side(size)))),
          fc.constantFrom<'reflect' | 'symmetric'>('reflect', 'symmetric'),
        )
        .map(([x, paddings, mode]) => ({
          operands: [x],
          compute: ([tensor]) => tf.mirrorPad(tensor, paddings, mode),
          settings: { paddings, mode },
        }));
    }),
  ),
  GatherNd: untrainable(
    severalIndices((shape, indices) =>
      operand(shape).map((params) => ({
        operands: [params, indices],
        compute: ([tensor, at]) => tf.gatherND(tensor, at),
      })),
    ),
  ),
  ScatterNd: untrainable(
    severalIndices((shape, indices) =>
      operand([indices.shape[0], ...shape.slice(indices.shape[1])]).map((updates) => ({
        operands: [updates, indices],
        compute: ([tensor, at]) => tf.scatterND(at, tensor, shape),
      })),
    ),
  ),
  Diag: untrainable(
    shaped(
      () => fc.constant(undefined),
      (x) => tf.diag(x),
      { ranks: [1, 2] },
    ),
  ),
  UnsortedSegmentSum: shapes(1, 3).chain((shape) =>
    fc.tuple(operand(shape), operand(shape.slice(0, 1), [0, 4], 'int32')).map((operands) => ({
      operands,
      compute: ([x, indices]) => tf.unsortedSegmentSum(x, indices as tf.Tensor1D, 5),
    })),
  ),
  OneHot: fc.oneof(
    shaped(
      () => fc.constant(undefined),
      (x) => tf.oneHot(x, 4),
      { kind: 'int32', range: [-1, 5], ranks: [1, 3] },
    ),
    shaped(
      () => fc.constant(undefined),
      (x) => tf.oneHot(x, 4, 2.5, -1, 'float32'),
      { kind: 'int32', range: [0, 3], ranks: [1, 3] },
    ),
  ),
};
