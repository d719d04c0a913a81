/** @file Normalizations: to a mean of 0 and a variance of 1 over a batch, a layer, an instance or a group of channels. */
import * as tf from '@tensorflow/tfjs';
import type { NodeCall, Operators } from '../nodeCall.ts';
import { axisOf } from '../values.ts';
import { byChannel } from './windows.ts';

const EPSILON = 1e-5;

/** (x - mean) / sqrt(variance + epsilon), mean and variance over axes. */
function normalized(
  x: tf.Tensor,
  axes: number[],
  epsilon: number,
): { y: tf.Tensor; mean: tf.Tensor; variance: tf.Tensor } {
  const mean = tf.mean(x, axes, true);
  const centered = tf.sub(x, mean);
  const variance = tf.mean(tf.square(centered), axes, true);
  return { y: tf.div(centered, tf.sqrt(tf.add(variance, epsilon))), mean, variance };
}

function scaled(call: NodeCall, y: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(y, byChannel(call.floats(1), y.rank)), byChannel(call.floats(2), y.rank));
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
    const deviation = tf.sqrt(tf.add(runningVariance, epsilon));
    return scaled(call, tf.div(tf.sub(x, byChannel(runningMean, x.rank)), byChannel(deviation, x.rank)));
  }
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  const { y, mean, variance } = normalized(x, axes, epsilon);
  const move = (input: number, running: tf.Tensor, now: tf.Tensor) =>
    call.mode.update(
      call.node.inputs[input],
      tf.add(tf.mul(running, momentum), tf.mul(tf.reshape(now, running.shape), 1 - momentum)),
    );
  move(RUNNING_MEAN, runningMean, mean);
  move(RUNNING_VARIANCE, runningVariance, variance);
  return scaled(call, y);
}

/** Ba et al. 2016: over all axes from one on; scale and bias have their shape. */
function layerNormalization(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const first = axisOf(call.integer('axis', -1), x.rank);
  call.onlyOutput('mean and deviation');
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis >= first);
  const { y } = normalized(x, axes, call.real('epsilon', EPSILON));
  const product = tf.mul(y, call.floats(1));
  return call.has(2) ? tf.add(product, call.floats(2)) : product;
}

function instanceNormalization(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const axes = x.shape.map((_, axis) => axis).slice(2);
  return scaled(call, normalized(x, axes, call.real('epsilon', EPSILON)).y);
}

/** Wu & He 2018. Before version 21, scale and bias have a number for each group. */
function groupNormalization(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const groups = call.integer('num_groups', 1);
  const [batch, channels] = x.shape;
  if (channels % groups !== 0) throw new TypeError(`${channels} channels are not ${groups} groups`);
  const grouped = tf.reshape(x, [batch, groups, x.size / (batch * groups)]);
  const { y } = normalized(grouped, [2], call.real('epsilon', EPSILON));
  if (call.mode.opset < 21) return tf.reshape(scaled(call, y), x.shape);
  return scaled(call, tf.reshape(y, x.shape));
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
