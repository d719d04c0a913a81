/** @file The times of an open experiment file, with the length of an epoch where the model's description tells it. */
import { firstLength, type FirstRun } from '../protocol/experiment/firstExperiment.ts';
import { readTimes, samplesPerStep, type Times } from '../protocol/experiment/times.ts';
import type { ModelDescription } from '../protocol/model/modelDescription.ts';
import type { ExperimentDocument } from './experimentDocument.ts';
import { countAt, textAt } from './writtenSettings.ts';

/** What {@link timeIn} and {@link timesIn} need to give the times of a file in steps or in epochs. */
export interface KnownTimes {
  readonly times: Times;
  /** Undefined where the data or the batch size is not known. */
  readonly stepsPerEpoch: number | undefined;
}

/** @param model undefined: the length of an epoch is not known */
export function knownTimes(document: ExperimentDocument, model: ModelDescription | undefined): KnownTimes {
  const batchSize = countAt(document, ['training', 'batchSize']);
  const samples = model?.samples;
  const accumulate = countAt(document, ['training', 'accumulate']) ?? 1;
  const needed = batchSize && samplesPerStep({ batchSize, accumulate });
  const isKnown = needed !== undefined && samples !== undefined && samples >= needed;
  return { times: readTimes(document.settings), stepsPerEpoch: isKnown ? Math.floor(samples / needed) : undefined };
}

/** What an open file trains with, to propose first settings for its compression; see {@link knownTimes}. */
export function firstRunOf(document: ExperimentDocument, model: ModelDescription | undefined): FirstRun {
  const { times, stepsPerEpoch } = knownTimes(document, model);
  const dataType = textAt(document, ['data', 'type']);
  return { dataType, length: times.steps ?? times.epochs ?? firstLength({ dataType, stepsPerEpoch }), stepsPerEpoch };
}
