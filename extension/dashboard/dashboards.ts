/** @file The dashboard in the editor: a view in the side bar, and a panel beside the code. Both show the same page. */
import { existsSync } from 'node:fs';
import { basename, resolve, sep } from 'node:path';
import { commands, l10n, Uri, ViewColumn, window, workspace } from 'vscode';
import type { Memento, Webview, WebviewPanel, WebviewView } from 'vscode';
import type { DashboardPlace, RunKey, RunSummary } from '../../server/protocol/wire/dashboard.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { messageOf, stackOf } from '../../server/protocol/thrown.ts';
import { Disposable } from '../dispose.ts';
import type { Services } from '../services.ts';
import { findProcess } from '../sidecar/findProcess.ts';
import { showError } from '../messages.ts';
import { pageHtml, pageOptions, panelIcon } from '../page/pageHtml.ts';
import { loadSnapshot } from './loadSnapshot.ts';
import { DashboardSession } from './session.ts';
import type { DashboardRequest, DashboardServices } from './session.ts';

const VIEW = 'deeptwist.dashboard';
const PANEL = 'deeptwist.dashboardPanel';
/** Runs that a page can choose from; all of 5,000 would make a list that nobody reads. */
const LISTED = 200;
/** A run that starts changes its run.json several times. */
const SETTLE_MS = 50;

interface ShownPage {
  readonly session: DashboardSession;
  isVisible(): boolean;
}

/** The dashboards of a window: at most one in the side bar and one in a panel. While there is a panel, that is the dashboard. */
export class Dashboards extends Disposable {
  readonly #services: Services;
  readonly #pages = new Set<ShownPage>();
  #panel: { readonly webviewPanel: WebviewPanel; readonly session: DashboardSession } | undefined;
  #view: { readonly webviewView: WebviewView; readonly session: DashboardSession } | undefined;
  /** For a view that has not been opened yet. */
  #wanted: Parameters<DashboardSession['show']> | undefined;
  #refresh: NodeJS.Timeout | undefined;

