/** @file Samples in the order of a model's inputs and outputs, where the data name what they are for. */
import type * as tf from '@tensorflow/tfjs';
import type { Batch, Dataset, Split, TensorSpec } from '../data/dataset.ts';
import { inputNames, outputNames } from '../models/modelOutputs.ts';
import { didYouMean } from '../protocol/experiment/didYouMean.ts';

/**
 * The data set with a sample's inputs in the order of the model's, and its targets in that of the outputs they are for. Tensors without
 * names keep their order, as do targets that are for no output: a loss of the user's own may take any.
 * @param unfit the error for a model that does not take the samples, of the reason in words
 */
export function arrangeSamples(model: tf.LayersModel, dataset: Dataset, unfit: (reason: string) => Error): Dataset {
  const inputs = inputOrder(model, dataset, unfit);
  const targets = targetOrder(model, dataset);
  if (isAsItIs(inputs) && isAsItIs(targets)) return dataset;
  const withTargets = <B extends Pick<Batch, 'targets'>>(batch: B): B => ({
    ...batch,
    targets: targets.map((index) => batch.targets[index]),
  });
  const arranged = (batch: Batch): Batch => ({
    ...withTargets(batch),
    inputs: inputs.map((index) => batch.inputs[index]),
  });
  const split = ({ targets: targetsOf, ...one }: Split): Split => ({
    ...one,
    batches: (batchSize) => mapped(one.batches(batchSize), arranged),
    ...(targetsOf && { targets: (batchSize: number) => mappedAtOnce(targetsOf(batchSize), withTargets) }),
  });
  const { validation, countLabels } = dataset;
  return {
    ...dataset,
    inputs: inputs.map((index) => dataset.inputs[index]),
    targets: targets.map((index) => dataset.targets[index]),
    train: split(dataset.train),
    test: split(dataset.test),
    ...(validation && { validation: split(validation) }),
    ...(countLabels && { countLabels: (classes: number, target: number) => countLabels(classes, targets[target]) }),
    async openTraining(order) {
      const stream = await dataset.openTraining(order);
      return {
        async next() {
          return arranged(await stream.next());
        },
        close: () => stream.close(),
      };
    },
    close: () => dataset.close(),
  };
}

/**
 * For each input of the model the index of what it takes of a sample.
 * @param unfit as of {@link arrangeSamples}
 */
export function inputOrder(
  model: tf.LayersModel,
  { inputs }: Pick<Dataset, 'inputs'>,
  unfit: (reason: string) => Error,
): number[] {
  const given = namesOf(inputs);
  const asTheyAre = [...inputs.keys()];
  // A single one is for the single input, whatever its name.
  if (given === undefined || (given.length === 1 && model.inputs.length === 1)) return asTheyAre;
  const wanted = inputNames(model);
  const unknown = given.find((name) => !wanted.includes(name));
  if (unknown !== undefined) throw unfit(`it has no input '${unknown}'; ${namesInWords(unknown, wanted)}`);
  const missing = wanted.find((name) => !given.includes(name));
  if (missing !== undefined) throw unfit(`the data have nothing for its input '${missing}', only ${given.join(', ')}`);
  return wanted.map((name) => given.indexOf(name));
}

/** Names that may be meant by one that is not among them. */
export function namesInWords(name: string, names: readonly string[]): string {
  const meant = didYouMean(name, names);
  return meant === undefined
    ? `there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
    : `did you mean '${meant}'?`;
}

function targetOrder(model: tf.LayersModel, { targets }: Pick<Dataset, 'targets'>): number[] {
  const given = namesOf(targets);
  const outputs = outputNames(model);
  const asTheyAre = [...targets.keys()];
  if (given === undefined || !given.every((name) => outputs.includes(name))) return asTheyAre;
  return asTheyAre.sort((a, b) => outputs.indexOf(given[a]) - outputs.indexOf(given[b]));
}

/** Undefined where some have none. */
function namesOf(specs: readonly TensorSpec[]): string[] | undefined {
  const names = specs.flatMap(({ name }) => name ?? []);
  return names.length === specs.length ? names : undefined;
}

function isAsItIs(order: readonly number[]): boolean {
  return order.every((index, place) => index === place);
}

async function* mapped(batches: ReturnType<Split['batches']>, change: (batch: Batch) => Batch): AsyncGenerator<Batch> {
  for await (const batch of batches) yield change(batch);
}

function* mappedAtOnce<B>(batches: Iterable<B>, change: (batch: B) => B): Generator<B> {
  for (const batch of batches) yield change(batch);
}
