/** @file {@link differencesBetween} for runs of the workspace. */
import { flattenSettings } from '../../server/protocol/experiment/flattenSettings.ts';
import type { ExperimentSettings } from '../../server/protocol/experiment/schema.ts';
import { groupBy } from '../../server/protocol/groupBy.ts';
import type { RunKey } from '../../server/protocol/wire/dashboard.ts';
import { differencesBetween } from './differences.ts';
import { settingsOf } from './settingsOfRun.ts';
import type { StoredRun } from './storedRun.ts';

/** Runs of an experiment that are compared; the settings of each are read once. */
const COMPARED = 100;

/** Flattened settings, kept since lists are drawn again whenever one of their runs has changed. */
const known = new WeakMap<ExperimentSettings, ReadonlyMap<string, string>>();

function flattened(settings: ExperimentSettings): ReadonlyMap<string, string> {
  const found = known.get(settings) ?? flattenSettings(settings);
  known.set(settings, found);
  return found;
}

/** In what each run differs from the others of its experiment that are listed. @param runs in the order of the list */
export async function runDifferences(runs: readonly StoredRun[]): Promise<Map<RunKey, string>> {
  const byExperiment = groupBy(runs, ({ run }) => run.record.experiment);
  const told = await Promise.all(
    Array.from(byExperiment.values(), async (own) => {
      const settings = await Promise.all(
        own.slice(0, COMPARED).map(async (run): Promise<[RunKey, ReadonlyMap<string, string>][]> => {
          const found = await settingsOf(run).catch(() => undefined);
          return found ? [[run.key, flattened(found)]] : [];
        }),
      );
      return [...differencesBetween(new Map(settings.flat()))];
    }),
  );
  return new Map(told.flat());
}
