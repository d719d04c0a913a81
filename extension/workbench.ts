/** @file All that the extension shows, set up after activation: it is loaded when the first of it is needed. */
import {
  l10n,
  window,
  workspace,
  type Disposable,
  type ExtensionContext,
  type LogOutputChannel,
  type ViewBadge,
} from 'vscode';
import type { WhenAlone } from '../server/protocol/wire/sidecar.ts';
import { stackOf } from '../server/protocol/thrown.ts';
import { Agents } from './agents/registerAgents.ts';
import { offerInTerminals } from './cli/terminalCommand.ts';
import { registerCommands } from './commands/registerCommands.ts';
import { Dashboards } from './dashboard/dashboards.ts';
import { showWeights } from './weightsInCode/showWeights.ts';
import { ExperimentsTree } from './experiments/experimentsTree.ts';
import { ExperimentLanguage } from './language/experimentLanguage.ts';
import { LastRun } from './lastRun/lastRun.ts';
import { ModelFileEditors } from './modelFiles/modelFileEditors.ts';
import { registerNewExperiment } from './newExperiment/registerNewExperiment.ts';
import { notifyOfEnds } from './notifications.ts';
import { keepContextKeys } from './runs/contextKeys.ts';
import type { RunStore } from './runs/runStore.ts';
import type { StoredRun } from './runs/storedRun.ts';
import { createServices, type Services } from './services.ts';
import { SweepPanels } from './sweeps/sweepPanels.ts';
import { StatusBar } from './statusBar.ts';
import { registerTasks } from './tasks/experimentTasks.ts';
import { completeWalkthrough } from './walkthrough/completion.ts';

/** What `activate` returns: for tests, and for extensions that start runs. */
export type DeepTwistApi = Pick<Services, 'store' | 'sweeps' | 'launcher'> & {
  readonly tree: ExperimentsTree;
  readonly dashboards: Dashboards;
  readonly sweepPanels: SweepPanels;
  readonly lastRun: LastRun;
  readonly modelFiles: ModelFileEditors;
};

/** The tree says how many minutes ago a run began. */
const AGES_MS = 60_000;

export function openWorkbench(context: ExtensionContext, log: LogOutputChannel): DeepTwistApi {
  const services = createServices(context, log);
  const { store } = services;
  const tree = new ExperimentsTree(services);
  const dashboards = new Dashboards(services);
  const sweepPanels = new SweepPanels(services);
  const lastRun = new LastRun(services);
  const modelFiles = new ModelFileEditors(services);
  const view = window.createTreeView('deeptwist.experiments', {
    treeDataProvider: tree,
    canSelectMany: true,
    showCollapseAll: true,
  });
  const language = new ExperimentLanguage(services);
  const ages = setInterval(() => view.visible && tree.refresh(), AGES_MS);
  context.subscriptions.push(
    { dispose: () => clearInterval(ages) },
    tree,
    view,
    new StatusBar(store),
    notifyOfEnds(store, services.launcher),
    tellWhenAlone(store),
    registerTasks(services),
    dashboards,
    sweepPanels,
    language,
    lastRun,
    modelFiles,
    ...registerCommands(services, { tree, view, dashboards, sweepPanels, language }),
    registerNewExperiment(services),
    showWeights(services),
    completeWalkthrough(store),
    new Agents(services),
    store.onDidChange(() => (view.badge = badgeOf(store))),
    keepContextKeys(store),
    tree.onDidChangeTreeData((row) => {
      // Single rows change twice a second while their runs train, the filter changes all rows.
      if (row === undefined) view.message = tree.message;
    }),
    offerInTerminals(context),
  );
  store.findActiveRuns().catch((error: unknown) => log.error(stackOf(error)));
  const { launcher, sweeps } = services;
  return { store, sweeps, launcher, tree, dashboards, sweepPanels, lastRun, modelFiles };
}

/** On the icon of the view: how many runs are in progress. */
function badgeOf({ active }: RunStore): ViewBadge | undefined {
  if (active.length === 0) return undefined;
  const tooltip = active.length === 1 ? l10n.t('1 run in progress') : l10n.t('{0} runs in progress', active.length);
  return { value: active.length, tooltip };
}

/** Runs are told once they are connected to, and when the setting changes, what to do when the last window closes. */
function tellWhenAlone(store: RunStore): Disposable {
  const told = new WeakSet<object>();
  const tell = ({ live }: StoredRun, again = false) => {
    if (!live || (told.has(live) && !again)) return;
    told.add(live);
    const action = workspace.getConfiguration('deeptwist').get<WhenAlone>('runs.whenWindowCloses', 'continue');
    void live.request('whenAlone', { action }).catch(() => undefined);
  };
  const changes = store.onDidChange((run) => run && tell(run));
  const settings = workspace.onDidChangeConfiguration((event) => {
    if (!event.affectsConfiguration('deeptwist.runs.whenWindowCloses')) return;
    for (const run of store.active) tell(run, true);
  });
  return {
    dispose() {
      changes.dispose();
      settings.dispose();
    },
  };
}
