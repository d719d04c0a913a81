/** @file A loaded model and a data set as the {@link Program} that an executor runs. */
import * as tf from '@tensorflow/tfjs';
import type { Predictor, Program } from '../compiler/program.ts';
import type { Dataset } from '../data/dataset.ts';
import { channelsFirstShape, TO_CHANNELS_FIRST } from '../models/imageLayout.ts';
import type { LoadedModel, Metric } from '../models/loadModel.ts';
import { losses } from '../models/losses.ts';
import { inputNames, outputNames } from '../models/modelOutputs.ts';
import { modelWeights, type ModelWeight } from '../models/modelWeights.ts';
import { embeddingsOfGraph } from '../models/onnx/embeddings.ts';
import { graphOf } from '../models/onnx/graphLayer.ts';
import type { LossId } from '../protocol/experiment/lossFacts.ts';
import type { DistillationConfig, TrainingConfig } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import {
  chooseLoss,
  lossNameOf,
  lossScaleOf,
  meanOf,
  trainedLoss,
  userArguments,
  type MeanOfBatch,
  type OutputLoss,
} from './objective/dataLoss.ts';
import { fixedBatchSize, matchInputs } from './matchInputs.ts';
import { matchTargets } from './matchTargets.ts';
import type { Terms } from './objective/distillation.ts';
import { composeLoss, sumOf } from './objective/loss.ts';
import { penaltiesOf } from './objective/penalties.ts';
import { studentLoss, type Teacher } from './objective/studentLoss.ts';
import type { VariationalNoise } from './objective/variationalNoise.ts';
import { unfitModel } from './unfitModel.ts';

export interface ModelProgram extends Program, Predictor {
  readonly model: tf.LayersModel;
  readonly weights: readonly ModelWeight[];
  /** The size of every batch, where the model fixes it: one with a state from batch to batch does. */
  readonly batchSize: number | undefined;
  /** For each target the number of classes, which its labels must be below, where it has labels. */
  readonly classes: readonly (number | undefined)[];
  /** What evaluations tell: the first of `metrics`, {@link PERPLEXITY} or 'loss', which is that of all outputs together. */
  readonly metric: string;
  /** What a training step's loss is divided by to be a mean: the time steps that it is summed over, else 1. */
  readonly lossScale: number;
  /** Names of the layers that the model's inputs and outputs come from, or those that an ONNX graph has for them. */
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** True for an ONNX graph, whose names are all those of its file. */
  readonly hasNamesOfFile: boolean;
  /** Mean loss and metrics of what was predicted; see {@link Program.evaluate}. */
  score(targets: tf.Tensor[], predicted: tf.Tensor[]): ReturnType<Program['evaluate']>;
}

/** The exponential of the mean loss of a word in nats. */
export const PERPLEXITY = 'perplexity';

/** What a model must fit. */
type Samples = Pick<Dataset, 'inputs' | 'targets' | 'vocabulary' | 'classes' | 'countLabels'>;

/** True for samples whose largest output is the label's. */
const labelAccuracy: Metric = (targets, outputs) => {
  const predicted = tf.argMax(outputs, -1);
  return tf.equal(tf.reshape(tf.cast(targets, 'int32'), predicted.shape), predicted);
};
const oneHotAccuracy: Metric = (targets, outputs) => tf.equal(tf.argMax(targets, -1), tf.argMax(outputs, -1));
/** A probability of 0.5, or its logit 0, is a no, as in Keras. */
const binaryAccuracy: Metric = (targets, outputs) => tf.equal(tf.cast(targets, 'float32'), tf.round(outputs));
const binaryLogitAccuracy: Metric = (targets, outputs) =>
  tf.equal(tf.cast(targets, 'float32'), tf.cast(tf.greater(outputs, 0), 'float32'));

function defaultMetrics(loss: LossId): Record<string, Metric> {
  switch (loss) {
    case 'sparse-categorical-crossentropy':
    case 'sparse-categorical-crossentropy-from-logits':
      return { accuracy: labelAccuracy };
    case 'categorical-crossentropy':
      return { accuracy: oneHotAccuracy };
    case 'binary-crossentropy':
      return { accuracy: binaryAccuracy };
    case 'binary-crossentropy-from-logits':
      return { accuracy: binaryLogitAccuracy };
    default:
      return {};
  }
}

