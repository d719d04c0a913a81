/**
 * @file The loss of a student that learns from a teacher's outputs beside the labels: Hinton, Vinyals & Dean 2015, "Distilling the
 * knowledge in a neural network", as Polino, Pascanu & Alistarh 2018 (arXiv 1802.05668), section 2, have it. With the logits z_s of
 * the student and z_t of the teacher, the temperature T and the weight w, of a sample that asks the teacher:
 *
 *     w T^2 KL(softmax(z_t / T) || softmax(z_s / T)) + (1 - w) CE(z_s, y)
 *
 * whose gradient in z_s is `w T (softmax(z_s / T) - softmax(z_t / T)) + (1 - w) (softmax(z_s) - onehot(y))`; of another sample CE.
 * Plain TensorFlow.js operations only, since the compiler traces them.
 */
import * as tf from '@tensorflow/tfjs';
import type { StepLoss } from '../../compiler/program.ts';
import { logProbabilities, oneHot } from '../../models/losses.ts';
import { lossFacts, type LossId } from '../../protocol/experiment/lossFacts.ts';
import type { DistillationConfig } from '../../protocol/experiment/schema.ts';
import type { LossTerms } from './loss.ts';
import type { OutputKind } from './outputKind.ts';

/** The terms of a batch's loss, and the shares that are told beside them. */
export interface Terms {
  readonly terms: LossTerms;
  readonly shares?: Readonly<Record<string, tf.Scalar>>;
}

/** Outputs of a batch, their last axis that of the classes. */
interface Outputs {
  readonly values: tf.Tensor;
  readonly kind: OutputKind;
}

/** What the data say of a batch. */
interface Labels {
  readonly targets: tf.Tensor;
  /** The built-in loss that measures them. */
  readonly loss: LossId;
}

/** True for parts of a loss that the teacher alone makes not finite: the student's outputs have a loss on the labels. */
export function isTeacherAtFault({ labels, distillation }: StepLoss['parts']): boolean {
  return Number.isFinite(labels) && distillation !== undefined && !Number.isFinite(distillation);
}

/**
 * Both parts of a student's loss where all samples ask the teacher.
 * @param dataLoss mean loss of the batch on its labels
 */
export function distillAll(
  { temperature, weight, reduction }: DistillationConfig,
  { student, teacher }: Readonly<Record<'student' | 'teacher', Outputs>>,
  dataLoss: tf.Scalar,
): Terms {
  const divergence = tf.mean<tf.Scalar>(divergences(student, teacher, temperature));
  const factor = divergenceFactor({ temperature, weight, reduction }, classesOf(student));
  return {
    terms: { labels: [tf.mul(1 - weight, dataLoss)], distillation: [tf.mul(factor, divergence)] },
  };
}

/** The same where each sample decides whether it asks, and which share of them does. */
export function distillSome(
  config: DistillationConfig,
  { student, teacher }: Readonly<Record<'student' | 'teacher', Outputs>>,
  labels: Labels,
): Terms {
  const { temperature, weight, reduction } = config;
  const asks = asking(config.ask, student, labels);
  const rest = tf.sub(1, asks);
  const divergence = divergences(student, teacher, temperature);
  const crossEntropy = crossEntropies(student, labels);
  const factor = divergenceFactor(config, classesOf(student));
  const [onLabels, onTeacher] =
    reduction === 'batchmean'
      ? [tf.mean(tf.mul(tf.sub(1, tf.mul(weight, asks)), crossEntropy)), tf.mean(tf.mul(asks, divergence))]
      : [
          tf.add(tf.mul(1 - weight, groupMean(crossEntropy, asks)), groupMean(crossEntropy, rest)),
          groupMean(divergence, asks),
        ];
  return {
    terms: { labels: [onLabels as tf.Scalar], distillation: [tf.mul(factor, onTeacher)] },
    shares: { asked: tf.mean(asks) },
  };
}

