/** @file Normalizations: to a mean of 0 and a variance of 1 over a batch, a layer, an instance or a group of channels. */
import * as tf from '@tensorflow/tfjs';
import type { NodeCall, Operators } from '../nodeCall.ts';
import { axisOf } from '../values.ts';
import { byChannel } from './windows.ts';

const EPSILON = 1e-5;

interface Moments {
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
  readonly centered: tf.Tensor;
  /** 1 / sqrt(variance + epsilon) */
  readonly inverse: tf.Tensor;
}

/** Mean and variance over axes, which keep their places. */
function moments(x: tf.Tensor, axes: number[], epsilon: number): Moments {
  const mean = tf.mean(x, axes, true);
  const centered = tf.sub(x, mean);
  const variance = tf.mean(tf.square(centered), axes, true);
  return { mean, variance, centered, inverse: tf.rsqrt(tf.add(variance, epsilon)) };
}

/**
 * (x - mean) / sqrt(variance + epsilon). Its gradient is written out: TensorFlow.js would differentiate mean and variance, in twice as
 * many operations on all of x.
 */
function normalized(x: tf.Tensor, axes: number[], epsilon: number): tf.Tensor {
  const { centered, inverse } = moments(x, axes, epsilon);
  return tf.customGrad((_, save) => {
    const value = tf.mul(centered, inverse);
    (save as tf.GradSaveFunc)([value, inverse]);
    const gradFunc = (dy: tf.Tensor, [y, inverse]: tf.Tensor[]) => {
      const along = tf.mul(y, tf.mean(tf.mul(dy, y), axes, true));
      return tf.mul(inverse, tf.sub(tf.sub(dy, tf.mean(dy, axes, true)), along));
    };
    return { value, gradFunc };
  })(x);
}

/** The same, times a scale, plus a bias, both with one number for all that a mean is taken over: of these its gradient makes fewer operations. */
function normalizedAndScaled(
  x: tf.Tensor,
  { centered, inverse }: Moments,
  axes: number[],
  [scale, bias]: readonly [scale: tf.Tensor, bias: tf.Tensor],
): tf.Tensor {
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  return tf.customGrad((...operands) => {
    const [, scale, bias] = operands as tf.Tensor[];
    const factor = tf.mul(scale, inverse);
    (operands[3] as tf.GradSaveFunc)([centered, inverse, factor]);
    const gradFunc = (dy: tf.Tensor, [centered, inverse, factor]: tf.Tensor[]) => {
      const ofBias = tf.sum(dy, axes, true);
      const along = tf.sum(tf.mul(dy, centered), axes, true);
      const slope = tf.mul(tf.mul(factor, tf.square(inverse)), tf.div(along, -count));
      const ofX = tf.add(tf.mul(dy, factor), tf.add(tf.mul(centered, slope), tf.mul(factor, tf.div(ofBias, -count))));
      return [ofX, sumTo(tf.mul(along, inverse), scale.shape), sumTo(ofBias, bias.shape)];
    };
    return { value: tf.add(tf.mul(centered, factor), bias), gradFunc };
  })(x, scale, bias);
}

/** The sum over the axes on which the shape has one number. */
function sumTo(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const axes = x.shape.map((_, axis) => axis).filter((axis) => shape[axis] === 1 && x.shape[axis] > 1);
  return axes.length === 0 ? x : tf.sum(x, axes, true);
}

/** Scale and bias of the channels, for inputs of a rank. */
function scaleAndBias(call: NodeCall, rank: number): readonly [tf.Tensor, tf.Tensor] {
  return [byChannel(call.floats(1), rank), byChannel(call.floats(2), rank)];
}

/** Inputs of BatchNormalization that are running statistics. */
export const RUNNING_MEAN = 3;
export const RUNNING_VARIANCE = 4;

/**
 * In training by the statistics of the batch, of which the running ones take 1 - momentum (`mean` and the population's `variance`, as
 * the standard has it); else by the running ones. A file that was exported for inference is no exception.
 */
function batchNormalization(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const epsilon = call.real('epsilon', EPSILON);
  const momentum = call.real('momentum', 0.9);
  call.integer('training_mode', 0);
  const [runningMean, runningVariance] = [call.floats(RUNNING_MEAN), call.floats(RUNNING_VARIANCE)];
  if (!call.mode.training || call.mode.frozenStatistics) {
    const [scale, bias] = scaleAndBias(call, x.rank);
    const factor = tf.mul(scale, byChannel(tf.rsqrt(tf.add(runningVariance, epsilon)), x.rank));
    return tf.add(tf.mul(tf.sub(x, byChannel(runningMean, x.rank)), factor), bias);
  }
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  const found = moments(x, axes, epsilon);
  const move = (input: number, running: tf.Tensor, now: tf.Tensor) =>
    call.mode.update(
      call.node.inputs[input],
      tf.add(tf.mul(running, momentum), tf.mul(tf.reshape(now, running.shape), 1 - momentum)),
    );
  move(RUNNING_MEAN, runningMean, found.mean);
  move(RUNNING_VARIANCE, runningVariance, found.variance);
  return normalizedAndScaled(x, found, axes, scaleAndBias(call, x.rank));
}

/** Ba et al. 2016: over all axes from one on; scale and bias have their shape. */
function layerNormalization(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const first = axisOf(call.integer('axis', -1), x.rank);
  call.onlyOutput('mean and deviation');
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis >= first);
  const product = tf.mul(normalized(x, axes, call.real('epsilon', EPSILON)), call.floats(1));
  return call.has(2) ? tf.add(product, call.floats(2)) : product;
}

function instanceNormalization(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const axes = x.shape.map((_, axis) => axis).slice(2);
  const found = moments(x, axes, call.real('epsilon', EPSILON));
  return normalizedAndScaled(x, found, axes, scaleAndBias(call, x.rank));
}

/** Wu & He 2018. Before version 21, scale and bias have a number for each group. */
function groupNormalization(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const groups = call.integer('num_groups', 1);
  const [batch, channels] = x.shape;
  if (channels % groups !== 0) throw new TypeError(`${channels} channels are not ${groups} groups`);
  const grouped = tf.reshape(x, [batch, groups, x.size / (batch * groups)]);
  const y = normalized(grouped, [2], call.real('epsilon', EPSILON));
  const scaled = (y: tf.Tensor) => {
    const [scale, bias] = scaleAndBias(call, y.rank);
    return tf.add(tf.mul(y, scale), bias);
  };
  if (call.mode.opset < 21) return tf.reshape(scaled(y), x.shape);
  return scaled(tf.reshape(y, x.shape));
}

/** Response normalization over neighbouring channels (Krizhevsky et al. 2012, section 3.3). */
function localResponseNormalization(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const size = call.integer('size', 1);
  const [alpha, beta, bias] = [call.real('alpha', 1e-4), call.real('beta', 0.75), call.real('bias', 1)];
  const before = Math.floor((size - 1) / 2);
  const pads = x.shape.map((_, axis): [number, number] => (axis === 1 ? [before, size - 1 - before] : [0, 0]));
  const padded = tf.pad(tf.square(x), pads);
  const windows = Array.from({ length: size }, (_, from) =>
    tf.slice(
      padded,
      x.shape.map((_, axis) => (axis === 1 ? from : 0)),
      x.shape,
    ),
  );
  const sum = windows.reduce((a, b) => tf.add(a, b));
  return tf.div(x, tf.pow(tf.add(tf.mul(sum, alpha / size), bias), beta));
}

export const normalizationOperators: Operators = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LRN: localResponseNormalization,
};
