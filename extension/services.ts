/** @file What the parts of the extension share. */
import { Uri, type ExtensionContext, type LogOutputChannel } from 'vscode';
import { RunStore } from './runs/runStore.ts';
import { Launcher } from './runs/launcher.ts';

export interface Services {
  readonly context: ExtensionContext;
  readonly log: LogOutputChannel;
  readonly store: RunStore;
  readonly launcher: Launcher;
}

export function createServices(context: ExtensionContext, log: LogOutputChannel): Services {
  const store = new RunStore(log);
  context.subscriptions.push(store);
  const sidecar = Uri.joinPath(context.extensionUri, 'dist', 'sidecar.js');
  return { context, log, store, launcher: new Launcher(store, log, sidecar) };
}
