/** @file What the page of a sweep is told, and what it asks for. It gets the sweep when it is loaded and whenever something of it changes. */
import { commands, workspace, type WebviewPanel } from 'vscode';
import { messageOf } from '../../server/protocol/thrown.ts';
import { UserError } from '../../server/protocol/userError.ts';
import type { RunKey } from '../../server/protocol/wire/dashboard.ts';
import type {
  FromSweepPage,
  RunProgress,
  SweepContent,
  SweptRunRow,
  ToSweepPage,
} from '../../server/protocol/wire/sweep.ts';
import { Disposable } from '../dispose.ts';
import { reportError } from '../messages.ts';
import { pageHtml, pageOptions } from '../page/pageHtml.ts';
import { saveChart } from '../page/saveChart.ts';
import { firstShown } from '../runs/firstShown.ts';
import { progressText } from '../runs/runLabels.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Services } from '../services.ts';
import { parseFromSweepPage } from './messages.ts';
import { useValues } from './useValues.ts';

/** Time between two messages on the progress of runs. */
const PROGRESS_MS = 500;

export class SweepSession extends Disposable {
  readonly #path: string;
  readonly #panel: WebviewPanel;
  readonly #services: Services;
  #sweep: SweepContent | undefined;
  #isReady = false;
  readonly #progressed = new Map<RunKey, StoredRun>();
  #timer: NodeJS.Timeout | undefined;

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
    this.register(services.store.onDidProgress((run) => this.#progressSoon(run)));
    this.register({ dispose: () => clearTimeout(this.#timer) });
    this.register(workspace.onDidGrantWorkspaceTrust(() => void this.#tell(true)));
    webview.html = pageHtml(webview, extensionUri, { bundle: 'sweep', title: panel.title });
    // Read while the page is loaded.
    void services.sweeps.read(path).catch(() => undefined);
  }

  /** The sweep as the page has it. */
  get sweep(): SweepContent | undefined {
    return this.#sweep;
  }

  /** @param again true to send a sweep that the page has already, which costs time: its thousands of rows are checked and drawn */
  async #tell(again = false): Promise<void> {
    if (!this.#isReady || this.disposed) return;
    try {
      const sweep = await this.#services.sweeps.read(this.#path);
      if (sweep === this.#sweep && !again) return;
      this.#sweep = sweep;
      this.#post({ type: 'sweep', sweep, isTrusted: workspace.isTrusted });
      // The store follows runs that somebody asks for.
      for (const { key, state } of sweep.rows)
        if (state === 'running') void this.#services.store.get(key).then((run) => run && this.#progressSoon(run));
    } catch (error) {
      const remedy = error instanceof UserError ? error.remedy : undefined;
      this.#post({ type: 'problem', message: messageOf(error), remedy });
    }
  }

  #progressSoon(run: StoredRun): void {
    if (!this.#isReady || !this.#panel.visible || this.#services.sweeps.pathOf(run) !== this.#path) return;
    this.#progressed.set(run.key, run);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const runs = [...this.#progressed.values()].flatMap(({ key, liveState }): RunProgress[] =>
        liveState && liveState.steps > 0 ? [{ run: key, text: progressText(liveState) }] : [],
      );
      this.#progressed.clear();
      if (runs.length > 0) this.#post({ type: 'progress', runs });
    }, PROGRESS_MS);
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
        return this.#use(message.run);
      case 'open': {
        const keys = this.#rowsOf(message.runs).flatMap(({ key, state }) => (state === 'planned' ? [] : [key]));
        if (keys.length > 1) await commands.executeCommand('deeptwist.compareRuns', firstShown(keys));
        else if (keys.length === 1) await commands.executeCommand('deeptwist.openDashboard', keys[0]);
        return;
      }
      case 'note': {
        const ids = this.#rowsOf(message.runs).map(({ id }) => id);
        if (ids.length > 0) await sweeps.note(this.#path, ids, message.change);
        return;
      }
      case 'save':
        return saveChart(message, context.workspaceState);
      case 'error':
        log.error(`${this.#path}: ${message.message}`);
    }
  }

  async #use(run: RunKey): Promise<void> {
    const row = this.#rowsOf([run]).at(0);
    if (this.#sweep && row) await useValues(this.#sweep, row);
  }
}
