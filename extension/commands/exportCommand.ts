/** @file Export Model…: which run, in which format, to which file; then what came of it. */
import { basename, dirname, extname, join } from 'node:path';
import { Uri, l10n, window, type CancellationToken, type QuickPickItem } from 'vscode';
import { exportFormatNames, exportFormats, type ExportFormatName } from '../../server/protocol/model/exportFormats.ts';
import type { ExportedFile } from '../../server/protocol/run/exportedFile.ts';
import { UserError, inOneLine } from '../../server/protocol/userError.ts';
import { stackOf } from '../../server/protocol/thrown.ts';
import { experimentName } from '../../server/runs/run.ts';
import { runExport, type ExportRequest } from '../cli/runExport.ts';
import type { Dashboards } from '../dashboard/dashboards.ts';
import { reportError, showError, showInformation } from '../messages.ts';
import { revealLabel, revealPath } from '../runs/revealPath.ts';
import { runTitle } from '../runs/runTitles.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Services } from '../services.ts';
import { requireTrustToRun } from '../trust.ts';
import { withCommandProgress } from './commandProgress.ts';
import { chooseRuns } from './commandTargets.ts';
import { exportedText } from './exportText.ts';

/** What another extension, or a test, has chosen in place of the user. */
interface ExportChoices {
  readonly format: ExportFormatName;
  readonly path: string;
  /** Cancels, as the button of the notification does. */
  readonly token?: CancellationToken;
}

export class ExportCommand {
  readonly #services: Services;
  readonly #dashboards: Dashboards;

  constructor(services: Services, dashboards: Dashboards) {
    this.#services = services;
    this.#dashboards = dashboards;
  }

  /**
   * Exports the final model of a finished run. What became of it is shown; nobody waits for an answer.
   * @param choices {@link ExportChoices}; anything else where the user is asked
   * @returns undefined where there is no file
   */
  async exportModel(argument: unknown, choices: unknown): Promise<ExportedFile | undefined> {
    requireTrustToRun();
    const where = ({ summary }: StoredRun) => summary.state === 'finished';
    const [stored] = await chooseRuns(this.#services, argument, undefined, { where, state: 'finished' });
    if (!stored) return undefined;
    const chosen = isChosen(choices) ? choices : await choose(stored, await runTitle(this.#services.store, stored));
    return chosen && this.#export(stored, chosen, []);
  }

  async #export(
    stored: StoredRun,
    choices: ExportChoices,
    options: readonly string[],
  ): Promise<ExportedFile | undefined> {
    try {
      const { format, path, token } = choices;
      const file = await this.#run({ run: stored.key, format, path, options }, token);
      if (file) this.#tell(stored, file).catch((error: unknown) => reportError(error, this.#services.log));
      return file;
    } catch (error) {
      void this.#fail(error, stored, choices, options);
      return undefined;
    }
  }

  async #run(request: ExportRequest, token: CancellationToken | undefined): Promise<ExportedFile | undefined> {
    this.#services.log.info(`${request.run}: exported to ${request.path} …`);
    const title = l10n.t('Exporting {0}', basename(request.path));
    return withCommandProgress(this.#services, title, token, (process) => runExport(request, process));
  }

  async #tell(stored: StoredRun, file: ExportedFile): Promise<void> {
    const { path } = file;
    const reveal = revealLabel(path);
    const report = l10n.t('Show Report');
    const answer = await showInformation(exportedText(l10n, file), reveal, report);
    if (answer === reveal) await revealPath(path);
    if (answer === report) await this.#dashboards.open([stored.key], { tab: 'files' });
  }

  /** Says what is wrong, and does what the user answers. */
  async #fail(error: unknown, stored: StoredRun, choices: ExportChoices, options: readonly string[]): Promise<void> {
    const { log } = this.#services;
    log.error(stackOf(error));
    const known = error instanceof UserError;
    const option = known ? error.option : undefined;
    const allTheSame = l10n.t('Export With Changed Files');
    const elsewhere = l10n.t('Save Elsewhere…');
    const showLog = l10n.t('Show Log');
    const answers = [option === undefined ? elsewhere : allTheSame, showLog];
    const answer = await showError(known ? inOneLine(error) : String(error), ...answers);
    if (answer === showLog) log.show();
    if (answer === allTheSame && option !== undefined) await this.#export(stored, choices, [...options, option]);
    if (answer !== elsewhere) return;
    const path = await choosePath(stored, choices.format);
    if (path !== undefined) await this.#export(stored, { ...choices, path }, options);
  }
}

function isChosen(choices: unknown): choices is ExportChoices {
  return typeof choices === 'object' && choices !== null && 'format' in choices && 'path' in choices;
}

async function choose(stored: StoredRun, name: string): Promise<ExportChoices | undefined> {
  const items = exportFormatNames.map((format): QuickPickItem & { format: ExportFormatName } => {
    const { label, description } = exportFormats[format];
    return { label: l10n.t(label), detail: l10n.t(description), format };
  });
  const title = l10n.t('Export the model of {0}', name);
  const picked = await window.showQuickPick(items, { title, placeHolder: l10n.t('The format'), matchOnDetail: true });
  if (!picked) return undefined;
  const { format } = picked;
  const path = await choosePath(stored, format);
  return path === undefined ? undefined : { format, path };
}

/** Proposes a file, or a folder that is to be made, beside the experiment. */
async function choosePath({ run }: StoredRun, format: ExportFormatName): Promise<string | undefined> {
  const { ending, label, isFolder } = exportFormats[format];
  const { experiment } = run.record;
  const extension = extname(`name${ending}`).slice(1);
  const target = await window.showSaveDialog({
    defaultUri: Uri.file(join(dirname(experiment), experimentName(experiment) + ending)),
    title: isFolder ? l10n.t('Export Model to a New Folder') : l10n.t('Export Model'),
    saveLabel: l10n.t('Export'),
    ...(!isFolder && extension !== '' && { filters: { [l10n.t(label)]: [extension] } }),
  });
  return target?.fsPath;
}
