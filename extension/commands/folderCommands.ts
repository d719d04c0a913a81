/** @file Commands on runs as they lie in their folders. */
import { dirname } from 'node:path';
import { Uri, commands, env, l10n, window, workspace } from 'vscode';
import { deleteRun } from '../../server/runs/endRun.ts';
import type { Services } from '../services.ts';
import { confirmed, showInformation } from '../messages.ts';
import { chooseRuns } from './arguments.ts';
import { commandLineOf } from './commandLine.ts';

export class FolderCommands {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** The experiment file; the run's own copy where it is gone. */
  async openExperiment(argument: unknown): Promise<void> {
    const [stored] = await chooseRuns(this.#services, argument, undefined);
    if (!stored) return;
    const { experiment } = stored.run.record;
    const document = await workspace
      .openTextDocument(Uri.file(experiment))
      .then(undefined, () => workspace.openTextDocument(Uri.file(stored.run.experimentFile)));
    await window.showTextDocument(document);
  }

  async showLog(argument: unknown): Promise<void> {
    const [stored] = await chooseRuns(this.#services, argument, undefined);
    if (!stored) return;
    try {
      await window.showTextDocument(await workspace.openTextDocument(Uri.file(stored.run.logFile)));
    } catch {
      void showInformation(
        l10n.t('The run {0} has no log: only runs that were started in the editor have one.', stored.run.id),
      );
    }
  }

  async copyCommandLine(argument: unknown): Promise<void> {
    const [stored] = await chooseRuns(this.#services, argument, undefined);
    if (!stored) return;
    const { experiment, overrides } = stored.run.record;
    const root = stored.folder ?? dirname(experiment);
    await env.clipboard.writeText(commandLineOf(experiment, overrides, root));
    window.setStatusBarMessage(l10n.t('Copied; run it in {0}', root), 5000);
  }

  async revealRunFolder(argument: unknown): Promise<void> {
    const [stored] = await chooseRuns(this.#services, argument, undefined);
    if (stored) await commands.executeCommand('revealFileInOS', Uri.file(stored.key));
  }

  async deleteRun(argument: unknown, selection: unknown): Promise<void> {
    const runs = await chooseRuns(this.#services, argument, selection, { several: true });
    if (runs.length === 0) return;
    const remove = l10n.t('Delete');
    const question =
      runs.length === 1 ? l10n.t('Delete the run {0}?', runs[0].run.id) : l10n.t('Delete {0} runs?', runs.length);
    const detail = l10n.t('Its model, checkpoints and everything that was recorded are deleted from the disk.');
    if (!(await confirmed(question, detail, remove))) return;
    for (const { run } of runs) {
      await deleteRun(run);
      await this.#services.store.refresh(run.path);
    }
  }
}