type NamedMetric = readonly [name: string, mean: MeanOfBatch];

function metricOf(name: string, compute: (...batch: Parameters<MeanOfBatch>) => tf.Tensor): NamedMetric {
  return [name, meanOf(`The metric ${name}`, (...batch) => tf.cast(compute(...batch), 'float32'))];
}

/** The usual metric of a single output; of several ones each of their losses and metrics, by the name of the output. */
function metricsOf(outputs: readonly OutputLoss[] | undefined): NamedMetric[] {
  if (outputs === undefined) return [];
  return outputs.flatMap((own, target) => {
    const { id, output, name } = own;
    const on =
      (measure: Metric) =>
      (...[expected, predicted]: Parameters<MeanOfBatch>) =>
        measure(expected[target], predicted[output]);
    const usual = Object.entries(defaultMetrics(id));
    if (outputs.length === 1) return usual.map(([metric, measure]) => metricOf(metric, on(measure)));
    return [
      metricOf(lossNameOf(own), on(losses[id])),
      ...usual.map(([metric, measure]) => metricOf(`${name} ${metric}`, on(measure))),
    ];
  });
}

/** A teacher that a model learns from, and how. */
export interface Lesson {
  readonly config: DistillationConfig;
  readonly teacher: Teacher;
}

/**
 * @throws SettingError when nothing of the model is trained, it does not fit the data, the batch size or its teacher, or no loss is
 * declared
 */
export function modelProgram(
  loaded: LoadedModel,
  dataset: Samples,
  training: TrainingConfig,
  { lesson, noise }: { lesson?: Lesson | undefined; noise?: VariationalNoise | undefined } = {},
): ModelProgram {
  const { model } = loaded;
  const weights = modelWeights(model);
  if (!weights.some(({ trainable }) => trainable)) throw untrainable(weights.length);
  if (new Set(model.outputs).size < model.outputs.length) throw unfitModel('some of its outputs are one and the same');
  const chosen = chooseLoss(loaded, training, dataset);
  const { loss, outputs: measured } = chosen;
  const { vocabulary } = dataset;
  const metrics = loaded.metrics
    ? Object.entries(loaded.metrics).map(([name, metric]) =>
        metricOf(name, (...batch) => metric(...userArguments(batch))),
      )
    : vocabulary
      ? []
      : metricsOf(measured);
  // Several outputs are told by the loss that is their sum.
  const told = loaded.metrics || measured?.length === 1 ? metrics.at(0)?.[0] : undefined;
  const inputs = matchInputs(model, dataset, unfitModel);
  const { targets, classes, labels } = matchTargets(model, dataset, measured);
  if (vocabulary) checkVocabularySize(model, vocabulary.words.length, classes[0]);
  const trained = trainedLoss(chosen, training, model, dataset);
  const lossScale = lossScaleOf(training, targets[0]);
  const scaled = (term: tf.Scalar): tf.Scalar => (lossScale === 1 ? term : tf.mul(term, lossScale));
  /** Terms of the log-likelihood of all samples, which is the mean loss of a step times this. */
  const labelTerms = (samples: number) => (samples * labels) / lossScale;
  const objective: ReturnType<typeof studentLoss> = lesson
    ? studentLoss(
        lesson.config,
        { model, loss: (...batch) => sumOf(Object.values(trained(...batch)).flat()), id: measured?.at(0)?.id },
        lesson.teacher,
      )
    : (_, expected, outputs): Terms => ({ terms: trained(expected, outputs) });

  const score: ModelProgram['score'] = (targets, predicted) => ({
    loss: loss(targets, predicted),
    metrics: metrics.map(([, metric]) => metric(targets, predicted)),
  });
  return {
    model,
    ...predictorOf(model, weights, inputs),
    weights: [...weights, ...(noise?.weights ?? [])],
    ...(lesson && { frozen: lesson.teacher }),
    targets,
    metrics: metrics.map(([name]) => name),
    batchSize: checkBatchSize(model, training.batchSize) ?? (vocabulary && training.batchSize),
    classes,
    metric: told ?? (vocabulary ? PERPLEXITY : 'loss'),
    lossScale,
    inputNames: inputNames(model),
    outputNames: outputNames(model),
    hasNamesOfFile: graphOf(model) !== undefined,
    loss(batch, targets) {
      const { terms, shares } = objective(batch, targets, outputsOf(model, batch, { training: true }));
      const regularization = penaltiesOf(model);
      const divergence = noise ? [tf.div<tf.Scalar>(noise.divergence(), labelTerms(noise.samples))] : [];
      const onData = Object.entries(terms).map(([name, own]) => [name, own.map(scaled)] as const);
      return composeLoss({ ...Object.fromEntries(onData), divergence, regularization }, shares);
    },
    evaluate(batch, targets) {
      const [samples] = targets[0].shape;
      const predicted = outputsOf(model, batch, { training: false }).map((output) =>
        samples === output.shape[0] ? output : tf.slice(output, 0, samples),
      );
      return score(targets, predicted);
    },
    score,
  };
}

