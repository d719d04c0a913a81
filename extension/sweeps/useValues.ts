/** @file Use These Values: writes what was varied in a run of a sweep into the experiment file. */
import { basename } from 'node:path';
import { l10n, window } from 'vscode';
import { parseOverride } from '../../server/protocol/experiment/overrides.ts';
import { formatSettingPath } from '../../server/protocol/experiment/settingPath.ts';
import { isSeed } from '../../server/protocol/run/seedGroups.ts';
import type { SweepContent, SweptRunRow } from '../../server/protocol/wire/sweep.ts';
import { writeExperiment } from '../runs/writeExperiment.ts';

/** Leaves out the seed, since a lucky one is no setting, and in a search the settings that only make a run shorter; the dense model of a search has nothing to write. */
export async function useValues({ experiment, search }: SweepContent, row: SweptRunRow): Promise<void> {
  const values = row.vary.flatMap((text) => {
    const override = parseOverride(text);
    if (!override || isSeed(formatSettingPath(override.path))) return [];
    const isFound = override.path[0] === 'compression' && override.value !== null;
    return search && !isFound ? [] : [override];
  });
  const name = basename(experiment);
  const isChanged = await writeExperiment(experiment, values);
  window.setStatusBarMessage(
    isChanged
      ? l10n.t('{0} has the values of {1}', name, row.id)
      : l10n.t('{0} had the values of {1} already', name, row.id),
    5000,
  );
}
