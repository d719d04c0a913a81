/** @file A loaded model and a data set as the {@link Program} that an executor runs. */
import * as tf from '@tensorflow/tfjs';
import type { Program, SampleType } from '../compiler/program.ts';
import type { Dataset, TensorSpec } from '../data/dataset.ts';
import type { LoadedModel, Metric } from '../models/loadModel.ts';
import { losses, type Loss, type LossId } from '../models/losses.ts';
import { modelWeights } from '../models/modelWeights.ts';
import type { TrainingConfig } from '../protocol/config.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';

export interface ModelProgram extends Program {
  /** Whether the first metric is better when it is larger. */
  readonly larger: boolean;
  /** Number of classes that labels must be below, for a loss that takes labels. */
  readonly classes: number | undefined;
}

const ofLabels: ReadonlySet<LossId> = new Set<LossId>([
  'sparse-categorical-crossentropy',
  'sparse-categorical-crossentropy-from-logits',
]);

/** Whether the largest output is the label's. */
const labelAccuracy: Metric = (targets, outputs) => {
  const predicted = tf.argMax(outputs, -1);
  return tf.equal(tf.reshape(tf.cast(targets, 'int32'), predicted.shape), predicted);
};
const oneHotAccuracy: Metric = (targets, outputs) => tf.equal(tf.argMax(targets, -1), tf.argMax(outputs, -1));
const binaryAccuracy: Metric = (targets, outputs) => tf.equal(tf.cast(targets, 'float32'), tf.round(outputs));

function defaultMetrics(loss: LossId | undefined): Record<string, Metric> {
  switch (loss) {
    case 'sparse-categorical-crossentropy':
    case 'sparse-categorical-crossentropy-from-logits':
      return { accuracy: labelAccuracy };
    case 'categorical-crossentropy':
      return { accuracy: oneHotAccuracy };
    case 'binary-crossentropy':
      return { accuracy: binaryAccuracy };
    default:
      return {};
  }
}

/** @throws UserError when the model's inputs or output do not fit the data, or no loss is declared */
export function modelProgram(
  loaded: LoadedModel,
  dataset: Dataset,
  training: TrainingConfig,
  file: string,
): ModelProgram {
  const { model } = loaded;
  const [output] = model.outputs;
  if (model.outputs.length !== 1 || dataset.targets.length !== 1) {
    throw unfit(
      file,
      `the model has ${model.outputs.length} outputs and the data ${dataset.targets.length} targets; one of each is trained`,
    );
  }
  const { loss, id } = chooseLoss(loaded, training, file);
  const metrics = { ...(loaded.metrics ?? defaultMetrics(id)) };
  const names = Object.keys(metrics);
  const inputs = matchInputs(model, dataset, file);
  const classes = id !== undefined && ofLabels.has(id) ? (output.shape.at(-1) ?? undefined) : undefined;
  if (id !== undefined) checkTarget(dataset.targets[0], output.shape.slice(1), classes, file);

  const outputs = (batch: tf.Tensor[], mode: { training: boolean }) =>
    model.apply(batch.length === 1 ? batch[0] : batch, mode) as tf.Tensor;
  return {
    weights: modelWeights(model),
    layers: model.layers,
    inputs,
    targets: dataset.targets,
    metrics: names,
    larger: names.length > 0,
    classes,
    loss(batch, [targets]) {
      const regularization = model.calculateLosses().map((penalty) => tf.mean(penalty));
      const data = tf.mean(loss(targets, outputs(batch, { training: true })));
      return regularization.reduce<tf.Tensor>((sum, penalty) => tf.add(sum, penalty), data) as tf.Scalar;
    },
    evaluate(batch, [targets]) {
      const predicted = outputs(batch, { training: false });
      return {
        loss: tf.mean(loss(targets, predicted)),
        metrics: names.map((name) => tf.mean(tf.cast(metrics[name](targets, predicted), 'float32'))),
      };
    },
  };
}

function chooseLoss(
  loaded: LoadedModel,
  training: TrainingConfig,
  file: string,
): { loss: Loss; id: LossId | undefined } {
  if (training.loss !== 'auto') return { loss: losses[training.loss], id: training.loss };
  if (loaded.loss !== undefined) {
    const ids = Object.keys(losses) as LossId[];
    return { loss: loaded.loss, id: ids.find((id) => losses[id] === loaded.loss) };
  }
  throw new UserError(`${file} training.loss: the model's module exports no loss, and none is set.`, {
    remedy: `Set training.loss to one of ${Object.keys(losses).join(', ')}, or export a function loss(targets, outputs).`,
    exitCode: ExitCode.usage,
  });
}

/** Where a sample has as many elements as the input takes but another shape (an image, a vector), the input's is used. */
function matchInputs(model: tf.LayersModel, dataset: Dataset, file: string): SampleType[] {
  if (model.inputs.length !== dataset.inputs.length) {
    throw unfit(file, `the model has ${model.inputs.length} inputs and a sample of the data ${dataset.inputs.length}`);
  }
  return dataset.inputs.map(({ shape, dtype }, index) => {
    const wanted = model.inputs[index].shape.slice(1);
    const known = wanted.filter((size) => size !== null);
    const elements = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);
    if (known.length === wanted.length) {
      if (elements(known) === elements(shape)) return { shape: known, dtype };
    } else if (wanted.length === shape.length && wanted.every((size, axis) => size === null || size === shape[axis])) {
      return { shape, dtype };
    }
    throw unfit(
      file,
      `the input '${model.inputNames[index]}' takes [${wanted.map((size) => size ?? 'any').join(', ')}], ` +
        `a sample of the data is [${shape.join(', ')}]`,
    );
  });
}

function checkTarget(
  target: TensorSpec,
  output: readonly (number | null)[],
  classes: number | undefined,
  file: string,
): void {
  const expected = classes === undefined ? output : output.slice(0, -1);
  // Labels may come with an axis of length 1 at the end.
  const shape =
    classes !== undefined && target.shape.length > expected.length && target.shape.at(-1) === 1
      ? target.shape.slice(0, -1)
      : target.shape;
  if (expected.length === shape.length && expected.every((size, axis) => size === null || size === shape[axis])) return;
  throw unfit(
    file,
    `the output is [${output.map((size) => size ?? 'any').join(', ')}]` +
      (classes === undefined ? '' : `, one for each of ${classes} classes,`) +
      ` and a target of the data is [${target.shape.join(', ')}]`,
  );
}

function unfit(file: string, reason: string): UserError {
  return new UserError(`${file} model: the model does not fit the data: ${reason}.`, {
    remedy:
      'Change the model, the data, or training.loss (the sparse losses take labels, the others one value an output).',
    exitCode: ExitCode.usage,
  });
}
