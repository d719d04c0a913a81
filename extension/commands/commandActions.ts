/** @file What each command does: loaded when the first is used. */
import { Uri, l10n, window, type CancellationToken, type TreeView } from 'vscode';
import type { RunKey } from '../../server/protocol/wire/dashboard.ts';
import type { Dashboards } from '../dashboard/dashboards.ts';
import type { ExperimentsTree, TreeNode } from '../experiments/experimentsTree.ts';
import { runOrders, type RunOrder } from '../experiments/runOrder.ts';
import { RunRevealer } from '../experiments/runRevealer.ts';
import type { ExperimentLanguage } from '../language/experimentLanguage.ts';
import { firstShown } from '../runs/firstShown.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Services } from '../services.ts';
import type { SweepPanels } from '../sweeps/sweepPanels.ts';
import { chooseOthers, chooseRuns } from './commandTargets.ts';
import type { CommandName } from './commandNames.ts';
import { ControlCommands } from './controlCommands.ts';
import { copyDiagnostics } from './copyDiagnostics.ts';
import { ExportCommand } from './exportCommand.ts';
import { ExperimentProblems } from './experimentProblems.ts';
import { FileCommands } from './fileCommands.ts';
import { FolderCommands } from './folderCommands.ts';
import { getStarted, openDocumentation } from './helpCommands.ts';
import { LabelCommands } from './labelCommands.ts';
import { LatencyCommand } from './latencyCommand.ts';
import { RunCommands } from './runCommands.ts';
import { copyRunLink } from './runLinks.ts';
import { SearchCommand } from './searchCommand.ts';
import { SensitivityCommand } from './sensitivityCommand.ts';
import { SweepCommands } from './sweepCommands.ts';

/** Argument of the commands in the bindings of keys in the manifest. */
const SELECTED = 'selected';

/**
 * The first argument is a row of the tree, a run's key or a file; the second, the selected rows of the tree, or the name of a
 * weight of the run, or what was chosen for an export.
 */
type CommandAction = (argument: unknown, selection: unknown) => unknown;

export interface Shown {
  readonly tree: ExperimentsTree;
  readonly view: TreeView<TreeNode>;
  readonly dashboards: Dashboards;
  readonly sweepPanels: SweepPanels;
  readonly language: ExperimentLanguage;
}

