/** @file Showing where an exported file is. */
import { Uri, commands, l10n, workspace } from 'vscode';

/** What a button that calls {@link revealExport} says. */
export function revealLabel(path: string): string {
  return isInWorkspace(path) ? l10n.t('Reveal in Explorer') : l10n.t('Open Containing Folder');
}

/** In the Explorer, or in the system's where it lies outside of the workspace. */
export async function revealExport(path: string): Promise<void> {
  await commands.executeCommand(isInWorkspace(path) ? 'revealInExplorer' : 'revealFileInOS', Uri.file(path));
}

function isInWorkspace(path: string): boolean {
  return workspace.getWorkspaceFolder(Uri.file(path)) !== undefined;
}
