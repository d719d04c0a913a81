/** @file Showing where a file or a folder is. */
import { Uri, commands, env, l10n, workspace } from 'vscode';
import { showInformation } from '../messages.ts';
import { isOnDesktop } from './desktop.ts';

/** What a button that calls {@link revealPath} says. */
export function revealLabel(path: string): string {
  if (isInWorkspace(path)) return l10n.t('Reveal in Explorer');
  return isOnDesktop() ? l10n.t('Open Containing Folder') : l10n.t('Show Path');
}

/** In the Explorer; outside of the workspace in the system's file manager, and where the window has none, as a path to copy. */
export async function revealPath(path: string): Promise<void> {
  if (isInWorkspace(path)) await commands.executeCommand('revealInExplorer', Uri.file(path));
  else if (isOnDesktop()) await commands.executeCommand('revealFileInOS', Uri.file(path));
  else {
    const copy = l10n.t('Copy Path');
    if ((await showInformation(path, copy)) === copy) await env.clipboard.writeText(path);
  }
}

function isInWorkspace(path: string): boolean {
  return workspace.getWorkspaceFolder(Uri.file(path)) !== undefined;
}
