/** @file Share Report…: runs as a page that needs no network, by the command line. */
import { basename, dirname, join } from 'node:path';
import { Uri, env, l10n, window } from 'vscode';
import { runReporting } from '../../server/commandClient/runReporting.ts';
import { showInformation } from '../messages.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Services } from '../services.ts';
import { requireTrustToRun } from '../trust.ts';
import { withCommandProgress } from './commandProgress.ts';
import { chooseRuns } from './commandTargets.ts';

/**
 * Asks where to save the report, and offers to open it.
 * @param selection the selected rows of the tree, or `{ path }` of the file, where the user is not to be asked
 * @returns the path of the file; undefined where there is none
 */
export async function shareReport(
  services: Services,
  argument: unknown,
  selection: unknown,
): Promise<string | undefined> {
  requireTrustToRun();
  const runs = await chooseRuns(services, argument, selection, { several: l10n.t('Select runs to report') });
  if (runs.length === 0) return undefined;
  const path = pathIn(selection) ?? (await askForPath(runs[0]));
  if (path === undefined) return undefined;
  const args = ['report', ...runs.map(({ key }) => key), '--out', path];
  const title = l10n.t('Writing {0}', basename(path));
  const done = await withCommandProgress(services, title, undefined, (process) =>
    runReporting(args, dirname(path), process),
  );
  if (done === undefined) return undefined;
  void offerToOpen(path);
  return path;
}

function pathIn(selection: unknown): string | undefined {
  const isGiven = typeof selection === 'object' && selection !== null && 'path' in selection;
  return isGiven && typeof selection.path === 'string' ? selection.path : undefined;
}

async function askForPath({ run }: StoredRun): Promise<string | undefined> {
  const target = await window.showSaveDialog({
    defaultUri: Uri.file(join(dirname(run.record.experiment), `${run.id}.html`)),
    title: l10n.t('Share Report'),
    filters: { HTML: ['html'] },
  });
  return target?.fsPath;
}

async function offerToOpen(path: string): Promise<void> {
  const open = l10n.t('Open');
  const answer = await showInformation(l10n.t('The report is in {0}.', basename(path)), open);
  if (answer === open) await env.openExternal(Uri.file(path));
}