  constructor(services: Services) {
    super();
    this.#services = services;
    const refreshSoon = () => (this.#refresh ??= setTimeout(() => void this.#refreshRuns(), SETTLE_MS));
    this.register(
      // A long run takes a second to draw again, and a delta no time: a page that is hidden is kept.
      window.registerWebviewViewProvider(
        VIEW,
        { resolveWebviewView: (view) => this.#resolveView(view) },
        { webviewOptions: { retainContextWhenHidden: true } },
      ),
    );
    this.register(
      // The page asks again for the runs that it showed: they are in the state that VS Code keeps for it.
      window.registerWebviewPanelSerializer(PANEL, {
        deserializeWebviewPanel: async (panel) => this.#attachPanel(panel, true),
      }),
    );
    this.register(services.store.onDidChange(refreshSoon));
    this.register(workspace.onDidGrantWorkspaceTrust(refreshSoon));
    this.register({
      dispose: () => {
        clearTimeout(this.#refresh);
        for (const { session } of this.#pages) session.dispose();
      },
    });
  }

  /** The runs that are shown. */
  get shown(): readonly RunKey[] {
    return (this.#panel ?? this.#view)?.session.shown ?? [];
  }

  /** In the panel where it is open, else in the side bar. Without runs: what was shown last. */
  async open(runs?: readonly RunKey[], at?: DashboardPlace): Promise<void> {
    if (this.#panel) {
      if (runs) this.#panel.session.show(runs, at);
      this.#panel.webviewPanel.reveal(undefined, true);
      return;
    }
    if (runs && this.#view) {
      this.#view.session.show(runs, at);
      // The keyboard stays where the run was chosen, in the tree for example.
      this.#view.webviewView.show(true);
      return;
    }
    this.#wanted = runs && [runs, at];
    // The keyboard stays where a run was chosen.
    await commands.executeCommand(`${VIEW}.focus`, { preserveFocus: runs !== undefined });
  }

  /** In the panel, opened beside the code. */
  openToSide(runs?: readonly RunKey[]): void {
    const view = this.#view?.session;
    const shown = runs ?? view?.shown;
    const tab = this.#panel ? undefined : view?.tab;
    if (!this.#panel) {
      const panel = window.createWebviewPanel(
        PANEL,
        '',
        { viewColumn: ViewColumn.Beside, preserveFocus: true },
        { retainContextWhenHidden: true },
      );
      this.#attachPanel(panel, false);
    }
    if (shown) this.#panel?.session.show(shown, tab && { tab });
    this.#panel?.webviewPanel.reveal(undefined, true);
  }

  #resolveView(view: WebviewView): void {
    const session = this.#attach(view.webview, () => view.visible, { remembers: true, isInSideBar: true });
    if (this.#wanted) session.show(...this.#wanted);
    this.#wanted = undefined;
    this.#view = { webviewView: view, session };
    session.elsewhere = this.#panel !== undefined;
    view.onDidChangeVisibility(() => this.#visibilityChanged(session));
    view.onDidDispose(() => {
      this.#view = undefined;
      this.#detach(session);
    });
  }

  /** @param remembers whether the page may remember what it showed */
  #attachPanel(panel: WebviewPanel, remembers: boolean): void {
    const { extensionUri } = this.#services.context;
    panel.title = l10n.t('DeepTwist Dashboard');
    panel.iconPath = panelIcon(extensionUri);
    const session = this.#attach(panel.webview, () => panel.visible, { remembers, isInSideBar: false });
    const attached = { webviewPanel: panel, session };
    this.#panel = attached;
    if (this.#view) this.#view.session.elsewhere = true;
    panel.onDidChangeViewState(() => this.#visibilityChanged(session));
    panel.onDidDispose(() => {
      if (this.#panel === attached) this.#panel = undefined;
      this.#detach(session);
      // The side bar's goes on with what was seen.
      const view = this.#view?.session;
      if (!view || this.#panel) return;
      if (session.shown.length > 0) view.show(session.shown, session.tab && { tab: session.tab });
      view.elsewhere = false;
    });
  }

  #attach(
    webview: Webview,
    isVisible: () => boolean,
    { remembers, isInSideBar }: { remembers: boolean; isInSideBar: boolean },
  ): DashboardSession {
    const { context, log } = this.#services;
    webview.options = pageOptions(context.extensionUri);
    const session = new DashboardSession(
      {
        get visible() {
          return isVisible();
        },
        post: (message) => void webview.postMessage(message),
      },
      this.#sessionServices(),
      { remembers },
    );
    this.#pages.add({ session, isVisible });
    webview.onDidReceiveMessage(async (received: unknown) => {
      const { parseFromDashboard } = await import('./messages.ts');
      const message = parseFromDashboard(received);
      if (message) session.receive(message);
      else log.warn(`The dashboard's page sent what is no message: ${JSON.stringify(received)?.slice(0, 200)}`);
    });
    const title = l10n.t('DeepTwist Dashboard');
    webview.html = pageHtml(webview, context.extensionUri, { bundle: 'dashboard', title, isInSideBar });
    void this.#refreshRuns();
    return session;
  }

  #detach(session: DashboardSession): void {
    session.dispose();
    for (const page of this.#pages) if (page.session === session) this.#pages.delete(page);
  }

  #visibilityChanged(session: DashboardSession): void {
    session.visibilityChanged();
    void this.#refreshRuns();
  }

  /** Tells the pages that can be seen of the runs that there are. */
  async #refreshRuns(): Promise<void> {
    clearTimeout(this.#refresh);
    this.#refresh = undefined;
    const visible = [...this.#pages].filter((page) => page.isVisible());
    if (visible.length === 0) return;
    try {
      const { store } = this.#services;
      const runs = await store.newest(LISTED);
      const withoutExperiment = (await store.experiments()).length === 0;
      const { runDifferences } = await import('../runs/runDifferences.ts');
      const differs = await runDifferences(runs);
      const newest = runs.map(({ key, summary }): RunSummary => {
        const text = differs.get(key);
        return text === undefined ? summary : { ...summary, differs: text };
      });
      for (const { session } of visible) {
        const others = session.shown.filter((key) => !newest.some((run) => run.key === key));
        const found = await Promise.all(others.map((key) => store.get(key)));
        session.forget(others.filter((key, i) => !found[i] && !existsSync(key)));
        const listed = [...newest, ...found.flatMap((run): RunSummary[] => (run ? [run.summary] : []))];
        session.setRuns(listed, { withoutExperiment });
      }
    } catch (error) {
      this.#services.log.error(stackOf(error));
    }
  }

  #sessionServices(): DashboardServices {
    const { connections, context, log, store } = this.#services;
    const worker = new URL('./runReader.js', import.meta.url);
    return {
      isRun: (key) => store.peek(key) !== undefined || isInWorkspace(key),
      restriction: () =>
        workspace.isTrusted
          ? undefined
          : l10n.t('A run executes code of this workspace, and the workspace is not trusted (Restricted Mode).'),
      load: (eventsFile, options) => loadSnapshot(worker, eventsFile, options),
      connect: async (run, signal) => {
        const found = await findProcess(run);
        return found && connections.connect(found, { subscribes: true, signal });
      },
      describeProblem: (key, problem) => describeProblem(key, problem, log),
      perform: (request) => {
        performLazily(request, context.workspaceState).catch((error: unknown) => {
          const message = messageOf(error);
          log.error(`Dashboard: ${stackOf(error)}`);
          if (request.type !== 'error') void showError(message);
        });
      },
    };
  }
}

async function performLazily(request: DashboardRequest, state: Memento): Promise<void> {
  const { perform } = await import('./perform.ts');
  await perform(request, state);
}

/** A run that a page showed before the window was loaded again, which has not been opened yet. */
function isInWorkspace(key: RunKey): boolean {
  return (
    resolve(key) === key &&
    key.includes(`${sep}.deeptwist${sep}runs${sep}`) &&
    workspace.getWorkspaceFolder(Uri.file(key)) !== undefined
  );
}

function describeProblem(key: RunKey, problem: unknown, log: Services['log']): { message: string; remedy?: string } {
  if (!(problem instanceof UserError)) {
    log.error(stackOf(problem));
    return {
      message: l10n.t('The events of {0} cannot be read: {1}', basename(key), String(problem)),
      remedy: l10n.t('See the DeepTwist output for details.'),
    };
  }
  const { code } = (problem.cause ?? {}) as NodeJS.ErrnoException;
  if (code !== 'ENOENT') return { message: problem.message, ...(problem.remedy && { remedy: problem.remedy }) };
  return {
    message: l10n.t('The run {0} is no longer there: its folder was deleted or moved.', basename(key)),
    remedy: l10n.t('Choose another run, or run the experiment again.'),
  };
}
