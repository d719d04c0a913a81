/** @file The tree of the workspace's experiments and their runs. */
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
import { Disposable } from '../dispose.ts';
import { runResultText } from '../runs/runResultText.ts';
import type { ExperimentFile } from '../runs/experimentFiles.ts';
import { shortValue } from '../runs/overrideText.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { age, progressText, startTime } from '../runs/runLabels.ts';
import { inOrder, matchesFilter, type RunOrder } from './runOrder.ts';
import { runTooltip } from './runTooltip.ts';
import { runIcon, runPhase, stateName } from './runPhase.ts';

/** Runs that an experiment shows at first, and more at each *Show More*. */
const PAGE = 50;
/** Live progress is drawn this often. */
const REFRESH_MS = 500;

export interface ExperimentNode {
  readonly kind: 'experiment';
  readonly experiment: ExperimentFile;
}
export interface RunNode {
  readonly kind: 'run';
  readonly stored: StoredRun;
}
interface MoreNode {
  readonly kind: 'more';
  readonly experiment: ExperimentFile;
  readonly hidden: number;
}
export type TreeNode = ExperimentNode | RunNode | MoreNode;

export class ExperimentsTree extends Disposable implements TreeDataProvider<TreeNode> {
  readonly #store: RunStore;
  readonly #changed = this.register(new EventEmitter<TreeNode | undefined>());
  readonly #experiments = new Map<string, ExperimentNode>();
  readonly #runs = new Map<string, RunNode>();
  /** Runs that are shown, by experiment file, where they are more than {@link PAGE}. */
  readonly #shown = new Map<string, number>();
  readonly #progressed = new Set<StoredRun>();
  #timer: NodeJS.Timeout | undefined;
  #filter = '';
  #order: RunOrder = 'newest';

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(store: RunStore) {
    super();
    this.#store = store;
    this.register(store.onDidChange((run) => this.#changed.fire(run && this.#runs.get(run.key))));
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

  showMore({ experiment }: MoreNode): void {
    this.#shown.set(experiment.file, this.#limit(experiment) + PAGE);
    this.#changed.fire(this.#experiments.get(experiment.file));
  }

  /** The row of a run, for revealing it. */
  async nodeOf(stored: StoredRun): Promise<RunNode | undefined> {
    const experiments = await this.#store.experiments();
    const experiment = experiments.find(({ file }) => file === stored.run.record.experiment);
    if (experiment) this.#experimentNode(experiment);
    return experiment && this.#runNode(stored);
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    if (!node) return (await this.#store.experiments()).map((experiment) => this.#experimentNode(experiment));
    return node.kind === 'experiment' ? this.#runsOf(node.experiment) : [];
  }

  getParent(node: TreeNode): TreeNode | undefined {
    if (node.kind === 'experiment') return undefined;
    const file = node.kind === 'run' ? node.stored.run.record.experiment : node.experiment.file;
    return this.#experiments.get(file);
  }

  async getTreeItem(node: TreeNode): Promise<TreeItem> {
    switch (node.kind) {
      case 'experiment':
        return experimentItem(node.experiment, (await this.#store.runIds(node.experiment)).length);
      case 'run':
        return runItem(node.stored);
      case 'more': {
        const item = new TreeItem(l10n.t('Show More ({0} left)…', node.hidden));
        item.id = `more:${node.experiment.file}`;
        item.command = { command: 'deeptwist.showMoreRuns', title: l10n.t('Show More'), arguments: [node] };
        return item;
      }
    }
  }

  /** Newest first, a page of them are opened; to be put in another order or filtered, all must be. */
  async #runsOf(experiment: ExperimentFile): Promise<TreeNode[]> {
    const limit = this.#limit(experiment);
    const all = this.#order !== 'newest' || this.#filter !== '';
    const runs = await this.#store.runsOf(experiment, all ? undefined : limit);
    const total = all ? undefined : (await this.#store.runIds(experiment)).length;
    const byKey = new Map(runs.map((run) => [run.key, run]));
    const listed = inOrder(
      runs.map((run) => run.summary).filter((summary) => matchesFilter(summary, this.#filter)),
      this.#order,
    );
    const nodes: TreeNode[] = listed.slice(0, limit).map(({ key }) => this.#runNode(byKey.get(key)!));
    const hidden = (total ?? listed.length) - nodes.length;
    if (hidden > 0 && nodes.length >= limit) nodes.push({ kind: 'more', experiment, hidden });
    return nodes;
  }

  #limit({ file }: ExperimentFile): number {
    return this.#shown.get(file) ?? PAGE;
  }

  #experimentNode(experiment: ExperimentFile): ExperimentNode {
    let node = this.#experiments.get(experiment.file);
    if (node?.experiment !== experiment)
      this.#experiments.set(experiment.file, (node = { kind: 'experiment', experiment }));
    return node;
  }

  #runNode(stored: StoredRun): RunNode {
    let node = this.#runs.get(stored.key);
    if (node?.stored !== stored) this.#runs.set(stored.key, (node = { kind: 'run', stored }));
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

function experimentItem({ file, name, missing }: ExperimentFile, runs: number): TreeItem {
  const item = new TreeItem(Uri.file(file), TreeItemCollapsibleState.Collapsed);
  if (runs === 0) item.collapsibleState = TreeItemCollapsibleState.None;
  item.id = file;
  item.label = name;
  item.description = runs === 0 ? '' : runs === 1 ? l10n.t('1 run') : l10n.t('{0} runs', runs);
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

function runItem(stored: StoredRun): TreeItem {
  const { summary, liveState } = stored;
  const phase = runPhase(stored);
  const item = new TreeItem(startTime(summary.created, Date.now(), env.language));
  item.id = summary.key;
  item.iconPath = runIcon(phase);
  const parts = [
    summary.state === 'running' && liveState ? progressText(liveState) : runResultText(summary),
    phase === 'finished' || phase === 'running' ? undefined : stateName(phase),
    phase === 'queued' && liveState?.runsAhead ? l10n.t('{0} ahead', liveState.runsAhead) : undefined,
    ...summary.overrides.map(shortValue),
    relativeAge(summary.created),
  ];
  item.description = parts.filter((part) => part !== undefined).join(' · ');
  item.contextValue = `run.${phase}${stored.live ? '.live' : ''}`;
  item.tooltip = new MarkdownString(runTooltip(l10n, stored, stateName(phase)));
  item.accessibilityInformation = { label: `${stateName(phase)}, ${String(item.label)}, ${item.description}` };
  item.command = { command: 'deeptwist.openDashboard', title: l10n.t('Open Dashboard'), arguments: [summary.key] };
  return item;
}

/** Age of a run of the last hours; undefined for an older one, whose label has its day. */
function relativeAge(created: number): string | undefined {
  const [count, unit] = age(Date.now() - created);
  if (unit === 'day') return undefined;
  if (count === 0) return l10n.t('now');
  return new Intl.RelativeTimeFormat(env.language, { style: 'short' }).format(-count, unit);
}
