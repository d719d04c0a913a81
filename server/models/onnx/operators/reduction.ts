/** @file Operators that reduce axes to one number. */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../../protocol/shape.ts';
import type { NodeCall, Operator, Operators } from '../nodeCall.ts';
import { axisOf } from '../values.ts';
import { divide } from './elementwise.ts';

/** Version from which the axes are an input. */
const AXES_AS_INPUT = { ReduceSum: 13, others: 18 };

/** The axes that a node reduces; undefined where it reduces none. */
export function reducedAxes(call: NodeCall, rank: number): number[] | undefined {
  const { op } = call.node;
  const version = op === 'ReduceSum' ? AXES_AS_INPUT.ReduceSum : AXES_AS_INPUT.others;
  const given = call.mode.opset < version ? call.integers('axes') : call.numbers(1, 'axes');
  const isNothing = call.integer('noop_with_empty_axes', 0) !== 0;
  if (given && given.length > 0) return given.map((axis) => axisOf(axis, rank));
  return isNothing ? undefined : Array.from({ length: rank }, (_, axis) => axis);
}

type Reduce = (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor;

const reducing =
  (reduce: Reduce): Operator =>
  (call) => {
    const x = call.tensor(0);
    const keepDims = call.integer('keepdims', 1) !== 0;
    const axes = reducedAxes(call, x.rank);
    return axes && axes.length > 0 ? reduce(x, axes, keepDims) : x;
  };

/** The mean, which is an integer where the numbers are integers. */
function mean(x: tf.Tensor, axes: number[], keepDims: boolean): tf.Tensor {
  if (x.dtype === 'float32') return tf.mean(x, axes, keepDims);
  const count = elementCount(axes.map((axis) => x.shape[axis]));
  return divide(tf.sum(x, axes, keepDims), tf.scalar(count, 'int32'));
}

/** The place of the largest or smallest number on an axis, the first of several. */
const indexOf =
  (find: (x: tf.Tensor, axis: number) => tf.Tensor): Operator =>
  (call) => {
    const x = call.tensor(0);
    const axis = axisOf(call.integer('axis', 0), x.rank);
    const keepDims = call.integer('keepdims', 1) !== 0;
    if (call.integer('select_last_index', 0) !== 0) throw new TypeError('its select_last_index is not known here');
    const index = find(x, axis);
    return keepDims ? tf.expandDims(index, axis) : index;
  };

/** Sums of all numbers before each on an axis, itself included or not. */
function cumulativeSum(call: NodeCall): tf.Tensor {
  const x = call.tensor(0);
  const axis = axisOf(call.requiredNumbers(1, 'the axis')[0], x.rank);
  return tf.cumsum(x, axis, call.integer('exclusive', 0) !== 0, call.integer('reverse', 0) !== 0);
}

export const reductionOperators: Operators = {
  ReduceSum: reducing(tf.sum),
  ReduceMean: reducing(mean),
  ReduceMax: reducing(tf.max),
  ReduceMin: reducing(tf.min),
  ReduceProd: reducing(tf.prod),
  ReduceSumSquare: reducing((x, axes, keepDims) => tf.sum(tf.square(x), axes, keepDims)),
  ReduceL1: reducing((x, axes, keepDims) => tf.sum(tf.abs(x), axes, keepDims)),
  ReduceL2: reducing((x, axes, keepDims) => tf.sqrt(tf.sum(tf.square(x), axes, keepDims))),
  ReduceLogSum: reducing((x, axes, keepDims) => tf.log(tf.sum(x, axes, keepDims))),
  ReduceLogSumExp: reducing(tf.logSumExp),
  ArgMax: indexOf(tf.argMax),
  ArgMin: indexOf(tf.argMin),
  CumSum: cumulativeSum,
};
