/** @file Kernels of TensorFlow.js that reduce, reshape, join, cut and index. */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import { binary, cast, constant, make, reduce, reshape, scalar, select, slice, transpose, unary } from '../build.ts';
import type { Node, Shape } from '../ir.ts';
import { kernel, listed, type KernelImport, type KernelImports } from './kernel.ts';

/** The rows of the table that indices were used for: their gradient, a sum of segments, needs no check of its own. */
const lookedUp = new WeakMap<Node, number>();

/** What a tensor of indices was reshaped and cast from. */
const origin = (x: Node): Node => (x.op === 'Reshape' || x.op === 'Cast' ? origin(x.inputs[0]) : x);

type ReductionOp = Parameters<typeof reduce>[0];

function reduction(op: ReductionOp): KernelImport {
  return kernel<tf.SumAttrs>(({ x }, { axis, keepDims }) => {
    const axes = tf.util.parseAxisParam(axis, [...x.type.shape]);
    // The mean of integers is a fraction; sums of booleans count.
    return reduce(op, op === 'Mean' ? cast(x, 'float32') : counted(x), axes, keepDims);
  });
}

/** Truth values as 0 and 1. */
const counted = (x: Node) => (x.type.dtype === 'bool' ? cast(x, 'int32') : x);

/** The smallest or the largest, of truth values one of them. */
function extreme(op: 'Min' | 'Max', x: Node, axis: number | number[], keepDims: boolean): Node {
  const axes = tf.util.parseAxisParam(axis, [...x.type.shape]);
  return cast(reduce(op, counted(x), axes, keepDims), x.type.dtype);
}

function argument(sign: 'Neg' | undefined): KernelImport {
  return kernel<tf.ArgMaxAttrs>(({ x }, { axis }) => {
    const [only] = tf.util.parseAxisParam(axis, [...x.type.shape]);
    const values = counted(x);
    return make('ArgMax', { axis: only }, [sign === undefined ? values : unary(sign, values)]);
  });
}

/** The cumulative product, by products with what is 1, 2, 4, … places back: as many as the length has binary digits. */
function cumulativeProduct(x: Node, along: number, exclusive: boolean, reverse: boolean): Node {
  const { shape, dtype } = x.type;
  /** The tensor moved by some places towards its end, or its beginning, ones in the place of what is missing. */
  const moved = (y: Node, places: number): Node => {
    const by = Math.min(places, shape[along]);
    const gap = shape.map((_, axis) => (axis === along ? by : 0));
    const none = shape.map(() => 0);
    const [before, after] = reverse ? [none, gap] : [gap, none];
    const rest = slice(
      y,
      reverse ? gap : none,
      shape.map((size, axis) => size - gap[axis]),
    );
    return by === shape[along] ? constant([1], shape, dtype) : make('Pad', { before, after, value: 1 }, [rest]);
  };
  let product = exclusive ? moved(x, 1) : x;
  for (let places = 1; places < shape[along]; places *= 2) product = binary('Mul', product, moved(product, places));
  return product;
}

const cumulative = (build: (x: Node, along: number, exclusive: boolean, reverse: boolean) => Node): KernelImport =>
  kernel<tf.CumsumAttrs>(({ x }, { axis, exclusive, reverse }) => {
    const [along] = tf.util.parseAxisParam(axis, [...x.type.shape]);
    return build(counted(x), along, exclusive, reverse);
  });

/** Indices [..., k] into the first k axes of a tensor, as indices [n] of its rows when these axes are one. */
function rowIndices(indices: Node, shape: Shape): { rows: Node; count: number; row: Shape; places: Shape } {
  const depth = indices.type.shape.at(-1) as number;
  const places = indices.type.shape.slice(0, -1);
  const strides = shape.slice(0, depth).map((_, axis) => elementCount(shape.slice(axis + 1, depth)));
  const scaled = binary('Mul', cast(indices, 'int32'), constant(strides, [depth], 'int32'));
  const rows = reshape(reduce('Sum', scaled, [places.length]), [elementCount(places)]);
  return { rows, count: elementCount(shape.slice(0, depth)), row: shape.slice(depth), places };
}

/** The place that each element of an axis is taken from when it is continued by its mirror image (tf.mirrorPad). */
export function mirrored(length: number, [before, after]: readonly number[], offset: 0 | 1): number[] {
  return Array.from({ length: before + length + after }, (_, index) => {
    const place = index - before;
    if (place < 0) return -place - offset;
    return place < length ? place : 2 * (length - 1) - place + offset;
  });
}

