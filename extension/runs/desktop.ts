/** @file Where a window is, and where its files are. */
import { UIKind, env } from 'vscode';

/** False for a window in a browser, and for one on another machine than its files. */
export function isOnDesktop(): boolean {
  return env.uiKind === UIKind.Desktop && env.remoteName === undefined;
}
