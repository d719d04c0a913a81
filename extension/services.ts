/** @file What the parts of the extension share. */
import { Uri, type ExtensionContext, type LogOutputChannel } from 'vscode';
import { RunStore } from './runs/runStore.ts';
import { Sweeps } from './runs/sweeps.ts';
import { SidecarConnections } from './sidecar/sidecarConnections.ts';
import { Launcher } from './runs/launcher.ts';

export interface Services {
  readonly context: ExtensionContext;
  readonly log: LogOutputChannel;
  readonly connections: SidecarConnections;
  readonly store: RunStore;
  readonly sweeps: Sweeps;
  readonly launcher: Launcher;
}

export function createServices(context: ExtensionContext, log: LogOutputChannel): Services {
  const connections = new SidecarConnections(`vscode ${process.pid}`);
  const store = new RunStore(log, connections);
  const sweeps = new Sweeps(store, context);
  context.subscriptions.push(store, sweeps);
  const sidecar = Uri.joinPath(context.extensionUri, 'dist', 'sidecar.js');
  return { context, log, connections, store, sweeps, launcher: new Launcher(store, log, sidecar) };
}
