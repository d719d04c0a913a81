/**
 * @file Losses: the mean over the batch of the loss of each sample, a scalar. Except where said otherwise, they give the
 * numbers of the tfjs-layers losses (tfjs-layers/src/losses.ts), clipping included. Plain tfjs operations only, since the
 * compiler traces them. Targets may be int32 or float32.
 */
import * as tf from '@tensorflow/tfjs';
import { lossFacts, type ClassLossId, type LossId } from '../protocol/experiment/lossFacts.ts';

/** @returns a scalar: the mean over the batch */
export type Loss = (targets: tf.Tensor, outputs: tf.Tensor) => tf.Tensor;

/** Keras's fuzz factor for float32. */
const EPSILON = 1e-7;
const HUBER_DELTA = 1;

/** Losses of classes, one of which a sample belongs to; targets are a number for each class, of shape `[…, classes]`. */
const classLosses: Record<ClassLossId, Loss> = {
  /** Outputs are probabilities (made to sum to 1). */
  'categorical-crossentropy': categoricalCrossentropy,

  'sparse-categorical-crossentropy': (targets, outputs) => categoricalCrossentropy(targets, clip(outputs)),

  /**
   * The same for logits, by a log-softmax that cannot overflow. (tfjs-layers has no such loss that works: it clips the
   * logits to [0, 1] first.)
   */
  'sparse-categorical-crossentropy-from-logits': (targets, outputs) =>
    tf.neg(tf.mean(tf.sum(tf.mul(targets, tf.logSoftmax(outputs)), -1))),
};

/** A loss whose targets are class numbers of shape `[…]` or `[…, 1]`. */
function ofLabels(id: ClassLossId): Loss {
  return (targets, outputs) => classLosses[id](oneHot(targets, outputs), outputs);
}

/**
 * A loss of classes in which each sample counts by the weight of its class: the mean over the batch of `w[class] * loss`, as Keras has it.
 * @param weights of all classes
 */
export function weightedLoss(id: ClassLossId, weights: readonly number[]): Loss {
  return (targets, outputs) => {
    const codes = lossFacts[id].targets === 'labels' ? oneHot(targets, outputs) : tf.cast(targets, 'float32');
    return classLosses[id](tf.mul(codes, tf.tensor1d([...weights])), outputs);
  };
}

export const losses: Record<LossId, Loss> = {
  'categorical-crossentropy': classLosses['categorical-crossentropy'],
  'sparse-categorical-crossentropy': ofLabels('sparse-categorical-crossentropy'),
  'sparse-categorical-crossentropy-from-logits': ofLabels('sparse-categorical-crossentropy-from-logits'),

  /** Outputs are probabilities. */
  'binary-crossentropy': (targets, outputs) => {
    const probabilities = clip(outputs);
    return binaryCrossentropy(targets, tf.log(tf.div(probabilities, tf.sub(1, probabilities))));
  },

  /** The same for logits, which cannot overflow: `tf.losses.sigmoidCrossEntropy`. */
  'binary-crossentropy-from-logits': binaryCrossentropy,

  'mean-squared-error': (targets, outputs) => tf.mean(tf.square(tf.sub(outputs, targets))),

  'mean-absolute-error': (targets, outputs) => tf.mean(tf.abs(tf.sub(outputs, targets))),

  /** Quadratic up to an error of 1, linear beyond (Huber 1964); `tf.losses.huberLoss`. */
  huber: (targets, outputs) => {
    const error = tf.abs(tf.sub(outputs, targets));
    const quadratic = tf.minimum(error, HUBER_DELTA);
    const linear = tf.sub(error, quadratic);
    return tf.mean(tf.add(tf.mul(0.5, tf.square(quadratic)), tf.mul(HUBER_DELTA, linear)));
  },

  /** Minus the cosine of the angle between target and output along the last axis. */
  'cosine-proximity': (targets, outputs) => tf.neg(tf.mean(tf.sum(tf.mul(normalize(targets), normalize(outputs)), -1))),
};

function binaryCrossentropy(targets: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const labels = tf.cast(targets, 'float32');
  return tf.mean(tf.add(tf.sub(tf.relu(logits), tf.mul(logits, labels)), tf.log1p(tf.exp(tf.neg(tf.abs(logits))))));
}

function categoricalCrossentropy(targets: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
  return tf.neg(tf.mean(tf.sum(tf.mul(tf.cast(targets, 'float32'), logProbabilities(outputs)), -1)));
}

/**
 * Logarithms of probabilities, made to sum to 1 and clipped as the losses clip them.
 * @param probabilities of shape `[…, classes]`
 */
export function logProbabilities(probabilities: tf.Tensor): tf.Tensor {
  return tf.log(clip(tf.div(probabilities, tf.sum(probabilities, -1, true))));
}

/** Labels as one-hot rows of the shape of the outputs, float32. */
export function oneHot(targets: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
  const classes = outputs.shape[outputs.shape.length - 1];
  const labels = tf.cast(tf.reshape(targets, [-1]), 'int32');
  return tf.cast(tf.reshape(tf.oneHot(labels, classes), outputs.shape), 'float32');
}

function clip(probabilities: tf.Tensor): tf.Tensor {
  return tf.clipByValue(probabilities, EPSILON, 1 - EPSILON);
}

/** To length 1 along the last axis. */
function normalize(x: tf.Tensor): tf.Tensor {
  const values = tf.cast(x, 'float32');
  return tf.div(values, tf.sqrt(tf.maximum(tf.sum(tf.square(values), -1, true), EPSILON)));
}
