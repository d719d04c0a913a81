/** @file Times of an experiment in training steps and in epochs, as far as file and data tell. */
import type { ModelDescription } from '../protocol/model/modelDescription.ts';
import type { ExperimentDocument } from './experimentDocument.ts';
import { readCompression } from './readCompression.ts';
import { countAt } from './writtenSettings.ts';

export interface TrainingTimes {
  /** Undefined where the data is not known. */
  readonly stepsPerEpoch: number | undefined;
  /** Length of the run in steps; undefined where only epochs are given, and their length is not known. */
  readonly steps: number | undefined;
  readonly epochs: number | undefined;
}

export function trainingTimes(document: ExperimentDocument, model: ModelDescription | undefined): TrainingTimes {
  const batchSize = countAt(document, ['training', 'batchSize']);
  const samples = model?.samples;
  const stepsPerEpoch =
    batchSize === undefined || samples === undefined || samples < batchSize
      ? undefined
      : Math.floor(samples / batchSize);
  const [steps, epochs] = [countAt(document, ['training', 'steps']), countAt(document, ['training', 'epochs'])];
  return {
    stepsPerEpoch,
    steps: steps ?? times(epochs, stepsPerEpoch),
    epochs: epochs ?? (steps !== undefined && stepsPerEpoch !== undefined ? steps / stepsPerEpoch : undefined),
  };
}

/** A schedule in one unit, with what it is compared with. */
export interface ScheduleTimes {
  readonly unit: 'steps' | 'epochs';
  readonly from: number;
  readonly to: number | undefined;
  /** Length of the run; undefined where it is not known in this unit. */
  readonly end: number | undefined;
  /** S_D. */
  readonly distortEvery: number | undefined;
}

/** In steps where everything is known in steps, else in the unit of the file; undefined without a compression. */
export function scheduleTimes(
  document: ExperimentDocument,
  model: ModelDescription | undefined,
): ScheduleTimes | undefined {
  const compression = readCompression(document);
  if (!compression) return undefined;
  const { schedule, distortEvery } = compression;
  const { stepsPerEpoch, steps, epochs } = trainingTimes(document, model);
  const [from, to] = [schedule?.from ?? 0, schedule?.rise?.to];
  if (schedule?.unit !== 'epochs') return { unit: 'steps', from, to, end: steps, distortEvery };
  if (stepsPerEpoch === undefined) return { unit: 'epochs', from, to, end: epochs, distortEvery: undefined };
  return { unit: 'steps', from: from * stepsPerEpoch, to: times(to, stepsPerEpoch), end: steps, distortEvery };
}

function times(count: number | undefined, length: number | undefined): number | undefined {
  return count === undefined || length === undefined ? undefined : count * length;
}
