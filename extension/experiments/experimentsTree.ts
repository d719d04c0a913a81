/** @file The tree of the workspace's experiments, their runs and sweeps. */
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EventEmitter,
  MarkdownString,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  Uri,
  commands,
  env,
  l10n,
  type TreeDataProvider,
} from 'vscode';
import type { SweptRunRow } from '../../server/protocol/wire/sweep.ts';
import { Disposable } from '../dispose.ts';
import type { Sweeps } from '../runs/sweeps.ts';
import type { Services } from '../services.ts';
import { outcomeText } from '../runs/runResultText.ts';
import type { ExperimentFile } from '../runs/experimentFiles.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { age, progressText, startTime } from '../runs/runLabels.ts';
import { inOrder, matchesFilter, type RunOrder } from './runOrder.ts';
import { runTooltip } from './runTooltip.ts';
import { runIcon, runPhase, stateName } from '../runs/runPhase.ts';
import { plannedItem, sweepItem } from './sweepItem.ts';
import { rowsInOrder, variedNames } from './sweepRows.ts';

/** Runs that an experiment shows at first, and more at each *Show More*. */
const PAGE = 50;
/** Rows are shown after that, also of sweeps that have not been read yet. */
const SOON_MS = 200;
/** Live progress is drawn this often. */
const REFRESH_MS = 500;

export interface ExperimentNode {
  readonly kind: 'experiment';
  readonly experiment: ExperimentFile;
}
export interface RunNode {
  readonly kind: 'run';
  readonly stored: StoredRun;
  /** What tells it from the other runs of its sweep; undefined for a run that belongs to none. */
  readonly varied?: string | undefined;
}
export interface SweepNode {
  readonly kind: 'sweep';
  readonly experiment: ExperimentFile;
  /** Path of its folder. */
  readonly path: string;
}
/** A run of a sweep that has not begun. */
interface PlannedNode {
  readonly kind: 'planned';
  readonly sweep: SweepNode;
  readonly id: string;
  readonly varied: string;
}
interface MoreNode {
  readonly kind: 'more';
  readonly of: ExperimentNode | SweepNode;
  readonly hidden: number;
}
export type TreeNode = ExperimentNode | SweepNode | RunNode | PlannedNode | MoreNode;

export class ExperimentsTree extends Disposable implements TreeDataProvider<TreeNode> {
  readonly #store: RunStore;
  readonly #changed = this.register(new EventEmitter<TreeNode | undefined>());
  readonly #experiments = new Map<string, ExperimentNode>();
  readonly #runs = new Map<string, RunNode>();
  readonly #sweeps: Sweeps;
  /** By the paths of their folders. */
  readonly #sweepNodes = new Map<string, SweepNode>();
  /** Runs that are shown, by experiment file or sweep, where they are more than {@link PAGE}. */
  readonly #shown = new Map<string, number>();
  readonly #progressed = new Set<StoredRun>();
  /** In what each run differs from its siblings, as far as these are shown. */
  readonly #differs = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #filter = '';
  #order: RunOrder = 'newest';

  readonly onDidChangeTreeData = this.#changed.event;

