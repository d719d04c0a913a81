/** @file Node for processes that run the user's code. */
import { workspace } from 'vscode';

/** The one that the user has set, else VS Code's own, which is Node with `ELECTRON_RUN_AS_NODE`. */
export function nodePath(): string {
  return workspace.getConfiguration('deeptwist').get<string>('node.path') || process.execPath;
}
