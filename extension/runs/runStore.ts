/**
 * @file The experiments and runs of the workspace. A list of runs costs one reading of their folder; `run.json` is read of
 * those that somebody asks for, and again when it changes. Runs that a process trains are connected to.
 */
import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventEmitter, Uri, workspace, type Event, type LogOutputChannel } from 'vscode';
import type { RunKey } from '../../server/protocol/wire/dashboard.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { messageOf } from '../../server/protocol/thrown.ts';
import { listRunIds } from '../../server/runs/findRun.ts';
import { isUnderWay, type ObservedState } from '../../server/runs/run.ts';
import { Disposable } from '../dispose.ts';
import { findProcess } from '../sidecar/findProcess.ts';
import { LiveRun } from '../sidecar/liveRun.ts';
import type { SidecarConnections } from '../sidecar/sidecarConnections.ts';
import {
  EXPERIMENT_GLOB,
  findExperimentFiles,
  isExperimentFile,
  isCopy,
  type ExperimentFile,
} from './experimentFiles.ts';
import { mayBelongTo, mayBeRunOf, newestFirst, ownerByName, sweepInId } from './runIds.ts';
import { StoredRun } from './storedRun.ts';
import { watchFolder, type FolderWatch } from './watchFolder.ts';

/** How often a run is looked at that a process has which does not answer: one of the command line, or one that begins. */
const WATCH_MS = 250;
/** After the connection was closed. */
const CLOSED_MS = 50;
/** The same of a run that waits on a cluster, of which there may be hundreds. */
const CLUSTER_MS = 5000;
/** A window that starts looks for active runs among so many of the newest of each folder. */
const NEWEST = 20;
/** When it is looked whether a new folder has become a run's. */
const APPEARING_MS = [0, 50, 200, 1000];

/** A run has come to an end while this window watched it. */
export interface RunEnd {
  readonly run: StoredRun;
  readonly state: Exclude<ObservedState, 'queued' | 'running'>;
}

export class RunStore extends Disposable {
  readonly #log: LogOutputChannel;
  readonly #connections: SidecarConnections;
  readonly #runs = new Map<RunKey, Promise<StoredRun | undefined>>();
  readonly #loaded = new Map<RunKey, StoredRun>();
  /** Runs that a process has, as far as this window knows. */
  readonly #active = new Set<RunKey>();
  readonly #connecting = new Set<RunKey>();
  /** The revision of each run when its last change was told. */
  readonly #announced = new Map<RunKey, string>();
  /** When a run is looked at again that is not connected to. */
  readonly #timers = new Map<RunKey, NodeJS.Timeout>();
  readonly #changed = this.register(new EventEmitter<StoredRun | undefined>());
  readonly #progressed = this.register(new EventEmitter<StoredRun>());
  readonly #ended = this.register(new EventEmitter<RunEnd>());
  /** By runs folder. */
  readonly #watches = new Map<string, FolderWatch>();
  #experiments: Promise<ExperimentFile[]> | undefined;

  /** A run was added, has changed its state or gone; undefined: the list of experiments or runs is another one. */
  readonly onDidChange: Event<StoredRun | undefined> = this.#changed.event;
  /** The live state of a run is a new one: several times a second while it trains. */
  readonly onDidProgress: Event<StoredRun> = this.#progressed.event;
  readonly onDidEnd: Event<RunEnd> = this.#ended.event;

