/** @file The changes that a run can take from its file while it trains, and the run that a file is compared with. */
import { l10n, type Uri } from 'vscode';
import type { ExperimentSettings } from '../../server/protocol/experiment/schema.ts';
import type { SettingChange } from '../../server/protocol/experiment/settingChanges.ts';
import { experimentFileOf } from '../runs/experimentFiles.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { wantedChanges, type WantedChanges } from './wantedChanges.ts';

/** The run of an experiment file that is trained now, else its newest. */
export async function lastRunOf(store: RunStore, file: Uri): Promise<StoredRun | undefined> {
  return liveRunOf(store, file) ?? (await store.runsOf(experimentFileOf(file), 1))[0];
}

/** The newest run of an experiment file whose process trains it and answers. */
export function liveRunOf(store: RunStore, { fsPath }: Uri): StoredRun | undefined {
  return store.active
    .filter((stored) => stored.run.record.experiment === fsPath && takesChanges(stored))
    .sort((a, b) => b.summary.created - a.summary.created)[0];
}

/** True while a run is in a phase in which its process takes changes of settings. */
export function takesChanges({ liveState }: StoredRun): boolean {
  return liveState?.phase === 'training' || liveState?.phase === 'paused';
}

/**
 * @param changes from the settings of the run to those of its file
 * @param settings of the run
 * @param text of the file
 */
export async function wantedOf(
  changes: readonly SettingChange[],
  { run }: StoredRun,
  settings: ExperimentSettings,
  text: string,
): Promise<WantedChanges> {
  return wantedChanges(changes, { text: await run.experimentText(), changes: run.record.changes, settings }, text);
}

/** The reason why a run takes nothing from its file. */
export function nothingToApply({ fixed, given }: WantedChanges): string {
  if (fixed.length > 0) return l10n.t('A run keeps {0} from its first step on.', pathsOf(fixed));
  return given.length > 0
    ? l10n.t('The run was given values of its own for {0}, and the file has no new ones.', pathsOf(given))
    : l10n.t('The run has the values of the file already.');
}

/** `training.seed, compression.distortEvery` */
export function pathsOf(changes: readonly SettingChange[]): string {
  return changes.map(({ path }) => path).join(', ');
}
