/**
 * @file The runs of an experiment file as a list: result, and what differed from the run before. A quick pick, because a peek
 * shows lines of files and no results.
 */
import { ThemeIcon, l10n, window, env, type QuickInputButton, type QuickPickItem } from 'vscode';
import { settingChanges } from '../../server/protocol/experiment/settingChanges.ts';
import { standText } from '../runs/runResultText.ts';
import { progressText, startTime } from '../runs/runLabels.ts';
import { runIcon } from '../runs/runPhase.ts';
import { settingsOf } from '../runs/settingsOfRun.ts';
import type { ExperimentFile } from '../runs/experimentFiles.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { showInformation } from '../messages.ts';
import { changeText } from '../runs/overrideText.ts';

const LISTED = 100;

export type RunAction = 'openDashboard' | 'openConfigOfRun' | 'rerun' | 'rerunWith';

interface Button extends QuickInputButton {
  readonly action: RunAction;
}
interface RunItem extends QuickPickItem {
  readonly stored: StoredRun;
  readonly buttons: readonly Button[];
}

/**
 * @param action what is done with a run that is chosen without one of its buttons
 * @returns undefined where the user turned away, or there is no run
 */
export async function pickRunOfFile(
  store: RunStore,
  experiment: ExperimentFile,
  action: RunAction = 'openDashboard',
): Promise<{ stored: StoredRun; action: RunAction } | undefined> {
  const runs = await store.runsOf(experiment, LISTED);
  if (runs.length === 0) {
    void showInformation(l10n.t('{0} has not been run yet.', experiment.name));
    return undefined;
  }
  const items = await itemsOf(runs);
  const pick = window.createQuickPick<RunItem>();
  pick.title = l10n.t('Runs of {0}', experiment.name);
  pick.placeholder = action === 'openDashboard' ? l10n.t('Open a run in the dashboard') : l10n.t('Select a run');
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.items = items;
  return new Promise((resolve) => {
    const choose = (stored: StoredRun | undefined, chosen: RunAction) => {
      resolve(stored && { stored, action: chosen });
      pick.hide();
    };
    pick.onDidTriggerItemButton(({ item, button }) => choose(item.stored, (button as Button).action));
    pick.onDidAccept(() => choose(pick.selectedItems[0]?.stored, action));
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

/** @param runs newest first */
async function itemsOf(runs: readonly StoredRun[]): Promise<RunItem[]> {
  const settings = await Promise.all(runs.map((run) => settingsOf(run).catch(() => undefined)));
  const buttons: Button[] = [
    {
      iconPath: new ThemeIcon('diff'),
      tooltip: l10n.t('Compare Experiment File with This Run'),
      action: 'openConfigOfRun',
    },
    { iconPath: new ThemeIcon('debug-rerun'), tooltip: l10n.t('Rerun'), action: 'rerun' },
    { iconPath: new ThemeIcon('edit'), tooltip: l10n.t('Rerun With…'), action: 'rerunWith' },
  ];
  return runs.map((stored, i) => {
    const [own, before] = [settings[i], settings[i + 1]];
    return {
      stored,
      buttons,
      iconPath: runIcon(stored),
      label: startTime(stored.summary.created, Date.now(), env.language),
      description: stored.liveState ? progressText(stored.liveState) : standText(stored),
      detail: own && before ? differenceText(settingChanges(before, own).map(changeText)) : undefined,
    };
  });
}

function differenceText(changes: readonly string[]): string {
  return changes.length === 0 ? l10n.t('the same settings as the run before') : changes.join(', ');
}
