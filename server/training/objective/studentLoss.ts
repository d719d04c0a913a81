/** @file What a student minimizes on a batch: its loss on the labels, and its distance from a teacher's outputs. */
import * as tf from '@tensorflow/tfjs';
import type { FrozenModel, SampleType } from '../../compiler/program.ts';
import { formatNumber } from '../../protocol/formatQuantity.ts';
import { classLosses, lossFacts, type LossId } from '../../protocol/experiment/lossFacts.ts';
import type { DistillationConfig } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { shapeText } from '../../protocol/shape.ts';
import type { MeanOfBatch } from './dataLoss.ts';
import { distillAll, distillSome, type Terms } from './distillation.ts';
import { outputKindOf, type OutputKind } from './outputKind.ts';

/** A model that others learn from; it takes the samples of the data. */
export interface Teacher extends FrozenModel {
  readonly model: tf.LayersModel;
  /**
   * What it takes of a sample; there are as many elements in what a student takes. `sample` is the index among what a student takes,
   * where their order is another.
   */
  readonly inputs: readonly (SampleType & { readonly sample?: number })[];
  readonly kind: OutputKind;
}

/** A model that learns, with its loss on the labels. */
interface Student {
  readonly model: tf.LayersModel;
  readonly loss: MeanOfBatch;
  /** Name of the loss, where it is a built-in one. */
  readonly id: LossId | undefined;
}

const SECTION = 'distillation';

/**
 * @returns the terms of the loss of a batch, by what the student has computed of it
 * @throws SettingError where student and teacher do not fit together, or the student's loss or outputs are not of classes
 */
export function studentLoss(
  config: DistillationConfig,
  student: Student,
  teacher: Teacher,
): (batch: tf.Tensor[], targets: tf.Tensor[], outputs: tf.Tensor[]) => Terms {
  const kind = checkStudent(config, student);
  checkOutputs(student.model, teacher.model);
  return (batch, targets, outputs) => {
    const pair = {
      student: { values: outputs[0], kind },
      teacher: { values: outputOf(teacher, batch), kind: teacher.kind },
    };
    return config.ask === 'always'
      ? distillAll(config, pair, student.loss(targets, outputs))
      : distillSome(config, pair, { targets: targets[0], loss: student.id! });
  };
}

/** What the teacher thinks of a batch: in inference mode, without dropout and with the averages of normalizations. */
function outputOf({ model, inputs }: Teacher, batch: readonly tf.Tensor[]): tf.Tensor {
  const own = inputs.map(({ sample, shape }, index) => {
    const values = batch[sample ?? index];
    return tf.reshape(values, [values.shape[0], ...shape]);
  });
  return model.apply(own.length === 1 ? own[0] : own, { training: false }) as tf.Tensor;
}

/** @returns what the outputs of the student are */
function checkStudent({ ask, reduction }: DistillationConfig, { model, id }: Student): OutputKind {
  if (model.outputs.length !== 1)
    throw new SettingError([SECTION], `it is for a model of one output, and this one has ${model.outputs.length}`, {
      at: 'key',
      remedy: 'Leave it out, or train a model for one of the outputs.',
    });
  if (id !== undefined && lossFacts[id].outputs === undefined)
    throw new SettingError(
      [SECTION],
      `it is for classes, one of which a sample belongs to, and not for the loss ${id}`,
      {
        at: 'key',
        remedy: `Leave it out, or set training.loss to one of ${classLosses.join(', ')}.`,
      },
    );
  const { shape } = model.outputs[0];
  const kind = outputKindOf(model, id);
  const classes = shape.at(-1) ?? 0;
  if (kind === undefined || shape.length < 2 || classes < 2)
    throw new SettingError(
      [SECTION],
      `it is for classes, one of which a sample belongs to, and the model's output ${shapeText(shape.slice(1))} ` +
        (kind === undefined ? 'is neither logits nor a softmax' : 'has no axis of at least two'),
      { at: 'key', remedy: 'Leave it out, or give the model an output for each class.' },
    );
  if (id === undefined && ask !== 'always')
    throw new SettingError(
      [SECTION, 'ask'],
      "the samples that do not ask need a loss of their own each, and the one of the model's module is of the batch",
      { remedy: `Leave it out, or set training.loss to one of ${classLosses.join(', ')}.` },
    );
  if (typeof ask === 'object' && ask.entropyAbove >= Math.log2(classes))
    throw new SettingError(
      [SECTION, 'ask', 'entropyAbove'],
      `no sample would ask: the entropy over ${classes} classes is at most ${formatNumber(Math.log2(classes))} bits`,
      { remedy: 'Choose a smaller one.' },
    );
  if (reduction === 'as-published' && shape.length > 2)
    throw new SettingError(
      [SECTION, 'reduction'],
      'the published code divides by the number of classes for images alone, and the output is a sequence',
      { remedy: 'Leave it out: with "temperature": 1, the default is what that code does for sequences.' },
    );
  return kind;
}

/** @throws SettingError where the outputs cannot be compared class by class */
function checkOutputs(student: tf.LayersModel, teacher: tf.LayersModel): void {
  const [own, other] = [student, teacher].map(({ outputs }) => outputs[0].shape.slice(1));
  const fits =
    own.length === other.length && own.every((size, axis) => (size ?? other[axis]) === (other[axis] ?? size));
  if (fits) return;
  const differInClasses = own.length === other.length && own.slice(0, -1).join() === other.slice(0, -1).join();
  throw new SettingError(
    [SECTION, 'teacher'],
    differInClasses
      ? `it has ${other.at(-1)} classes, the model ${own.at(-1)}`
      : `its output is ${shapeText(other)}, the model's is ${shapeText(own)}`,
    { remedy: 'Name a teacher that was trained for the same classes.' },
  );
}