/**
 * A model as what it predicts.
 * @param inputs the samples that it takes
 */
export function predictorOf(
  model: tf.LayersModel,
  weights: Predictor['weights'],
  inputs: Predictor['inputs'],
): Predictor {
  return {
    weights,
    layers: model.layers,
    inputs,
    predict: (batch) => outputsOf(model, batch, { training: false }),
  };
}

function outputsOf(model: tf.LayersModel, batch: tf.Tensor[], mode: { training: boolean }): tf.Tensor[] {
  const inputs = batch.map((samples, index) => inLayoutOf(model.inputs[index], samples));
  return [model.apply(inputs.length === 1 ? inputs[0] : inputs, mode) as tf.Tensor | tf.Tensor[]].flat();
}

/** Samples as an input of a model takes them. */
function inLayoutOf({ shape }: tf.SymbolicTensor, samples: tf.Tensor): tf.Tensor {
  return channelsFirstShape(shape.slice(1), samples.shape.slice(1))
    ? tf.transpose(samples, TO_CHANNELS_FIRST)
    : samples;
}

/** @throws SettingError when it is not that of the experiment */
function checkBatchSize(model: tf.LayersModel, batchSize: number): number | undefined {
  const fixed = fixedBatchSize(model);
  if (fixed === undefined || fixed === batchSize) return fixed;
  throw new SettingError(['training', 'batchSize'], `the model takes batches of ${fixed}, got ${batchSize}`, {
    remedy: `Set it to ${fixed}, or change the model's batchInputShape.`,
  });
}

/** @throws SettingError when some words have no row in the embedding or no logit */
function checkVocabularySize(model: tf.LayersModel, words: number, classes: number | undefined): void {
  if (classes !== undefined && classes < words)
    throw unfitModel(`the vocabulary has ${words} words, the output one value for each of ${classes}`);
  for (const { layer, rows } of embeddingsOf(model))
    if (rows < words) throw unfitModel(`the vocabulary has ${words} words, the embedding '${layer}' ${rows} rows`);
}

/** The tables that words are looked up in. */
function embeddingsOf(model: tf.LayersModel): { layer: string; rows: number }[] {
  const graph = graphOf(model)?.settings.graph;
  if (graph) return embeddingsOfGraph(graph);
  return model.layers.flatMap((layer) => {
    const rows = layer.getClassName() === 'Embedding' ? layer.weights[0].shape[0] : null;
    return rows === null ? [] : [{ layer: layer.name, rows }];
  });
}

function untrainable(weights: number): SettingError {
  const reason = weights === 0 ? 'has no weights' : `has ${weights} weights, none of which is trained`;
  return new SettingError(['model'], `the model ${reason}`, {
    remedy: 'Add a layer with weights between its inputs and outputs, or take trainable: false from its layers.',
  });
}
