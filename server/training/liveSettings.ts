/** @file The settings that are in effect while a run trains. */
import type { PlannedCompression } from '../compression/plan.ts';
import { placedCompressions } from '../protocol/experiment/compressions.ts';
import type { Experiment } from '../protocol/experiment/schema.ts';

/** Held by whoever prepared the run; a change that takes effect replaces the experiment between two steps. */
export class LiveSettings {
  #experiment: Experiment;

  constructor(experiment: Experiment) {
    this.#experiment = experiment;
  }

  /** All settings, those that cannot change included. Not to be kept from one step to the next. */
  get experiment(): Experiment {
    return this.#experiment;
  }

  /** Puts a changed experiment into effect. */
  change(experiment: Experiment): void {
    this.#experiment = experiment;
  }
}

/** The compressions with the settings of an experiment. @param loaded the same as the run began with them */
export function compressionsWith(
  { compression }: Pick<Experiment, 'compression'>,
  loaded: readonly PlannedCompression[],
): PlannedCompression[] {
  return placedCompressions({ compression }).map((placed, i) => ({ ...loaded[i], ...placed }));
}
