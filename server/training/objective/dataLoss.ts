/** @file The loss on the data: what an experiment or a model's module says that the outputs are measured by. */
import * as tf from '@tensorflow/tfjs';
import { UnsupportedKernel } from '../../compiler/import/kernel.ts';
import type { Dataset, TensorSpec } from '../../data/dataset.ts';
import type { LoadedModel } from '../../models/loadModel.ts';
import { losses, weightedLoss, type Loss } from '../../models/losses.ts';
import { classLosses, isClassLoss, type LossId } from '../../protocol/experiment/lossFacts.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import type { TrainingConfig } from '../../protocol/experiment/schema.ts';
import { UserError } from '../../protocol/userError.ts';
import { messageOf } from '../../protocol/thrown.ts';
import { unfitModel } from '../unfitModel.ts';
import { classWeightsOf } from './classWeights.ts';

/** A loss or a metric of all targets and all outputs, each of shape `[samples, …]`. */
type OfBatch = (targets: tf.Tensor[], outputs: tf.Tensor[]) => tf.Tensor;
/** Its mean over the batch. */
export type MeanOfBatch = (targets: tf.Tensor[], outputs: tf.Tensor[]) => tf.Scalar;

/** Arguments of a user's function: tensors, or arrays of them where there are several targets or outputs. */
export function userArguments([targets, outputs]: Parameters<OfBatch>, isSingle: boolean): Parameters<Loss> {
  return isSingle ? [targets[0], outputs[0]] : ([targets, outputs] as unknown as Parameters<Loss>);
}

/** The mean of what `compute` gives; an error that it throws is explained with the shapes of its arguments. */
export function meanOf(name: string, compute: OfBatch): MeanOfBatch {
  const shapes = (tensors: tf.Tensor[]) => tensors.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ');
  return (targets, outputs) => {
    try {
      return tf.mean<tf.Scalar>(compute(targets, outputs));
    } catch (error) {
      if (error instanceof UnsupportedKernel) throw error;
      throw new UserError(
        `${name} fails on targets ${shapes(targets)} and outputs ${shapes(outputs)} of a batch: ` + messageOf(error),
        { remedy: "Correct it in the model's module, or change the data to what it expects.", cause: error },
      );
    }
  };
}

/** The built-in loss that the experiment names, or else the model's where it is one. */
export function namedLoss({ loss }: LoadedModel, training: Pick<TrainingConfig, 'loss'>): LossId | undefined {
  const ids = Object.keys(losses) as LossId[];
  return training.loss === 'auto' ? ids.find((known) => losses[known] === loss) : training.loss;
}

/**
 * The loss that the experiment names, or else the model's. A built-in loss of several outputs is the sum over them, each with its
 * target.
 * @returns the loss, with its name where it is a built-in one
 * @throws SettingError when there is none, or a built-in one has not one target for each output
 */
export function chooseLoss(
  loaded: LoadedModel,
  training: TrainingConfig,
  { targets }: Pick<Dataset, 'targets'>,
): { loss: MeanOfBatch; id: LossId | undefined } {
  const { model, loss } = loaded;
  const id = namedLoss(loaded, training);
  if (id !== undefined) {
    if (model.outputs.length !== targets.length)
      throw unfitModel(
        `it has ${model.outputs.length} outputs and a sample of the data has ${targets.length} targets; the loss ${id} takes ` +
          'one target for each output, a loss of your own any number',
      );
    const sum: OfBatch = (all, outputs) =>
      all.map((target, index) => losses[id](target, outputs[index])).reduce((a, b) => tf.add(a, b));
    return { loss: meanOf('The loss', sum), id };
  }
  const isSingle = model.outputs.length === 1 && targets.length === 1;
  if (loss !== undefined)
    return { loss: meanOf('The loss', (...batch) => loss(...userArguments(batch, isSingle))), id: undefined };
  throw new SettingError(['training', 'loss'], "the model's module exports no loss, and none is set", {
    remedy: `Set training.loss to one of ${Object.keys(losses).join(', ')}, or export a function loss(targets, outputs).`,
  });
}

/**
 * The loss that is trained: each sample counts by its class where the experiment says so.
 * @param chosen the loss that is measured
 * @throws SettingError when the loss or the model is not of classes, or there is no such class
 */
export function trainedLoss(
  { loss, id }: ReturnType<typeof chooseLoss>,
  { classWeights }: TrainingConfig,
  model: tf.LayersModel,
  dataset: Pick<Dataset, 'classes' | 'countLabels'>,
): MeanOfBatch {
  if (classWeights === undefined) return loss;
  const classes = model.outputs[0].shape.at(-1) ?? undefined;
  if (!isClassLoss(id) || model.outputs.length !== 1 || classes === undefined)
    throw new SettingError(
      ['training', 'classWeights'],
      'it is for a model of one output and a built-in loss of classes',
      {
        remedy: `Leave it out, or set training.loss to one of ${classLosses.join(', ')}.`,
      },
    );
  const weighted = weightedLoss(id, classWeightsOf(classWeights, dataset, classes));
  return meanOf('The loss', ([targets], [outputs]) => weighted(targets, outputs));
}

/**
 * What the mean loss is multiplied by in a step: the number of time steps where the loss is summed over them, else 1.
 * @throws SettingError when it is to be summed and the targets are no sequences
 */
export function lossScaleOf({ lossReduction }: TrainingConfig, { shape }: TensorSpec): number {
  if (lossReduction !== 'sum-over-time') return 1;
  if (shape.length > 0 && shape[0] > 1) return shape[0];
  throw new SettingError(['training', 'lossReduction'], 'the targets of the data have no time axis to sum over', {
    remedy: 'Leave it out: "mean" is the default.',
  });
}
