/** @file The loss on the data: what an experiment or a model's module says that the outputs are measured by. */
import * as tf from '@tensorflow/tfjs';
import { UnsupportedKernel } from '../../compiler/import/kernel.ts';
import type { Dataset, TensorSpec } from '../../data/dataset.ts';
import type { LoadedModel } from '../../models/loadModel.ts';
import { losses, weightedLoss, type Loss } from '../../models/losses.ts';
import { outputNames } from '../../models/modelOutputs.ts';
import { classLosses, isClassLoss, type LossId } from '../../protocol/experiment/lossFacts.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { TrainingConfig } from '../../protocol/experiment/schema.ts';
import { UserError } from '../../protocol/userError.ts';
import { messageOf } from '../../protocol/thrown.ts';
import { namesInWords } from '../arrangeSamples.ts';
import { unfitModel } from '../unfitModel.ts';
import { classWeightsOf } from './classWeights.ts';
import type { Terms } from './distillation.ts';

/** A loss or a metric of all targets and all outputs, each of shape `[samples, …]`. */
type OfBatch = (targets: tf.Tensor[], outputs: tf.Tensor[]) => tf.Tensor;
/** Its mean over the batch. */
export type MeanOfBatch = (targets: tf.Tensor[], outputs: tf.Tensor[]) => tf.Scalar;

