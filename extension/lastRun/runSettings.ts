/** @file The changes that a run can take from its file while it trains, and the run that a file is compared with. */
import { l10n, type Uri } from 'vscode';
import type { ExperimentSettings } from '../../server/protocol/experiment/schema.ts';
import { whyFixed } from '../../server/protocol/experiment/changeableSettings.ts';
import { settingChanges, type SettingChange } from '../../server/protocol/experiment/settingChanges.ts';
import { experimentFileOf } from '../runs/experimentFiles.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { StoredRun } from '../runs/storedRun.ts';

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

/** The settings in which a file differs from its run that trains. */
interface WantedChanges {
  /** Changes that the run can take while it trains. */
  readonly applied: readonly SettingChange[];
  /** Paths of the settings that the run keeps from its first step on. */
  readonly fixed: readonly string[];
}

/**
 * @param settings of the run
 * @param wanted those of the file
 */
export function wantedChanges(settings: ExperimentSettings, wanted: ExperimentSettings): WantedChanges {
  const changes = settingChanges(settings, wanted);
  const isFixed = ({ path }: SettingChange) => whyFixed(path, settings) !== undefined;
  return {
    applied: changes.filter((change) => !isFixed(change)),
    fixed: changes.filter(isFixed).map(({ path }) => path),
  };
}

/** The reason why a run takes nothing from its file. */
export function nothingToApply({ fixed }: WantedChanges): string {
  return fixed.length === 0
    ? l10n.t('The run has the values of the file already.')
    : l10n.t('A run keeps {0} from its first step on.', fixed.join(', '));
}
