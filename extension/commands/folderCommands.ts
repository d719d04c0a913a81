/** @file Commands on runs as they lie in their folders. */
import { dirname } from 'node:path';
import { Uri, env, l10n, window, workspace } from 'vscode';
import { shortLine } from '../../server/protocol/printable.ts';
import { messageOf } from '../../server/protocol/thrown.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { lastValues } from '../../server/runs/changedValues.ts';
import { deleteRun } from '../../server/runs/deleteRun.ts';
import { isOnDesktop } from '../runs/desktop.ts';
import { revealPath } from '../runs/revealPath.ts';
import { runTitle } from '../runs/runTitles.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Services } from '../services.ts';
import { requireTrustToChangeRuns } from '../trust.ts';
import { confirmed, showInformation } from '../messages.ts';
import { chooseRuns } from './commandTargets.ts';
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
    const line = commandLineOf(experiment, lastValues(overrides), root, defaultShell());
    if (line === undefined)
      throw new UserError(
        l10n.t('The run {0} has a name or a value that cannot be written for {1}.', stored.run.id, defaultShell()),
        { remedy: l10n.t('Make bash or PowerShell the default profile of the terminal, then copy it again.') },
      );
    await env.clipboard.writeText(line);
    window.setStatusBarMessage(l10n.t('Copied. Paste it into a terminal of VS Code in {0}.', root), 5000);
  }

  async revealRunFolder(argument: unknown): Promise<void> {
    const [stored] = await chooseRuns(this.#services, argument, undefined);
    if (stored) await revealPath(stored.key);
  }

  /** To the trash of the system; for good where there is none, and where it takes no run. */
  async deleteRun(argument: unknown, selection: unknown): Promise<void> {
    requireTrustToChangeRuns();
    const several = l10n.t('Select runs to delete');
    const runs = await chooseRuns(this.#services, argument, selection, { several });
    if (runs.length === 0) return;
    const { store } = this.#services;
    const question =
      runs.length === 1
        ? l10n.t('Delete the run {0}?', await runTitle(store, runs[0]))
        : l10n.t('Delete {0} runs?', runs.length);
    if (hasTrash()) await this.#moveToTrash(runs, question);
    else if (await confirmed(question, lostText(runs), l10n.t('Delete'))) await this.#delete(runs);
  }

  async #moveToTrash(runs: readonly StoredRun[], question: string): Promise<void> {
    const { restore, move, failed } = trashWords();
    if (!(await confirmed(question, `${restore}\n${foldersOf(runs)}`, move))) return;
    const refused: StoredRun[] = [];
    for (const stored of runs) {
      await deleteRun(stored.run, async (folder) => {
        try {
          await workspace.fs.delete(Uri.file(folder), { recursive: true, useTrash: true });
        } catch (error) {
          this.#services.log.warn(`${folder}: ${messageOf(error)}`);
          refused.push(stored);
        }
      });
      await this.#services.store.refresh(stored.key);
    }
    if (refused.length === 0) return;
    if (await confirmed(failed, lostText(refused), l10n.t('Delete Permanently'))) await this.#delete(refused);
  }

  async #delete(runs: readonly StoredRun[]): Promise<void> {
    for (const { run } of runs) {
      await deleteRun(run);
      await this.#services.store.refresh(run.path);
    }
  }
}

/** A window on another machine than its files has none. */
function hasTrash(): boolean {
  return isOnDesktop() && workspace.getConfiguration('files').get('enableTrash', true);
}

/** As VS Code's Explorer has them. */
function trashWords(): { restore: string; move: string; failed: string } {
  return process.platform === 'win32'
    ? {
        restore: l10n.t('You can restore these files from the Recycle Bin.'),
        move: l10n.t('Move to Recycle Bin'),
        failed: l10n.t('Failed to delete using the Recycle Bin. Do you want to permanently delete instead?'),
      }
    : {
        restore: l10n.t('You can restore these files from the Trash.'),
        move: l10n.t('Move to Trash'),
        failed: l10n.t('Failed to delete using the Trash. Do you want to permanently delete instead?'),
      };
}

function lostText(runs: readonly StoredRun[]): string {
  return l10n.t(
    'Its model, checkpoints and everything that was recorded are deleted from the disk:\n{0}',
    foldersOf(runs),
  );
}

/** Folders that a question lists; the rest is counted. */
const LISTED = 10;

function foldersOf(runs: readonly StoredRun[]): string {
  const folders = runs.slice(0, LISTED).map(({ run }) => shortLine(run.path, 1000));
  const rest = runs.length - LISTED;
  return [...folders, ...(rest > 0 ? [l10n.t('and {0} more', rest)] : [])].join('\n');
}

/** The shell that a new terminal has. */
function defaultShell(): string {
  return env.shell || (process.platform === 'win32' ? 'powershell.exe' : 'sh');
}
