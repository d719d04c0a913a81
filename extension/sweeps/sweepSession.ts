/** @file What the page of a sweep is told, and what it asks for. It gets the sweep when it is loaded and whenever something of it changes. */
import { basename } from 'node:path';
import { commands, l10n, window, workspace, type WebviewPanel } from 'vscode';
import { parseOverride } from '../../server/protocol/experiment/overrides.ts';
import { formatSettingPath } from '../../server/protocol/experiment/settingPath.ts';
import { isSeed } from '../../server/protocol/run/seedGroups.ts';
import { messageOf } from '../../server/protocol/thrown.ts';
import { UserError } from '../../server/protocol/userError.ts';
import type { FromSweepPage, SweepContent, SweptRunRow, ToSweepPage } from '../../server/protocol/wire/sweep.ts';
import { Disposable } from '../dispose.ts';
import { reportError, showInformation } from '../messages.ts';
import { pageHtml, pageOptions } from '../page/pageHtml.ts';
import { saveChart } from '../page/saveChart.ts';
import { writeExperiment } from '../runs/writeExperiment.ts';
import type { Services } from '../services.ts';
import { parseFromSweepPage } from './messages.ts';

/** Runs that the dashboard compares at most: more curves than that say nothing. */
const COMPARED = 50;

export class SweepSession extends Disposable {
  readonly #path: string;
  readonly #panel: WebviewPanel;
  readonly #services: Services;
  #sweep: SweepContent | undefined;
  #isReady = false;

  constructor(path: string, panel: WebviewPanel, services: Services) {
    super();
    this.#path = path;
    this.#panel = panel;
    this.#services = services;
    const { webview } = panel;
    const { extensionUri } = services.context;
    webview.options = pageOptions(extensionUri);
    this.register(webview.onDidReceiveMessage((received: unknown) => this.#receive(received)));
    this.register(panel.onDidChangeViewState(() => panel.visible && void this.#tell()));
    this.register(services.sweeps.onDidChange((changed) => changed === path && panel.visible && void this.#tell()));
    this.register(workspace.onDidGrantWorkspaceTrust(() => void this.#tell(true)));
    webview.html = pageHtml(webview, extensionUri, { bundle: 'sweep', title: panel.title });
    // Read while the page is loaded.
    void services.sweeps.read(path).catch(() => undefined);
  }

  /** The sweep as the page has it. */
  get sweep(): SweepContent | undefined {
    return this.#sweep;
  }

  /** @param again true where the page is told also of a sweep that it has: thousands of rows are sent, checked and drawn */
  async #tell(again = false): Promise<void> {
    if (!this.#isReady || this.disposed) return;
    try {
      const sweep = await this.#services.sweeps.read(this.#path);
      if (sweep === this.#sweep && !again) return;
      this.#sweep = sweep;
      this.#post({ type: 'sweep', sweep, isTrusted: workspace.isTrusted });
    } catch (error) {
      const remedy = error instanceof UserError ? error.remedy : undefined;
      this.#post({ type: 'problem', message: messageOf(error), remedy });
    }
  }

  #post(message: ToSweepPage): void {
    if (!this.disposed) void this.#panel.webview.postMessage(message);
  }

  #receive(received: unknown): void {
    const message = parseFromSweepPage(received);
    const { log } = this.#services;
    if (!message) return log.warn(`The page of ${this.#path} sent what is no message.`);
    this.perform(message).catch((error: unknown) => reportError(error, log));
  }

  /** A page names runs of its own sweep alone. */
  #rowsOf(keys: readonly string[]): SweptRunRow[] {
    const wanted = new Set(keys);
    return this.#sweep?.rows.filter(({ key }) => wanted.has(key)) ?? [];
  }

  /** Does what the page asks for. @throws what keeps it from being done */
  async perform(message: FromSweepPage): Promise<void> {
    const { context, log, sweeps } = this.#services;
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        return this.#tell(true);
      case 'continue':
        await commands.executeCommand('deeptwist.continueSweep', this.#path);
        return;
      case 'use':
        return this.#use(this.#rowsOf([message.run])[0]);
      case 'open': {
        const keys = this.#rowsOf(message.runs).flatMap(({ key, state }) => (state === 'planned' ? [] : [key]));
        if (keys.length > COMPARED) void showInformation(l10n.t('The first {0} of the runs are compared.', COMPARED));
        if (keys.length > 1) await commands.executeCommand('deeptwist.compareRuns', keys.slice(0, COMPARED));
        else if (keys.length === 1) await commands.executeCommand('deeptwist.openDashboard', keys[0]);
        return;
      }
      case 'note': {
        const ids = this.#rowsOf(message.runs).map(({ id }) => id);
        if (ids.length > 0) await sweeps.note(this.#path, ids, message.note);
        return;
      }
      case 'save':
        return saveChart(message, context.workspaceState);
      case 'error':
        log.error(`${this.#path}: ${message.message}`);
    }
  }

  /** The seed stays: a lucky one is no setting. */
  async #use(row: SweptRunRow | undefined): Promise<void> {
    if (!row || !this.#sweep) return;
    const { experiment } = this.#sweep;
    const values = row.vary.flatMap((text) => {
      const override = parseOverride(text);
      return override && !isSeed(formatSettingPath(override.path)) ? [override] : [];
    });
    const name = basename(experiment);
    const isChanged = await writeExperiment(experiment, values);
    window.setStatusBarMessage(
      isChanged
        ? l10n.t('{0} has the values of {1}', name, row.id)
        : l10n.t('{0} had the values of {1} already', name, row.id),
      5000,
    );
  }
}
