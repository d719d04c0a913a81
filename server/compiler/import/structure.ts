/** @file Kernels of TensorFlow.js that reduce, reshape, join, cut and index. */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import { binary, cast, constant, make, reduce, reshape, scalar, select, slice, transpose, unary } from '../build.ts';
import type { Node } from '../ir.ts';
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
    const operand = op === 'Mean' ? cast(x, 'float32') : x.type.dtype === 'bool' ? cast(x, 'int32') : x;
    return reduce(op, operand, axes, keepDims);
  });
}

/** All and Any: the smallest and the largest of the truth values. */
function logicalReduction(op: 'Min' | 'Max'): KernelImport {
  return kernel<tf.AllAttrs>(({ x }, { axis, keepDims }) => {
    const axes = tf.util.parseAxisParam(axis, [...x.type.shape]);
    return cast(reduce(op, cast(x, 'int32'), axes, keepDims), 'bool');
  });
}

export const structureKernels: KernelImports = {
  Sum: reduction('Sum'),
  Mean: reduction('Mean'),
  Prod: reduction('Prod'),
  Max: kernel<tf.MaxAttrs>(({ x }, { reductionIndices, keepDims }) =>
    reduce('Max', x, tf.util.parseAxisParam(reductionIndices, [...x.type.shape]), keepDims),
  ),
  Min: reduction('Min'),
  All: logicalReduction('Min'),
  Any: logicalReduction('Max'),
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
  ArgMax: kernel<tf.ArgMaxAttrs>(({ x }, { axis }) => {
    const [only] = tf.util.parseAxisParam(axis, [...x.type.shape]);
    return make('ArgMax', { axis: only }, [x]);
  }),
  ArgMin: kernel<tf.ArgMinAttrs>(({ x }, { axis }) => {
    const [only] = tf.util.parseAxisParam(axis, [...x.type.shape]);
    return make('ArgMax', { axis: only }, [unary('Neg', x)]);
  }),

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
  UnsortedSegmentSum: kernel<tf.UnsortedSegmentSumAttrs>(({ x, segmentIds }, { numSegments }) => {
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
  Range: kernel<tf.RangeAttrs>((_inputs, { start, stop, step, dtype }) => {
    const values = Array.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (_, i) => start + i * step);
    return constant(values, [values.length], dtype);
  }),
};
