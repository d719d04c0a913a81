/** @file Showing where a file or a folder is. */
import { UIKind, Uri, commands, env, l10n, workspace } from 'vscode';
import { showInformation } from '../messages.ts';

/** What a button that calls {@link revealPath} says. */
export function revealLabel(path: string): string {
  if (isInWorkspace(path)) return l10n.t('Reveal in Explorer');
  return hasFileManager() ? l10n.t('Open Containing Folder') : l10n.t('Show Path');
}

/** In the Explorer; outside of the workspace in the system's file manager, and where the window has none, as a path to copy. */
export async function revealPath(path: string): Promise<void> {
  if (isInWorkspace(path)) await commands.executeCommand('revealInExplorer', Uri.file(path));
  else if (hasFileManager()) await commands.executeCommand('revealFileInOS', Uri.file(path));
  else {
    const copy = l10n.t('Copy Path');
    if ((await showInformation(path, copy)) === copy) await env.clipboard.writeText(path);
  }
}

/** False for a window in a browser, and for one on another machine than its files. */
function hasFileManager(): boolean {
  return env.uiKind === UIKind.Desktop && env.remoteName === undefined;
}

function isInWorkspace(path: string): boolean {
  return workspace.getWorkspaceFolder(Uri.file(path)) !== undefined;
}