  constructor(log: LogOutputChannel, connections: SidecarConnections) {
    super();
    this.#log = log;
    this.#connections = connections;
    const files = this.register(workspace.createFileSystemWatcher(EXPERIMENT_GLOB, false, true));
    const records = this.register(workspace.createFileSystemWatcher('**/.deeptwist/runs/*/{run,label}.json'));
    const sweeps = this.register(workspace.createFileSystemWatcher('**/.deeptwist/sweeps/*/sweep.json', false, true));
    const listChanged = () => {
      this.#experiments = undefined;
      this.#changed.fire(undefined);
    };
    const recordChanged = (uri: Uri) => void this.refresh(folderOf(uri));
    this.register(files.onDidCreate((uri) => isCopy(uri) || listChanged()));
    this.register(files.onDidDelete((uri) => isCopy(uri) || listChanged()));
    this.register(records.onDidCreate(recordChanged));
    this.register(records.onDidChange(recordChanged));
    this.register(records.onDidDelete(recordChanged));
    this.register(sweeps.onDidCreate(() => this.#changed.fire(undefined)));
    this.register(sweeps.onDidDelete(() => this.#changed.fire(undefined)));
    this.register(workspace.onDidChangeWorkspaceFolders(listChanged));
    this.register(workspace.onDidOpenTextDocument(({ uri }) => void this.#consider(uri)));
    this.register({ dispose: () => this.#stop() });
  }

  /** Experiment files, by path, and those that are gone but have runs. */
  experiments(): Promise<ExperimentFile[]> {
    return (this.#experiments ??= this.#findExperiments());
  }

  async #findExperiments(): Promise<ExperimentFile[]> {
    const found = await findExperimentFiles();
    const folders = new Set(found.map(({ runsFolder }) => runsFolder));
    for (const [folder, watch] of this.#watches) {
      if (folders.has(folder)) continue;
      watch.dispose();
      this.#watches.delete(folder);
    }
    for (const folder of folders) {
      if (this.disposed || this.#watches.has(folder)) continue;
      this.#watches.set(
        folder,
        watchFolder(folder, (names) => this.#runsChanged(folder, names)),
      );
    }
    return found;
  }

  /** Searches again where a file turns up that the search has not found. */
  async #consider(uri: Uri): Promise<void> {
    if (!isExperimentFile(uri) || isCopy(uri) || !workspace.getWorkspaceFolder(uri)) return;
    const known = await this.#experiments;
    if (known?.some(({ file }) => file === uri.fsPath) !== false || !existsSync(uri.fsPath)) return;
    this.#experiments = undefined;
    this.#changed.fire(undefined);
  }

  /** Run folders have come or gone. */
  #runsChanged(folder: string, names: ReadonlySet<string>): void {
    const keys = [...names].filter((name) => !name.startsWith('.')).map((name) => `${folder}${sep}${name}`);
    for (const key of keys) if (this.#loaded.has(key)) void this.refresh(key);
    const added = keys.filter((key) => !this.#loaded.has(key));
    // When many come at once, those are opened that somebody asks for.
    if (keys.length === 0 || added.length > NEWEST) this.#changed.fire(undefined);
    else for (const key of added) void this.#awaitRun(key);
  }

  /** A folder is there before its `run.json`. */
  async #awaitRun(key: RunKey): Promise<void> {
    for (const delay of APPEARING_MS) {
      await sleep(delay);
      if (this.disposed || this.#loaded.has(key) || !existsSync(key) || (await this.refresh(key))) return;
    }
  }

  /** Ids of the runs that an experiment may have, newest first, those of a sweep at the time of the sweep; {@link runsOf} opens them. */
  async runIds({ runsFolder, name }: ExperimentFile): Promise<string[]> {
    return newestFirst((await listRunIds(runsFolder)).filter((id) => mayBeRunOf(id, name)));
  }

  /** The same without the runs of the sweeps that are there: a sweep that was deleted leaves its runs. */
  async ownRunIds(experiment: ExperimentFile): Promise<string[]> {
    const sweeps = new Set(await this.sweepIds(experiment));
    const isOwn = (id: string) => mayBelongTo(id, experiment.name) || !sweeps.has(sweepInId(id) ?? id);
    return (await this.runIds(experiment)).filter(isOwn);
  }

  /** How many runs of an experiment stand under it and not under a sweep: known without opening them, but for a few with doubtful names. */
  async ownRunCount(experiment: ExperimentFile): Promise<number> {
    const { file, runsFolder } = experiment;
    const siblings = await this.siblingsOf(experiment);
    const ids = new Set(await listRunIds(runsFolder));
    const owned = await Promise.all(
      (await this.ownRunIds(experiment)).map(async (id) => {
        const key = `${runsFolder}${sep}${id}`;
        const opened = this.peek(key);
        const owner = opened ? undefined : ownerByName(id, siblings, ids);
        return (owner?.file ?? (opened ?? (await this.get(key)))?.run.record.experiment) === file;
      }),
    );
    return owned.filter(Boolean).length;
  }

  /** The experiments whose runs lie in the same folder, the given one among them. */
  async siblingsOf(experiment: ExperimentFile): Promise<ExperimentFile[]> {
    const { file, runsFolder } = experiment;
    const others = (await this.experiments()).filter((one) => one.runsFolder === runsFolder && one.file !== file);
    return [experiment, ...others];
  }

  /** Ids of the sweeps that an experiment may have, newest first. */
  async sweepIds({ runsFolder, name }: ExperimentFile): Promise<string[]> {
    return newestFirst((await listRunIds(sweepsFolder(runsFolder))).filter((id) => mayBelongTo(id, name)));
  }

  /** The newest runs of an experiment, newest first, those of sweeps among them. */
  async runsOf(experiment: ExperimentFile, limit = Infinity): Promise<StoredRun[]> {
    return this.#openNewest(experiment, await this.runIds(experiment), limit);
  }

  /** The newest runs of an experiment that stand under it and not under a sweep, newest first. */
  async ownRunsOf(experiment: ExperimentFile, limit = Infinity): Promise<StoredRun[]> {
    return this.#openNewest(experiment, await this.ownRunIds(experiment), limit);
  }

  /** @param ids newest first */
  async #openNewest({ file, runsFolder }: ExperimentFile, ids: readonly string[], limit: number): Promise<StoredRun[]> {
    const found: StoredRun[] = [];
    for (let start = 0; start < ids.length && found.length < limit; start += NEWEST) {
      const some = ids.slice(start, start + NEWEST).map((id) => this.get(`${runsFolder}${sep}${id}`));
      for (const run of await Promise.all(some)) if (run?.run.record.experiment === file) found.push(run);
    }
    // The id of a run of a sweep has the time of the sweep: another run may have begun in between.
    return newestCreated(found).slice(0, limit);
  }

  /** The newest runs of all experiments, newest first. */
  async newest(limit: number): Promise<StoredRun[]> {
    const lists = await Promise.all((await this.experiments()).map((experiment) => this.runsOf(experiment, limit)));
    return newestCreated(lists.flat()).slice(0, limit);
  }

  /** Runs that have been opened and that a process trains now. */
  get active(): StoredRun[] {
    return [...this.#loaded.values()].filter((run) => run.isActive);
  }

  /** The run in a folder; undefined where there is none, or one that cannot be read. */
  get(key: RunKey): Promise<StoredRun | undefined> {
    let run = this.#runs.get(key);
    if (!run) {
      run = this.#open(key);
      this.#runs.set(key, run);
    }
    return run;
  }

  /** The run in a folder, where it has been opened. */
  peek(key: RunKey): StoredRun | undefined {
    return this.#loaded.get(key);
  }

  /** Looks at everything again: not every file system tells of changes, and none of thousands at once. */
  async rescan(): Promise<void> {
    this.#experiments = undefined;
    await Promise.all([...this.#loaded.keys()].map((key) => this.refresh(key)));
    this.#changed.fire(undefined);
  }

  /** Connects to the runs that were left training when the last window closed. */
  async findActiveRuns(): Promise<void> {
    for (const experiment of await this.experiments()) {
      await this.ownRunsOf(experiment, NEWEST);
      await this.runsOf(experiment, NEWEST);
    }
  }

  /** Reads `run.json` again, and tells what has changed. */
  async refresh(key: RunKey): Promise<StoredRun | undefined> {
    const known = this.#loaded.get(key);
    if (!known) {
      // Whoever asks meanwhile gets the same run. An attempt that was under way may have come before `run.json`.
      const added = (await this.get(key)) ?? (await this.get(key));
      if (added) {
        this.#changed.fire(undefined);
        void this.#consider(Uri.file(added.run.record.experiment));
      }
      return added;
    }
    try {
      await known.reload();
    } catch (error) {
      this.#forget(known, error);
      return undefined;
    }
    const wasActive = this.#active.has(key);
    const state = this.#follow(known);
    const isActive = this.#active.has(key);
    if (wasActive && !isUnderWay(state)) this.#ended.fire({ run: known, state });
    const { revision } = known;
    if (this.#announced.get(key) !== revision || isActive !== wasActive) this.#changed.fire(known);
    this.#announced.set(key, revision);
    return known;
  }

  async #open(key: RunKey): Promise<StoredRun | undefined> {
    try {
      const folder = workspace.getWorkspaceFolder(Uri.file(key))?.uri.fsPath;
      const stored = await StoredRun.open(key, folder);
      this.#loaded.set(key, stored);
      this.#follow(stored);
      return stored;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#runs.delete(key); // It may be one that is being made.
      this.#log.debug(error.message);
      return undefined;
    }
  }

  #forget(stored: StoredRun, reason: unknown): void {
    const { key } = stored;
    this.#log.info(`${key}: ${messageOf(reason)}`);
    this.#active.delete(key);
    this.#unschedule(key);
    stored.live?.dispose();
    this.#runs.delete(key);
    this.#loaded.delete(key);
    this.#announced.delete(key);
    this.#changed.fire(stored);
    this.#changed.fire(undefined);
  }

  /** Stays with a run that a process has: by its socket, or else by looking at it from time to time. */
  #follow(stored: StoredRun): ObservedState {
    const { key, run, state } = stored;
    this.#unschedule(key);
    if (!isUnderWay(state)) {
      this.#active.delete(key);
      return state;
    }
    this.#active.add(key);
    if (stored.live || this.#connecting.has(key)) return state;
    if (run.record.process && workspace.isTrusted) void this.#connect(stored);
    else this.#schedule(key, state === 'queued' && run.record.queue ? CLUSTER_MS : WATCH_MS);
    return state;
  }

  async #connect(stored: StoredRun): Promise<void> {
    const { key } = stored;
    this.#connecting.add(key);
    try {
      const found = await findProcess(stored.run);
      if (!found) return this.#schedule(key);
      const live = new LiveRun(await this.#connections.connect(found));
      if (!this.#active.has(key)) return live.dispose();
      if (live.closed) return this.#schedule(key);
      stored.live = live;
      live.onDidChangeState(() => this.#progressed.fire(stored));
      live.onDidClose(() => void this.#closed(stored));
      this.#changed.fire(stored);
    } catch (error) {
      this.#log.debug(`${key}: ${messageOf(error)}`);
      this.#schedule(key);
    } finally {
      this.#connecting.delete(key);
    }
  }

  /** A process that has ended has written `run.json` before; one that was killed has not, and is gone a moment later. */
  async #closed(stored: StoredRun): Promise<void> {
    await stored.reload().catch(() => undefined); // Deleted: seen when it is looked at next.
    stored.live = undefined;
    await this.refresh(stored.key);
    this.#schedule(stored.key, CLOSED_MS);
  }

  #schedule(key: RunKey, milliseconds = WATCH_MS): void {
    this.#unschedule(key);
    if (!this.#active.has(key)) return;
    this.#timers.set(
      key,
      setTimeout(() => void this.refresh(key), milliseconds),
    );
  }

  #unschedule(key: RunKey): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  #stop(): void {
    for (const watch of this.#watches.values()) watch.dispose();
    for (const { live } of this.#loaded.values()) live?.dispose();
    this.#active.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}

/** The folder of the sweeps of an experiment, beside that of its runs. */
export function sweepsFolder(runsFolder: string): string {
  return join(dirname(runsFolder), 'sweeps');
}

function newestCreated(runs: readonly StoredRun[]): StoredRun[] {
  return runs.toSorted((a, b) => Date.parse(b.run.record.created) - Date.parse(a.run.record.created));
}

/** The run folder of a `run.json`. */
function folderOf(uri: Uri): string {
  return Uri.joinPath(uri, '..').fsPath;
}