  constructor({ store, sweeps }: Pick<Services, 'store' | 'sweeps'>) {
    super();
    this.#store = store;
    this.#sweeps = sweeps;
    this.register(store.onDidChange((run) => this.#changed.fire(run && this.#runs.get(run.key))));
    this.register(sweeps.onDidChange((path) => this.#sweepChanged(path)));
    this.register(store.onDidProgress((run) => this.#drawSoon(run)));
    this.register({ dispose: () => clearTimeout(this.#timer) });
  }

  get filter(): string {
    return this.#filter;
  }

  set filter(text: string) {
    this.#filter = text.trim();
    void commands.executeCommand('setContext', 'deeptwist.filtered', this.#filter !== '');
    this.refresh();
  }

  /** A sentence above the rows, while not all of them are shown. */
  get message(): string | undefined {
    return this.#filter === '' ? undefined : l10n.t('Filtered by: {0}', this.#filter);
  }

  get order(): RunOrder {
    return this.#order;
  }

  set order(order: RunOrder) {
    this.#order = order;
    this.refresh();
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  showMore({ of }: MoreNode): void {
    const key = keyOf(of);
    this.#shown.set(key, this.#limit(key) + PAGE);
    this.#changed.fire(of);
  }

  /** The row of a run, for revealing it. */
  async nodeOf(stored: StoredRun): Promise<RunNode | undefined> {
    const experiments = await this.#store.experiments();
    const experiment = experiments.find(({ file }) => file === stored.run.record.experiment);
    if (!experiment) return undefined;
    this.#experimentNode(experiment);
    const path = this.#sweeps.pathOf(stored);
    const sweep = path === undefined ? undefined : await this.#sweeps.read(path).catch(() => undefined);
    if (path === undefined || !sweep) return this.#runNode(stored);
    this.#sweepNode(experiment, path);
    return this.#runNode(stored, variedNames(sweep.rows).get(stored.run.id));
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    if (!node) return this.#roots();
    if (node.kind === 'experiment') return this.#runsOf(node);
    return node.kind === 'sweep' ? this.#runsOfSweep(node) : [];
  }

  async #roots(): Promise<TreeNode[]> {
    const experiments = await this.#store.experiments();
    // The welcome text waits for it: an empty tree may be one that was not filled yet.
    void commands.executeCommand('setContext', 'deeptwist.withoutExperiment', experiments.length === 0);
    return experiments.map((experiment) => this.#experimentNode(experiment));
  }

  getParent(node: TreeNode): TreeNode | undefined {
    switch (node.kind) {
      case 'experiment':
        return undefined;
      case 'run': {
        const path = node.varied === undefined ? undefined : this.#sweeps.pathOf(node.stored);
        const sweep = path === undefined ? undefined : this.#sweepNodes.get(path);
        return sweep ?? this.#experiments.get(node.stored.run.record.experiment);
      }
      case 'sweep':
        return this.#experiments.get(node.experiment.file);
      case 'planned':
        return node.sweep;
      case 'more':
        return node.of;
    }
  }

  async getTreeItem(node: TreeNode): Promise<TreeItem> {
    switch (node.kind) {
      case 'experiment': {
        const { experiment } = node;
        const runs = await this.#store.ownRunCount(experiment);
        const sweeps = (await this.#sweeps.pathsOf(experiment)).length;
        const isUnderWay = this.#store.active.some(({ run }) => run.record.experiment === experiment.file);
        return experimentItem(experiment, { runs, sweeps, isUnderWay });
      }
      case 'run':
        return runItem(node, this.#differs.get(node.stored.key));
      case 'sweep':
        return sweepItem(node.path, await this.#readSoon(node.path));
      case 'planned':
        return plannedItem(node);
      case 'more': {
        const item = new TreeItem(l10n.t('Show More ({0} left)…', node.hidden));
        item.id = `more:${keyOf(node.of)}`;
        item.command = { command: 'deeptwist.showMoreRuns', title: l10n.t('Show More'), arguments: [node] };
        return item;
      }
    }
  }

  /** Newest first, a page of them are opened; to be put in another order or filtered, all must be. */
  async #runsOf(node: ExperimentNode): Promise<TreeNode[]> {
    const { experiment } = node;
    const limit = this.#limit(keyOf(node));
    const all = this.#order !== 'newest' || this.#filter !== '';
    const runs = await this.#store.ownRunsOf(experiment, all ? undefined : limit);
    const total = all ? undefined : await this.#store.ownRunCount(experiment);
    const byKey = new Map(runs.map((run) => [run.key, run]));
    const listed = inOrder(
      runs.map((run) => run.summary).filter((summary) => matchesFilter(summary, this.#filter)),
      this.#order,
    );
    const shown = listed.slice(0, limit).map(({ key }) => byKey.get(key)!);
    const { runDifferences } = await import('../runs/runDifferences.ts');
    const differs = await runDifferences(shown);
    for (const { key } of shown) this.#differs.delete(key);
    for (const [key, text] of differs) this.#differs.set(key, text);
    const nodes: TreeNode[] = shown.map((stored) => this.#runNode(stored));
    const hidden = (total ?? listed.length) - nodes.length;
    const sweeps = await this.#sweepsOf(experiment);
    // Each at its time, where the runs stand in the order of theirs.
    const isPinned = (child: TreeNode) => child.kind === 'run' && child.stored.label.pinned === true;
    const others = nodes.filter((child) => !isPinned(child));
    const ordered = [
      ...nodes.filter(isPinned),
      ...(this.#order === 'newest' ? [...others, ...sweeps].sort(newerFirst) : [...sweeps, ...others]),
    ];
    if (hidden > 0 && nodes.length >= limit) ordered.push({ kind: 'more', of: node, hidden });
    return ordered;
  }

  /** Those of which something passes the filter. */
  async #sweepsOf(experiment: ExperimentFile): Promise<SweepNode[]> {
    const nodes = (await this.#sweeps.pathsOf(experiment)).map((path) => this.#sweepNode(experiment, path));
    if (this.#filter === '') return nodes;
    const passes = await Promise.all(nodes.map(async (node) => (await this.#rowsOf(node)).length > 0));
    return nodes.filter((_, i) => passes[i]);
  }

  /** Rows that pass the filter, in the order of the tree. */
  async #rowsOf({ path }: SweepNode): Promise<SweptRunRow[]> {
    const sweep = await this.#sweeps.read(path).catch(() => undefined);
    const rows = sweep?.rows.filter(({ id, state, vary }) =>
      matchesFilter({ id, state, overrides: vary }, this.#filter),
    );
    return rows ? rowsInOrder(rows, this.#order) : [];
  }

  async #runsOfSweep(node: SweepNode): Promise<TreeNode[]> {
    const limit = this.#limit(keyOf(node));
    const rows = await this.#rowsOf(node);
    const names = variedNames((await this.#sweeps.read(node.path).catch(() => undefined))?.rows ?? []);
    const nodes = await Promise.all(
      rows.slice(0, limit).map(async ({ key, id, state }): Promise<TreeNode> => {
        const varied = names.get(id) ?? id;
        const stored = state === 'planned' ? undefined : await this.#store.get(key);
        return stored ? this.#runNode(stored, varied) : { kind: 'planned', sweep: node, id, varied };
      }),
    );
    const hidden = rows.length - nodes.length;
    return hidden > 0 ? [...nodes, { kind: 'more', of: node, hidden }] : nodes;
  }

  /** The sweep, or why it cannot be read; undefined where that takes long: the row is drawn again then, and others do not wait for it. */
  async #readSoon(path: string): Promise<unknown> {
    const reading = this.#sweeps.read(path).catch((error: unknown) => error);
    const read = await Promise.race([reading, sleep(SOON_MS)]);
    if (read === undefined) void reading.then(() => this.#sweepChanged(path));
    return read;
  }

  #limit(key: string): number {
    return this.#shown.get(key) ?? PAGE;
  }

  #sweepChanged(path: string): void {
    const node = this.#sweepNodes.get(path);
    if (node) this.#changed.fire(node);
  }

  #sweepNode(experiment: ExperimentFile, path: string): SweepNode {
    let node = this.#sweepNodes.get(path);
    if (node?.experiment !== experiment) this.#sweepNodes.set(path, (node = { kind: 'sweep', experiment, path }));
    return node;
  }

  #experimentNode(experiment: ExperimentFile): ExperimentNode {
    let node = this.#experiments.get(experiment.file);
    if (node?.experiment !== experiment)
      this.#experiments.set(experiment.file, (node = { kind: 'experiment', experiment }));
    return node;
  }

  #runNode(stored: StoredRun, varied?: string): RunNode {
    let node = this.#runs.get(stored.key);
    if (node?.stored !== stored || node.varied !== varied)
      this.#runs.set(stored.key, (node = { kind: 'run', stored, ...(varied !== undefined && { varied }) }));
    return node;
  }

  #drawSoon(run: StoredRun): void {
    this.#progressed.add(run);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const { key } of this.#progressed) {
        const node = this.#runs.get(key);
        if (node) this.#changed.fire(node);
      }
      this.#progressed.clear();
    }, REFRESH_MS);
  }
}

/** What the tree remembers of a row with runs below it. */
function keyOf(node: ExperimentNode | SweepNode): string {
  return node.kind === 'experiment' ? node.experiment.file : node.path;
}

/** By their ids, which begin with the time. */
function newerFirst(a: TreeNode, b: TreeNode): number {
  const idOf = (node: TreeNode) =>
    node.kind === 'run' ? node.stored.run.id : node.kind === 'sweep' ? basename(node.path) : '';
  return idOf(a) < idOf(b) ? 1 : -1;
}

function experimentItem(
  { file, name, missing }: ExperimentFile,
  { runs, sweeps, isUnderWay }: { readonly runs: number; readonly sweeps: number; readonly isUnderWay: boolean },
): TreeItem {
  const isEmpty = runs + sweeps === 0;
  const { None, Collapsed, Expanded } = TreeItemCollapsibleState;
  const item = new TreeItem(Uri.file(file), isEmpty ? None : isUnderWay ? Expanded : Collapsed);
  // Another id with the first run: VS Code keeps a row that it knows collapsed.
  item.id = isEmpty ? `empty:${file}` : file;
  item.label = name;
  const counts = [
    ...(runs === 0 ? [] : [runs === 1 ? l10n.t('1 run') : l10n.t('{0} runs', runs)]),
    ...(sweeps === 0 ? [] : [sweeps === 1 ? l10n.t('1 sweep') : l10n.t('{0} sweeps', sweeps)]),
  ];
  item.description = counts.join(' · ');
  item.iconPath = new ThemeIcon('beaker');
  item.contextValue = 'experiment';
  if (missing) {
    item.description = l10n.t('the file is gone');
    item.contextValue = 'missing';
    item.resourceUri = undefined;
    return item;
  }
  item.command = { command: 'vscode.open', title: l10n.t('Open'), arguments: [Uri.file(file)] };
  return item;
}

/** @param differs what tells it from its siblings */
function runItem({ stored, varied }: RunNode, differs: string | undefined): TreeItem {
  const { summary, liveState, label } = stored;
  const phase = runPhase(stored);
  const time = startTime(summary.created, Date.now(), env.language);
  const told = varied ?? differs;
  const item = new TreeItem(label.name ?? told ?? time);
  item.id = summary.key;
  item.iconPath = runIcon(stored);
  const parts = [
    label.pinned === true ? l10n.t('pinned') : undefined,
    summary.state === 'running' && liveState ? progressText(liveState) : outcomeText(stored),
    summary.result?.lossRise && l10n.t('loss has risen'),
    phase === 'finished' || phase === 'running' ? undefined : stateName(phase),
    phase === 'queued' && liveState?.runsAhead ? l10n.t('{0} ahead', liveState.runsAhead) : undefined,
    label.note,
    label.name === undefined ? undefined : told,
    // The label is the time where nothing else tells the run from the others.
    label.name === undefined && told === undefined ? undefined : (relativeAge(summary.created) ?? time),
  ];
  item.description = parts.filter((part) => part !== undefined).join(' · ');
  const marks = [phase === 'failed' && !stored.canResume && 'again', stored.live && 'live', label.pinned && 'pinned'];
  item.contextValue = ['run', phase, ...marks.filter(Boolean)].join('.');
  item.tooltip = new MarkdownString(runTooltip(l10n, stored, { state: stateName(phase), locale: env.language }));
  item.accessibilityInformation = { label: `${stateName(phase)}, ${String(item.label)}, ${item.description}` };
  item.command = { command: 'deeptwist.openDashboard', title: l10n.t('Open Dashboard'), arguments: [summary.key] };
  return item;
}

/** Age of a run of the last hours; undefined for an older one. */
function relativeAge(created: number): string | undefined {
  const [count, unit] = age(Date.now() - created);
  if (unit === 'day') return undefined;
  if (count === 0) return l10n.t('now');
  return new Intl.RelativeTimeFormat(env.language, { style: 'short' }).format(-count, unit);
}
