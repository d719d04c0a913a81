/** @file Entry point of the extension: registers nothing but what loads the rest, so that opening a window costs nothing. */
import { window, type ExtensionContext } from 'vscode';

/** Resolves when commands and views are there. */
export async function activate(context: ExtensionContext): Promise<void> {
  const log = window.createOutputChannel('DeepTwist', { log: true });
  context.subscriptions.push(log);
  const { openWorkbench } = await import('./workbench.ts');
  openWorkbench(context, log);
}
