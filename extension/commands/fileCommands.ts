/** @file Commands on an experiment file and its runs: what a run was made from, how runs compare, what a live run can take. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Uri, commands, l10n, window, workspace } from 'vscode';
import { formatCount } from '../../server/protocol/formatQuantity.ts';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { overrideOf } from '../../server/protocol/experiment/settingChanges.ts';
import { valuesAfter } from '../../server/runs/changedValues.ts';
import { sourceOf } from '../../server/runs/copySources.ts';
import type { Run } from '../../server/runs/run.ts';
import { mayBeLookedAt, readRegularFile } from '../../server/runs/workspaceFile.ts';
import type { Dashboards } from '../dashboard/dashboards.ts';
import { startTime } from '../runs/runLabels.ts';
import { inOrder } from '../experiments/runOrder.ts';
import { differencesFromRun } from '../lastRun/differences.ts';
import { liveRunOf, nothingToApply, pathsOf, wantedOf } from '../lastRun/runSettings.ts';
import { settingsOf } from '../runs/settingsOfRun.ts';
import type { Services } from '../services.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { showError, showInformation } from '../messages.ts';
import { requireTrustToChangeRuns } from '../trust.ts';
import { chooseExperiment, chooseRuns, experimentArgument } from './commandTargets.ts';
import { changeText } from '../runs/overrideText.ts';
import { pickRunOfFile } from './pickRunOfFile.ts';

const SHOWN_MS = 10_000;

export class FileCommands {
  readonly #services: Services;
  readonly #dashboards: Dashboards;

  constructor(services: Services, dashboards: Dashboards) {
    this.#services = services;
    this.#dashboards = dashboards;
  }

  /** @returns the step after which it takes effect; undefined where there is nothing to apply */
  async applyFromNextDistortion(argument: unknown): Promise<number | undefined> {
    requireTrustToChangeRuns();
    const experiment = await chooseExperiment(this.#services, argument);
    if (!experiment) return undefined;
    const uri = Uri.file(experiment.file);
    const stored = liveRunOf(this.#services.store, uri);
    const settings = stored && (await settingsOf(stored));
    if (!stored?.live || !settings) {
      void this.#offerRun(l10n.t('No run of {0} is training.', experiment.name), uri);
      return undefined;
    }
    const document = await workspace.openTextDocument(uri);
    const text = document.getText();
    const { experiment: wanted, problems } = checkExperiment(text);
    if (!wanted) {
      const [{ path, message }] = problems;
      void showError(l10n.t('Cannot apply the file: {0}', `${path}: ${message}`));
      return undefined;
    }
    const changes = await wantedOf(differencesFromRun(settings, wanted), stored, settings, text);
    const { applied, fixed } = changes;
    if (applied.length === 0) {
      void this.#offerRun(nothingToApply(changes), uri);
      return undefined;
    }
    const { step } = await stored.live.request('change', { values: applied.map(overrideOf) });
    await document.save();
    await this.#services.store.refresh(stored.key);
    const what = applied.map(changeText).join(', ');
    window.setStatusBarMessage(l10n.t('From step {0} on: {1}', formatCount(step), what), SHOWN_MS);
    if (fixed.length > 0) {
      const kept = pathsOf(fixed);
      void this.#offerRun(l10n.t('Applied, except for what a run keeps from its first step on: {0}', kept), uri);
    }
    return step;
  }

  async #offerRun(message: string, uri: Uri): Promise<void> {
    const run = l10n.t('Run');
    if ((await showInformation(message, run)) === run) await commands.executeCommand('deeptwist.runExperiment', uri);
  }

  /** The newest run of a file, the one before it, and the best of the others. */
  async compareWithLast(argument: unknown): Promise<void> {
    const experiment = await chooseExperiment(this.#services, argument);
    if (!experiment) return;
    const runs = await this.#services.store.runsOf(experiment);
    if (runs.length < 2) {
      void showInformation(l10n.t('{0} needs two runs to compare.', experiment.name));
      return;
    }
    const best = inOrder(
      runs.map(({ summary }) => summary).filter(({ result }) => result),
      'metric',
    )[0];
    const keys = [runs[0].key, runs[1].key, ...(best ? [best.key] : [])];
    await this.#dashboards.open([...new Set(keys)], { tab: 'compare' });
  }

  /** Lists the runs of a file, to be opened, run again or looked at as they were. */
  async showRunsOfFile(argument: unknown): Promise<void> {
    const experiment = await chooseExperiment(this.#services, argument);
    if (!experiment) return;
    const picked = await pickRunOfFile(this.#services.store, experiment);
    if (!picked) return;
    const { stored, action } = picked;
    if (action === 'openDashboard') await this.#dashboards.open([stored.key]);
    else await commands.executeCommand(`deeptwist.${action}`, stored.key);
  }

  /** The text that a run was made from beside the file as it is now, and so the modules that differ. */
  async openConfigOfRun(argument: unknown): Promise<void> {
    const file = experimentArgument(argument);
    const stored = file
      ? (await pickRunOfFile(this.#services.store, file, 'openConfigOfRun'))?.stored
      : (await chooseRuns(this.#services, argument, undefined))[0];
    if (!stored) return;
    const { run } = stored;
    const title = titleOf(stored);
    const files = [{ then: run.experimentFile, now: run.record.experiment }, ...(await changedSources(run))];
    const [experiment] = files;
    if (files.length === 1 && existsSync(experiment.now)) {
      await commands.executeCommand('vscode.diff', Uri.file(experiment.then), Uri.file(experiment.now), title);
      return;
    }
    // A file that is gone has nothing beside it.
    const changes = files.map(({ then, now }) => [
      Uri.file(now),
      Uri.file(then),
      existsSync(now) ? Uri.file(now) : undefined,
    ]);
    await commands.executeCommand('vscode.changes', title, changes);
  }
}

/** `lenet, 14:05 ↔ now`, with what the run was given beside the text of its file. */
function titleOf({ run, summary }: StoredRun): string {
  const values = valuesAfter(run.record, Infinity);
  const time = startTime(summary.created, Date.now());
  return values.length === 0
    ? l10n.t('{0}, {1} ↔ now', summary.name, time)
    : l10n.t('{0}, {1} with {2} ↔ now', summary.name, time, values.join(' '));
}

/** The modules that a run keeps a copy of and that are not as they were. */
async function changedSources(run: Run): Promise<{ then: string; now: string }[]> {
  const entries = await readdir(run.sourceFolder, { recursive: true, withFileTypes: true }).catch(() => []);
  const copies = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = copies
    .map((then) => ({ then, now: sourceOf(run, then) }))
    .filter(({ now }) => mayBeLookedAt(now, run.path));
  const text = (file: string) => readRegularFile(file).catch(() => '');
  const differs = await Promise.all(files.map(async ({ then, now }) => (await text(then)) !== (await text(now))));
  return files.filter((_, i) => differs[i]);
}
