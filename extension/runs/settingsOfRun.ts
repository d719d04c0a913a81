/** @file The settings that a run is trained with. */
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import type { ExperimentSettings } from '../../server/protocol/experiment/schema.ts';
import { valuesAfter } from '../../server/runs/changedValues.ts';
import type { StoredRun } from './storedRun.ts';

interface KnownSettings {
  /** The changed values with which the settings were found, as JSON; the text of a run never changes. */
  readonly values: string;
  readonly settings: ExperimentSettings | undefined;
}

/** Settings of runs, kept since they are asked for at every key that is typed. */
const known = new WeakMap<StoredRun, KnownSettings>();

/** With `--set`, and with what was changed while it trained. Undefined for the run of a version with other settings. */
export async function settingsOf(stored: StoredRun): Promise<ExperimentSettings | undefined> {
  const overrides = valuesAfter(stored.run.record, Infinity);
  const values = JSON.stringify(overrides);
  const found = known.get(stored);
  if (found?.values === values) return found.settings;
  const { experiment } = checkExperiment(await stored.run.experimentText(), overrides);
  const settings = experiment && asOfRun(experiment);
  known.set(stored, { values, settings });
  return settings;
}

/** Without the settings that say which runs there are, and nothing of a run. */
export function asOfRun({ sweep: _, target: __, ...settings }: ExperimentSettings): ExperimentSettings {
  return settings;
}