export function commandActions(
  services: Services,
  { tree, view, dashboards, sweepPanels, language }: Shown,
): Readonly<Record<CommandName, CommandAction>> {
  const problems = new ExperimentProblems();
  const revealer = new RunRevealer({ tree, view }, services.log);
  services.context.subscriptions.push(problems, revealer);
  /** For commands with a key, which is pressed on the selected rows: VS Code tells it the argument of its binding, and no row. */
  const onRows = (
    argument: unknown,
    selection: unknown,
    act: (row: unknown, rows: unknown) => Promise<void>,
  ): Promise<void> | undefined => {
    if (argument !== SELECTED) return act(argument ?? view.selection[0], selection ?? view.selection);
    const rows = view.selection.filter(({ kind }) => kind === 'run');
    if (rows.length > 0) return act(rows[0], rows);
    window.setStatusBarMessage(l10n.t('No run is selected.'), 5000);
    return undefined;
  };
  const runs = new RunCommands(services, problems, {
    reveal: (stored) => revealer.reveal(stored),
    watched: () => dashboards.shown,
  });
  const control = new ControlCommands(services);
  const files = new FileCommands(services, dashboards);
  const folders = new FolderCommands(services);
  const labels = new LabelCommands(services);
  const exporting = new ExportCommand(services, dashboards);
  const latency = new LatencyCommand(services, dashboards);
  const sensitivity = new SensitivityCommand(services);
  const search = new SearchCommand(services, problems, sweepPanels);
  const sweeps = new SweepCommands(services, problems, sweepPanels, search);
  return {
    runExperiment: (argument) => runs.runExperiment(argument),
    runWithChangedValues: (argument) => runs.runWithChangedValues(argument),
    rerun: (argument) => runs.rerun(argument),
    rerunWith: (argument) => runs.rerunWith(argument),
    rerunFromCheckpoint: (argument) => runs.rerunFromCheckpoint(argument),
    resume: (argument) => runs.resume(argument),
    pause: (argument) => control.pause(argument),
    continue: (argument) => control.continue(argument),
    stop: (argument) => control.stop(argument),
    observeNow: (argument) => control.observeNow(argument),
    checkpointNow: (argument) => control.checkpointNow(argument),
    openDashboard: async (argument, weight) =>
      dashboards.open(
        await runKeys(services, argument),
        typeof weight === 'string' ? { tab: 'weights', weight } : undefined,
      ),
    openDashboardToSide: async (argument) => dashboards.openToSide(await runKeys(services, argument)),
    exportModel: (argument, choices) => exporting.exportModel(argument, choices),
    measureLatency: (argument, token) => latency.measureLatency(argument, isToken(token) ? token : undefined),
    shareReport: async (argument, selection) =>
      (await import('./reportCommand.ts')).shareReport(services, argument, selection),
    compareRuns: async (argument, selection) => {
      const chosen = await chooseRuns(services, argument, selection, { several: l10n.t('Select runs to compare') });
      const others = chosen.length === 1 ? await chooseOthers(services, chosen[0]) : [];
      await compare(dashboards, [...chosen, ...others]);
    },
    measureSensitivity: (argument, token) =>
      sensitivity.measureSensitivity(argument, isToken(token) ? token : undefined, numberIn(token)),
    runSweep: (argument) => sweeps.runSweep(argument),
    findSettings: (argument, budget) => search.findSettings(argument, numberIn(budget)),
    continueSweep: (argument) => sweeps.continueSweep(argument),
    openSweep: (argument) => sweeps.openSweep(argument),
    revealSweepFolder: (argument) => sweeps.revealSweepFolder(argument),
    compareWithLast: (argument) => files.compareWithLast(argument),
    showRunsOfFile: (argument) => files.showRunsOfFile(argument),
    openConfigOfRun: (argument) => files.openConfigOfRun(argument),
    applyFromNextDistortion: (argument) => files.applyFromNextDistortion(argument),
    openExperiment: (argument) => folders.openExperiment(argument),
    showLog: (argument) => folders.showLog(argument),
    copyCommandLine: (argument) => folders.copyCommandLine(argument),
    copyRunLink: (argument) => copyRunLink(services, argument),
    revealRunFolder: (argument) => folders.revealRunFolder(argument),
    deleteRun: (argument, selection) => onRows(argument, selection, (row, rows) => folders.deleteRun(row, rows)),
    renameRun: (argument) => onRows(argument, undefined, (row) => labels.renameRun(row)),
    editRunNote: (argument) => labels.editRunNote(argument ?? view.selection[0]),
    pinRun: (argument, selection) => labels.pinRun(argument, selection, true),
    unpinRun: (argument, selection) => labels.pinRun(argument, selection, false),
    restartLanguageServer: () => language.restart(),
    copyDiagnostics: () => copyDiagnostics(services),
    getStarted: () => getStarted(services),
    openDocumentation: () => openDocumentation(services),
    showOutput: () => services.log.show(),
    refreshRuns: () => services.store.rescan(),
    showMoreRuns: (node) => tree.showMore(node as Parameters<ExperimentsTree['showMore']>[0]),
    filterRuns: () => filterRuns(tree),
    clearRunFilter: () => (tree.filter = ''),
    sortRuns: () => sortRuns(tree),
  };
}

/** The tree gives its selected rows in the place of a token. */
function isToken(value: unknown): value is CancellationToken {
  return typeof value === 'object' && value !== null && 'isCancellationRequested' in value;
}

/** The drop or the budget that an extension gives, which calls the command with it. */
function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Undefined where the command was called for no run: the dashboard then shows what it showed last, or the newest. */
async function runKeys(services: Services, argument: unknown): Promise<RunKey[] | undefined> {
  if (argument === undefined || argument instanceof Uri) return undefined;
  return (await chooseRuns(services, argument, undefined)).map(({ key }) => key);
}

/** Nothing where there are no two runs. */
async function compare(dashboards: Dashboards, runs: readonly StoredRun[]): Promise<void> {
  if (runs.length < 2) return;
  await dashboards.open(
    firstShown(runs).map(({ key }) => key),
    { tab: 'compare' },
  );
}

async function filterRuns(tree: ExperimentsTree): Promise<void> {
  const filter = await window.showInputBox({
    title: l10n.t('Filter Runs'),
    prompt: l10n.t('Words of a run: its name, state or changed values'),
    value: tree.filter,
  });
  if (filter !== undefined) tree.filter = filter;
}

async function sortRuns(tree: ExperimentsTree): Promise<void> {
  const names: Record<RunOrder, string> = {
    newest: l10n.t('Newest first'),
    metric: l10n.t('Best metric first'),
    ratio: l10n.t('Smallest model first'),
  };
  const items = runOrders.map((order) => ({ label: names[order], picked: order === tree.order, order }));
  const picked = await window.showQuickPick(items, { placeHolder: l10n.t('Order of the runs') });
  if (picked) tree.order = picked.order;
}
