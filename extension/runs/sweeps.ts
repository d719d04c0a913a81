/** @file The sweeps of the workspace, read in a thread: the plan of one can have thousands of runs. */
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { EventEmitter, Uri, workspace, type Event, type ExtensionContext } from 'vscode';
import { UserError } from '../../server/protocol/userError.ts';
import type { RunNoteChange, SweepAnswer, SweepContent, SweepRequest } from '../../server/protocol/wire/sweep.ts';
import { listRunIds } from '../../server/runs/findRun.ts';
import { Disposable } from '../dispose.ts';
import type { ExperimentFile } from './experimentFiles.ts';
import { isNamedAfter, ownerByName } from './runIds.ts';
import { sweepsFolder, type RunStore } from './runStore.ts';
import type { StoredRun } from './storedRun.ts';

/** Runs of a sweep change several times as they start and end. */
const SETTLE_MS = 300;
const MEMORY_MB = 1024;

/** A request as it is asked: the thread gets it with a number. */
type Asked = SweepRequest extends infer One ? (One extends SweepRequest ? Omit<One, 'number'> : never) : never;

interface Waiting {
  readonly resolve: (sweep: SweepContent) => void;
  readonly reject: (error: unknown) => void;
}

export class Sweeps extends Disposable {
  readonly #store: RunStore;
  readonly #script: string;
  readonly #changed = this.register(new EventEmitter<string>());
  /** By the path of the sweep; those that have changed since are not in it. */
  readonly #known = new Map<string, Promise<SweepContent>>();
  readonly #settling = new Map<string, NodeJS.Timeout>();
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #count = 0;

  /** Runs of the sweep with that path have changed, or its notes. */
  readonly onDidChange: Event<string> = this.#changed.event;

  constructor(store: RunStore, { extensionUri }: Pick<ExtensionContext, 'extensionUri'>) {
    super();
    this.#store = store;
    this.#script = Uri.joinPath(extensionUri, 'dist', 'sweepReader.js').fsPath;
    this.register(store.onDidChange((run) => this.#runChanged(run)));
    const results = this.register(workspace.createFileSystemWatcher('**/.deeptwist/sweeps/*/{search,result}.json'));
    const resultWritten = (uri: Uri) => this.#settle(dirname(uri.fsPath));
    this.register(results.onDidCreate(resultWritten));
    this.register(results.onDidChange(resultWritten));
    this.register({
      dispose: () => {
        for (const timer of this.#settling.values()) clearTimeout(timer);
        void this.#thread?.terminate();
      },
    });
  }

  /** Paths of the sweeps of an experiment, newest first. */
  async pathsOf(experiment: ExperimentFile): Promise<string[]> {
    const folder = sweepsFolder(experiment.runsFolder);
    const siblings = await this.#store.siblingsOf(experiment);
    const all = new Set(await listRunIds(folder));
    const ids = await this.#store.sweepIds(experiment);
    const own = await Promise.all(
      ids.map(async (id) => {
        const owner = ownerByName(id, siblings, all);
        if (owner) return owner.file === experiment.file;
        const named = siblings.filter(({ name }) => isNamedAfter(id, name));
        return this.read(join(folder, id)).then(
          (sweep) => sweep.experiment === experiment.file,
          // A sweep that cannot be read is shown, with what is wrong with it.
          () => named.length === 0 || named.includes(experiment),
        );
      }),
    );
    return ids.filter((_, i) => own[i]).map((id) => join(folder, id));
  }

  /** The sweep in a folder, as it was when something of it changed last. @throws UserError where it cannot be read */
  read(path: string): Promise<SweepContent> {
    const known = this.#known.get(path);
    if (known) return known;
    return this.#keep(path, this.#ask({ type: 'read', path }));
  }

  /** Reads a sweep again: a file of its folder was written. */
  forget(path: string): void {
    this.#known.delete(path);
    this.#changed.fire(path);
  }

  /** Changes what is said of some runs, by their ids. @throws UserError */
  async note(path: string, runs: readonly string[], change: RunNoteChange): Promise<void> {
    await this.#keep(path, this.#ask({ type: 'note', path, runs, change }));
    this.#changed.fire(path);
  }

  #keep(path: string, reading: Promise<SweepContent>): Promise<SweepContent> {
    this.#known.set(path, reading);
    reading.catch(() => {
      if (this.#known.get(path) === reading) this.#known.delete(path);
    });
    return reading;
  }

  /** Folder of the sweep that a run belongs to; undefined for a run that belongs to none. */
  pathOf({ run }: StoredRun): string | undefined {
    const { sweep, experiment } = run.record;
    // The id comes from a file of the workspace: it is a name, and no path.
    return sweep === undefined || basename(sweep) !== sweep
      ? undefined
      : join(dirname(experiment), '.deeptwist', 'sweeps', sweep);
  }

  #runChanged(run: StoredRun | undefined): void {
    const path = run && this.pathOf(run);
    if (path !== undefined) this.#settle(path);
    else if (!run) for (const known of this.#known.keys()) this.#settle(known);
  }

  #settle(path: string): void {
    if (!this.#known.has(path) || this.#settling.has(path)) return;
    this.#settling.set(
      path,
      setTimeout(() => {
        this.#settling.delete(path);
        this.#known.delete(path);
        this.#changed.fire(path);
      }, SETTLE_MS),
    );
  }

  #ask(asked: Asked): Promise<SweepContent> {
    const thread = (this.#thread ??= this.#start());
    const number = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      thread.postMessage({ ...asked, number } satisfies SweepRequest);
    });
  }

  #start(): Worker {
    const thread = new Worker(this.#script, { resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB } });
    thread.unref();
    thread.on('message', (answer: SweepAnswer) => {
      const waiting = this.#waiting.get(answer.number);
      this.#waiting.delete(answer.number);
      if ('sweep' in answer) waiting?.resolve(answer.sweep);
      else waiting?.reject(new UserError(answer.problem.message, answer.problem));
    });
    const ended = (error: unknown) => {
      if (this.#thread === thread) this.#thread = undefined;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    thread.on('error', ended);
    thread.on('exit', () => ended(new Error('The thread that reads sweeps has ended.')));
    return thread;
  }
}