/** What the mean divergence is multiplied by: w T^2, by the published code (PyTorch's `KLDivLoss()`) over the number of classes. */
function divergenceFactor(
  { temperature, weight, reduction }: Pick<DistillationConfig, 'temperature' | 'weight' | 'reduction'>,
  classes: number,
): number {
  return (weight * temperature ** 2) / (reduction === 'as-published' ? classes : 1);
}

/** Mean of `values` over the samples whose `member` is 1; 0 where there are none. All are `[samples]`. */
function groupMean(values: tf.Tensor, member: tf.Tensor): tf.Scalar {
  return tf.div(tf.sum(tf.mul(member, values)), tf.maximum(tf.sum(member), 1));
}

/** KL(softmax(z_t / T) || softmax(z_s / T)) of each sample, `[samples]`, in nats. */
function divergences(student: Outputs, teacher: Outputs, temperature: number): tf.Tensor {
  const [own, other] = [student, teacher].map((outputs) => tf.logSoftmax(tf.div(logitsOf(outputs), temperature)));
  return tf.sum(tf.mul(tf.exp(other), tf.sub(other, own)), -1);
}

/** The loss on the label of each sample, `[samples]`. */
function crossEntropies(student: Outputs, labels: Labels): tf.Tensor {
  const logarithms = student.kind === 'logits' ? tf.logSoftmax(logitsOf(student)) : logitsOf(student);
  return tf.neg(tf.sum(tf.mul(classCodes(labels, logarithms), logarithms), -1));
}

/**
 * 1 for each sample that asks the teacher, else 0: `[samples]`, float32, without a gradient.
 * @throws TypeError where all of them do
 */
function asking(ask: DistillationConfig['ask'], student: Outputs, labels: Labels): tf.Tensor {
  const logits = logitsOf(student);
  return withoutGradient(logits, () => tf.cast(decide(), 'float32'));

  function decide(): tf.Tensor {
    if (typeof ask === 'object') return tf.greater(entropies(logits), ask.entropyAbove);
    switch (ask) {
      case 'by-entropy':
        return tf.less(tf.randomUniform([logits.shape[0]]), tf.div(entropies(logits), Math.log2(classesOf(student))));
      case 'when-wrong':
        return tf.notEqual(tf.argMax(logits, -1), classNumbers(labels, logits));
      case 'always':
        throw new TypeError('Nothing is to be decided.');
      default:
        return ask satisfies never;
    }
  }
}

/** Entropy of each sample's softmax, `[samples]`, in bits. */
function entropies(logits: tf.Tensor): tf.Tensor {
  const logarithms = tf.logSoftmax(logits);
  return tf.div(tf.sum(tf.mul(tf.exp(logarithms), logarithms), -1), -Math.LN2);
}

/** What is computed of `x`, as a constant in gradients: TensorFlow.js has no derivative of a comparison. */
function withoutGradient(x: tf.Tensor, compute: () => tf.Tensor): tf.Tensor {
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => tf.zerosLike(x) }))(x);
}

/** Logits, or what is as good: softmax(log p) = p. As `[samples, classes]`: each time step of a sequence is a sample. */
function logitsOf({ values, kind }: Outputs): tf.Tensor {
  const rows = tf.reshape(values, [-1, values.shape[values.shape.length - 1]]);
  return kind === 'logits' ? rows : logProbabilities(rows);
}

/** The probability of each class that the data say, of the shape of `rows`. */
function classCodes({ targets, loss }: Labels, rows: tf.Tensor): tf.Tensor {
  return lossFacts[loss].targets === 'labels'
    ? oneHot(targets, rows)
    : tf.cast(tf.reshape(targets, rows.shape), 'float32');
}

/** The likeliest class by the data, `[samples]`, int32. */
function classNumbers({ targets, loss }: Labels, rows: tf.Tensor): tf.Tensor {
  return lossFacts[loss].targets === 'labels'
    ? tf.cast(tf.reshape(targets, [-1]), 'int32')
    : tf.argMax(tf.reshape(targets, rows.shape), -1);
}

function classesOf({ values }: Outputs): number {
  return values.shape[values.shape.length - 1];
}
