/** @file Entry point of the extension: registers nothing but what loads the rest, so that opening a window costs nothing. */
import { window, type ExtensionContext } from 'vscode';
import type { DeepTwistApi } from './workbench.ts';

/** Resolves when commands and views are there. */
export async function activate(context: ExtensionContext): Promise<DeepTwistApi> {
  const log = window.createOutputChannel('DeepTwist', { log: true });
  context.subscriptions.push(log);
  const { openWorkbench } = await import('./workbench.ts');
  return openWorkbench(context, log);
}