/** Arguments of a user's function: tensors, or arrays of them where there are several targets or outputs. */
export function userArguments([targets, outputs]: Parameters<OfBatch>): Parameters<Loss> {
  const isSingle = targets.length === 1 && outputs.length === 1;
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

/** What one output is measured by: a built-in loss. */
export interface OutputLoss {
  readonly id: LossId;
  /** Index of the output, and its name. */
  readonly output: number;
  readonly name: string;
  /** What the loss is multiplied by in the sum over the outputs. */
  readonly weight: number;
  /** What its samples count for in training, and the setting that says so. */
  readonly classWeights?: { readonly value: NonNullable<TrainingConfig['classWeights']>; readonly path: SettingPath };
}

/** What the outputs are measured by. */
export interface ChosenLoss {
  /** The mean over a batch. */
  readonly loss: MeanOfBatch;
  /** For each target its loss; undefined for a loss of the model's module. */
  readonly outputs: readonly OutputLoss[] | undefined;
}

const LOSS: SettingPath = ['training', 'loss'];
const CLASS_WEIGHTS: SettingPath = ['training', 'classWeights'];

/** The built-in loss that the experiment names for all outputs, or for the only one, or else the model's where it is one. */
export function namedLoss({ loss }: LoadedModel, training: Pick<TrainingConfig, 'loss'>): LossId | undefined {
  const ids = Object.keys(losses) as LossId[];
  if (training.loss === 'auto') return ids.find((known) => losses[known] === loss);
  if (typeof training.loss === 'string') return training.loss;
  const own = Object.values(training.loss);
  return own.length === 1 ? idOf(own[0]) : undefined;
}

/**
 * The loss that the experiment names, or else the model's. Built-in losses of several outputs are summed, each with its target.
 * @throws SettingError when there is none, or built-in ones have not one target for each output
 */
export function chooseLoss(
  loaded: LoadedModel,
  training: TrainingConfig,
  { targets }: Pick<Dataset, 'targets'>,
): ChosenLoss {
  const { loss } = loaded;
  const outputs = outputLosses(loaded, training, targets);
  if (outputs !== undefined) {
    const sum: OfBatch = (...batch) =>
      outputs.map((own, target) => weighted(own, termOf(own, target, batch))).reduce(add);
    return { loss: meanOf('The loss', sum), outputs };
  }
  if (loss !== undefined)
    return { loss: meanOf('The loss', (...batch) => loss(...userArguments(batch))), outputs: undefined };
  throw new SettingError(LOSS, "the model's module exports no loss, and none is set", {
    remedy: `Set training.loss to one of ${Object.keys(losses).join(', ')}, or export a function loss(targets, outputs).`,
  });
}

/** By target; undefined where the model's own loss is to be taken. */
function outputLosses(
  loaded: LoadedModel,
  { loss, classWeights }: TrainingConfig,
  targets: readonly TensorSpec[],
): OutputLoss[] | undefined {
  const names = outputNames(loaded.model);
  if (typeof loss !== 'string') return lossesByName(loss, names, targets);
  const id = namedLoss(loaded, { loss });
  if (id === undefined) return undefined;
  if (names.length !== targets.length)
    throw unfitModel(
      `it has ${names.length} outputs and a sample of the data has ${targets.length} targets; the loss ${id} takes ` +
        'one target for each output, a loss of your own any number',
    );
  const weights = classWeights && { classWeights: { value: classWeights, path: CLASS_WEIGHTS } };
  return targets.map((target, index) => {
    const output = outputOf(target, index, names, targets);
    return { id, output, name: names[output], weight: 1, ...weights };
  });
}

/** @throws SettingError when an output, its target and its loss do not belong together */
function lossesByName(
  setting: Exclude<TrainingConfig['loss'], string>,
  names: readonly string[],
  targets: readonly TensorSpec[],
): OutputLoss[] {
  const written = Object.keys(setting);
  const unknown = written.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new SettingError(
      [...LOSS, unknown],
      `the model has no output of this name; ${namesInWords(unknown, names)}`,
      {
        at: 'key',
      },
    );
  if (written.length !== targets.length)
    throw unfitModel(
      `training.loss has ${written.length} outputs (${written.join(', ')}), and a sample of the data has ${targets.length} targets`,
    );
  return targets.map((target, index) => {
    // Targets without names are for the outputs that have a loss, in their order.
    const output =
      target.name === undefined
        ? names.indexOf(names.filter((name) => written.includes(name))[index])
        : outputOf(target, index, names, targets);
    const name = names[output];
    const own = Object.hasOwn(setting, name) ? setting[name] : undefined;
    if (own === undefined) throw unfitModel(`training.loss has no loss for the target '${name}' of the data`);
    if (typeof own === 'string') return { id: own, output, name, weight: 1 };
    const { loss: id, weight, classWeights } = own;
    return {
      id,
      output,
      name,
      weight,
      ...(classWeights && { classWeights: { value: classWeights, path: [...LOSS, name, 'classWeights'] } }),
    };
  });
}

/** Index of the output that a target is for. @throws SettingError when there is none of its name */
function outputOf(
  { name }: TensorSpec,
  index: number,
  names: readonly string[],
  targets: readonly TensorSpec[],
): number {
  // A single one is for the single output, whatever its name.
  if (name === undefined || (names.length === 1 && targets.length === 1)) return index;
  const output = names.indexOf(name);
  if (output < 0)
    throw unfitModel(`it has no output '${name}', for which the data have a target; ${namesInWords(name, names)}`);
  return output;
}

function idOf(own: Exclude<TrainingConfig['loss'], string>[string]): LossId {
  return typeof own === 'string' ? own : own.loss;
}

/** The loss of one output on its target. */
function termOf(
  { id, output }: OutputLoss,
  target: number,
  [targets, outputs]: Parameters<OfBatch>,
  measure: Loss = losses[id],
): tf.Tensor {
  return measure(targets[target], outputs[output]);
}

function weighted({ weight }: OutputLoss, term: tf.Tensor): tf.Tensor {
  return weight === 1 ? term : tf.mul(term, weight);
}

const add = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.add(a, b);

/** Name of the part of the loss that an output has, where there are several. */
export function lossNameOf({ name }: Pick<OutputLoss, 'name'>): string {
  return `${name} loss`;
}

/**
 * The loss that is trained, by its parts: samples count by their classes where the experiment says so.
 * @param chosen the loss that is measured
 * @throws SettingError when a loss or the model is not of classes, or there is no such class
 */
export function trainedLoss(
  { loss, outputs }: ChosenLoss,
  { classWeights }: TrainingConfig,
  model: tf.LayersModel,
  dataset: Pick<Dataset, 'classes' | 'countLabels'>,
): (...batch: Parameters<MeanOfBatch>) => Terms['terms'] {
  if (classWeights !== undefined && outputs?.length !== 1)
    throw new SettingError(CLASS_WEIGHTS, 'it is for a model of one output and a built-in loss of classes', {
      remedy:
        outputs === undefined
          ? `Leave it out, or set training.loss to one of ${classLosses.join(', ')}.`
          : 'Write it for each output: "loss": { "NAME": { "loss": …, "classWeights": … } }.',
    });
  if (outputs === undefined) return (...batch) => ({ data: [loss(...batch)] });
  const parts = outputs.map((own, target) => {
    const measure = trainedMeasure(own, target, model, dataset);
    const mean = meanOf('The loss', (...batch) => weighted(own, termOf(own, target, batch, measure)));
    return { name: outputs.length === 1 ? 'data' : lossNameOf(own), mean };
  });
  return (...batch) => Object.fromEntries(parts.map(({ name, mean }) => [name, [mean(...batch)]]));
}

function trainedMeasure(
  { id, output, classWeights }: OutputLoss,
  target: number,
  model: tf.LayersModel,
  dataset: Pick<Dataset, 'classes' | 'countLabels'>,
): Loss | undefined {
  if (classWeights === undefined) return undefined;
  const { value, path } = classWeights;
  const classes = model.outputs[output].shape.at(-1) ?? undefined;
  if (!isClassLoss(id) || classes === undefined)
    throw new SettingError(path, 'it is for an output of classes and a built-in loss of classes', {
      remedy: `Leave it out, or set the loss to one of ${classLosses.join(', ')}.`,
    });
  return weightedLoss(id, classWeightsOf(value, dataset, classes, { target, path }));
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
