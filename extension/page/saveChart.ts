/** @file Saves a chart of a page as a file where the user says. */
import { dirname, join } from 'node:path';
import { l10n, Uri, window, workspace, type Memento } from 'vscode';
import type { SavedChart } from '../../server/protocol/wire/page.ts';

/** Key of the folder in which the last chart of this workspace was saved. */
const SAVE_FOLDER = 'dashboard.saveFolder';

export async function saveChart({ name, format, content }: SavedChart, state: Memento): Promise<void> {
  const folder = state.get<string>(SAVE_FOLDER) ?? workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  const fileName = name.toLowerCase().endsWith(`.${format}`) ? name : `${name}.${format}`;
  const target = await window.showSaveDialog({
    defaultUri: Uri.file(join(folder, fileName)),
    filters: format === 'csv' ? { [l10n.t('Table')]: ['csv'] } : { [l10n.t('Picture')]: ['png'] },
    title: l10n.t('Save Chart'),
  });
  if (!target) return;
  await workspace.fs.writeFile(target, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  await state.update(SAVE_FOLDER, dirname(target.fsPath));
  window.setStatusBarMessage(l10n.t('Saved {0}', target.fsPath), 5000);
}