export const structureKernels: KernelImports = {
  Sum: reduction('Sum'),
  Mean: reduction('Mean'),
  Prod: reduction('Prod'),
  Max: kernel<tf.MaxAttrs>(({ x }, { reductionIndices, keepDims }) => extreme('Max', x, reductionIndices, keepDims)),
  Min: kernel<tf.MinAttrs>(({ x }, { axis, keepDims }) => extreme('Min', x, axis, keepDims)),
  All: kernel<tf.AllAttrs>(({ x }, { axis, keepDims }) => extreme('Min', x, axis, keepDims)),
  Any: kernel<tf.AnyAttrs>(({ x }, { axis, keepDims }) => extreme('Max', x, axis, keepDims)),
  Cumsum: cumulative((x, axis, exclusive, reverse) => make('CumulativeSum', { axis, exclusive, reverse }, [x])),
  Cumprod: cumulative(cumulativeProduct),
  TopK: kernel<tf.TopKAttrs>(({ x }, { k, sorted }) => {
    if (!sorted) throw new TypeError('it does not sort');
    const values = make('TopK', { count: k, result: 'values' }, [counted(x)]);
    return [cast(values, x.type.dtype), make('TopK', { count: k, result: 'indices' }, [counted(x)])];
  }),
  Softmax: kernel<tf.SoftmaxAttrs>(({ logits }, { dim }) => {
    const [axis] = tf.util.parseAxisParam(dim, [...logits.type.shape]);
    if (axis !== logits.type.shape.length - 1) throw new TypeError('it is not over the last axis');
    return unary('Softmax', logits);
  }),
  FusedBatchNorm: kernel<tf.FusedBatchNormAttrs>(({ x, mean, variance, offset, scale }, { varianceEpsilon }) => {
    const deviation = unary('Sqrt', binary('Add', variance, scalar(varianceEpsilon)));
    const factor = binary('Div', scale ?? scalar(1), deviation);
    const normal = binary('Mul', binary('Sub', x, mean), factor);
    return offset === undefined ? normal : binary('Add', normal, offset);
  }),
  ArgMax: argument(undefined),
  ArgMin: argument('Neg'),

  Reshape: kernel<tf.ReshapeAttrs>(({ x }, { shape }) =>
    reshape(x, tf.util.inferFromImplicitShape(shape, elementCount(x.type.shape))),
  ),
  ExpandDims: kernel<tf.ExpandDimsAttrs>(({ input }, { dim }) => {
    const shape = [...input.type.shape];
    shape.splice(dim < 0 ? shape.length + dim + 1 : dim, 0, 1);
    return reshape(input, shape);
  }),
  Transpose: kernel<tf.TransposeAttrs>(({ x }, { perm }) => transpose(x, perm)),
  Tile: kernel<tf.TileAttrs>(({ x }, { reps }) => make('Tile', { repeats: reps }, [x])),
  Concat: kernel<tf.ConcatAttrs>((inputs, { axis }) => {
    const parts = listed(inputs);
    const [along] = tf.util.parseAxisParam(axis, [...parts[0].type.shape]);
    const present = parts.filter((part) => part.type.shape[along] > 0);
    return present.length === 1 ? present[0] : make('Concat', { axis: along }, present);
  }),
  Pack: kernel<tf.PackAttrs>((inputs, { axis }) => {
    const tensors = listed(inputs);
    const along = axis < 0 ? tensors[0].type.shape.length + axis + 1 : axis;
    const parts = tensors.map((tensor) => reshape(tensor, tensor.type.shape.toSpliced(along, 0, 1)));
    return parts.length === 1 ? parts[0] : make('Concat', { axis: along }, parts);
  }),
  Unpack: kernel<tf.UnpackAttrs>(({ value }, { axis }) => {
    const shape = value.type.shape;
    const along = axis < 0 ? shape.length + axis : axis;
    const rest = shape.filter((_, other) => other !== along);
    return Array.from({ length: shape[along] }, (_, index) =>
      reshape(
        slice(
          value,
          shape.map((__, other) => (other === along ? index : 0)),
          shape.map((size, other) => (other === along ? 1 : size)),
        ),
        rest,
      ),
    );
  }),
  Slice: kernel<tf.SliceAttrs>(({ x }, { begin, size }) => {
    const [from, extent] = tf.slice_util.parseSliceParams(
      { shape: [...x.type.shape], rank: x.type.shape.length } as tf.Tensor,
      begin,
      size,
    );
    return slice(x, from, extent);
  }),
  StridedSlice: kernel<tf.StridedSliceAttrs>(({ x }, attributes) => {
    const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
    const info = tf.slice_util.sliceInfo(
      [...x.type.shape],
      begin,
      end,
      strides,
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    const size = tf.slice_util.computeOutShape(info.begin, info.end, info.strides);
    return reshape(slice(x, info.begin, size, info.strides), info.finalShape);
  }),
  SplitV: kernel<tf.SplitVAttrs>(({ x }, { numOrSizeSplits, axis }) => {
    const shape = x.type.shape;
    const [along] = tf.util.parseAxisParam(axis, [...shape]);
    const sizes = tf.backend_util.prepareSplitSize({ shape: [...shape] } as tf.Tensor, numOrSizeSplits, along);
    let offset = 0;
    return sizes.map((length) => {
      const part = slice(
        x,
        shape.map((_, other) => (other === along ? offset : 0)),
        shape.map((size, other) => (other === along ? length : size)),
      );
      offset += length;
      return part;
    });
  }),
  Reverse: kernel<tf.ReverseAttrs>(({ x }, { dims }) => {
    const axes = tf.util.parseAxisParam(dims, [...x.type.shape]);
    const backwards = (axis: number) => axes.includes(axis);
    return slice(
      x,
      x.type.shape.map((size, axis) => (backwards(axis) ? size - 1 : 0)),
      x.type.shape,
      x.type.shape.map((_, axis) => (backwards(axis) ? -1 : 1)),
    );
  }),
  PadV2: kernel<tf.PadV2Attrs>(({ x }, { paddings, constantValue }) =>
    make(
      'Pad',
      { before: paddings.map(([before]) => before), after: paddings.map(([, after]) => after), value: constantValue },
      [x],
    ),
  ),
  GatherV2: kernel<tf.GatherV2Attrs>(({ x, indices }, { axis, batchDims }) => {
    if (batchDims !== 0) throw new TypeError('it gathers with batch dimensions');
    const [along] = tf.util.parseAxisParam(axis, [...x.type.shape]);
    const rows = x.type.shape[along];
    if (indices.op === 'Constant' && indices.params.values.some((index) => index < 0 || index >= rows))
      throw new TypeError(`an index is not in [0, ${rows - 1}]`);
    lookedUp.set(origin(indices), rows);
    return make('Gather', { axis: along }, [x, cast(indices, 'int32')]);
  }),
  MirrorPad: kernel<tf.MirrorPadAttrs>(({ x }, { paddings, mode }) =>
    paddings.reduce((padded, sides, axis) => {
      if (sides.every((count) => count === 0)) return padded;
      const places = mirrored(x.type.shape[axis], sides, mode === 'reflect' ? 0 : 1);
      return make('Gather', { axis }, [padded, constant(places, [places.length], 'int32')]);
    }, x),
  ),
  GatherNd: ({ params, indices }) => {
    const { rows, count, row, places } = rowIndices(indices, params.type.shape);
    return reshape(make('Gather', { axis: 0 }, [reshape(params, [count, ...row]), rows]), [...places, ...row]);
  },
  ScatterNd: kernel<tf.ScatterNdAttrs>(({ indices, updates }, { shape }) => {
    if (updates.type.dtype === 'bool') throw new TypeError('it adds up truth values');
    const { rows, count, row, places } = rowIndices(indices, shape);
    const values = reshape(updates, [elementCount(places), ...row]);
    return reshape(make('SegmentSum', { rows: count, checked: true }, [values, rows]), shape);
  }),
  Diag: ({ x }) => {
    const size = elementCount(x.type.shape);
    const diagonal = Array.from({ length: size ** 2 }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
    const column = reshape(counted(x), [size, 1]);
    const square = select(constant(diagonal, [size, size], 'bool'), column, scalar(0, column.type.dtype));
    return reshape(cast(square, x.type.dtype), [...x.type.shape, ...x.type.shape]);
  },
  UnsortedSegmentSum: kernel<tf.UnsortedSegmentSumAttrs>(({ x: summands, segmentIds }, { numSegments }) => {
    const x = cast(summands, 'float32');
    const indices = cast(segmentIds, 'int32');
    if (lookedUp.get(origin(indices)) === numSegments) return make('SegmentSum', { rows: numSegments }, [x, indices]);
    // TensorFlow.js leaves out the values of all other indices.
    const isRow = binary(
      'And',
      binary('GreaterEqual', indices, scalar(0, 'int32')),
      binary('Less', indices, scalar(numSegments, 'int32')),
    );
    const column = reshape(isRow, [...isRow.type.shape, ...x.type.shape.slice(1).map(() => 1)]);
    return make('SegmentSum', { rows: numSegments }, [select(column, x, scalar(0, x.type.dtype)), indices]);
  }),
  OneHot: kernel<tf.OneHotAttrs>(({ indices }, { depth, onValue, offValue, dtype }) => {
    const encoded = make('OneHot', { depth, on: onValue, off: offValue }, [cast(indices, 'int32')]);
    return dtype === 'int32' || dtype === 'bool' ? cast(encoded, dtype) : encoded;
  }),
};
