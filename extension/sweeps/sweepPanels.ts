/** @file The pages of sweeps: one for each that is open. What they say is seen to by a session, which is loaded with the first. */
import { basename, resolve, sep } from 'node:path';
import { Uri, ViewColumn, l10n, window, workspace, type WebviewPanel } from 'vscode';
import { stackOf } from '../../server/protocol/thrown.ts';
import { Disposable } from '../dispose.ts';
import { panelIcon } from '../page/pageHtml.ts';
import type { Services } from '../services.ts';
import type { SweepSession } from './sweepSession.ts';

const PANEL = 'deeptwist.sweepPanel';

export class SweepPanels extends Disposable {
  readonly #services: Services;
  /** By the path of the sweep. */
  readonly #panels = new Map<string, WebviewPanel>();
  readonly #sessions = new Map<string, SweepSession>();

  constructor(services: Services) {
    super();
    this.#services = services;
    this.register(
      window.registerWebviewPanelSerializer(PANEL, {
        deserializeWebviewPanel: async (panel, state: unknown) => {
          const path = pathIn(state);
          if (path === undefined || this.#panels.has(path)) panel.dispose();
          else this.#attach(panel, path);
          return Promise.resolve();
        },
      }),
    );
    this.register({
      dispose: () => {
        for (const session of this.#sessions.values()) session.dispose();
      },
    });
  }

  /** The pages that are open, by the path of their sweep. */
  get sessions(): ReadonlyMap<string, SweepSession> {
    return this.#sessions;
  }

  /** @param path the folder of the sweep */
  open(path: string): void {
    const open = this.#panels.get(path);
    if (open) return open.reveal();
    const options = { retainContextWhenHidden: true };
    this.#attach(window.createWebviewPanel(PANEL, '', ViewColumn.Active, options), path);
  }

  #attach(panel: WebviewPanel, path: string): void {
    panel.title = l10n.t('Sweep {0}', basename(path));
    panel.iconPath = panelIcon(this.#services.context.extensionUri);
    this.#panels.set(path, panel);
    panel.onDidDispose(() => {
      this.#panels.delete(path);
      this.#sessions.get(path)?.dispose();
      this.#sessions.delete(path);
    });
    this.#start(panel, path).catch((error: unknown) => this.#services.log.error(stackOf(error)));
  }

  async #start(panel: WebviewPanel, path: string): Promise<void> {
    const { SweepSession } = await import('./sweepSession.ts');
    if (this.#panels.get(path) === panel) this.#sessions.set(path, new SweepSession(path, panel, this.#services));
  }
}

/** The sweep that a page showed before the window was loaded again: one of the workspace. */
function pathIn(state: unknown): string | undefined {
  const path = (state as { path?: unknown } | undefined)?.path;
  if (typeof path !== 'string' || resolve(path) !== path) return undefined;
  const isSweep = path.includes(`${sep}.deeptwist${sep}sweeps${sep}`);
  return isSweep && workspace.getWorkspaceFolder(Uri.file(path)) !== undefined ? path : undefined;
}
