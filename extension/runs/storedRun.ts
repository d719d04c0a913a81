/** @file A run of the workspace as the extension sees it: its `run.json`, what lies beside it, and the process that trains it. */
import { relative } from 'node:path';
import { canResume } from '../../server/protocol/run/canResume.ts';
import type { LiveState } from '../../server/protocol/wire/sidecar.ts';
import type { RunKey, RunSummary } from '../../server/protocol/wire/dashboard.ts';
import type { RunLabel } from '../../server/protocol/run/runLabel.ts';
import { valuesAfter } from '../../server/runs/changedValues.ts';
import { readRunLabel } from '../../server/runs/runLabel.ts';
import { isUnderWay, openRun, type ObservedState, type Run } from '../../server/runs/run.ts';
import type { LiveRun } from '../sidecar/liveRun.ts';
import type { CutShort } from './readCutShort.ts';

export class StoredRun {
  readonly run: Run;
  /** Workspace folder that the run lies in; undefined for one outside of all. */
  readonly folder: string | undefined;
  /** While a process trains the run and answers. */
  live: LiveRun | undefined;
  /** As it was when `run.json` was read last. */
  #state: ObservedState;
  #label: RunLabel;
  /** Undefined for a run that is under way or finished. */
  #cutShort: CutShort | undefined;
  #reading: Promise<void> = Promise.resolve();

  /** Without what {@link open} reads beside `run.json`. */
  constructor(run: Run, folder: string | undefined, label: RunLabel) {
    this.run = run;
    this.#label = label;
    this.folder = folder;
    this.#state = run.observedState();
  }

  /**
   * The run in a folder.
   * @throws UserError where it cannot be read
   */
  static async open(key: RunKey, folder: string | undefined): Promise<StoredRun> {
    const stored = new StoredRun(await openRun(key), folder, await readRunLabel(key));
    stored.#cutShort = await cutShortIn(stored.run, stored.#state);
    return stored;
  }

  /**
   * Reads `run.json` again, one reading after the other: an older one must not have the last word.
   * @throws UserError where it cannot be read
   */
  reload(): Promise<void> {
    const reading = this.#reading.catch(() => undefined).then(() => this.#read());
    this.#reading = reading;
    return reading;
  }

  async #read(): Promise<void> {
    await this.run.reload();
    this.#state = this.run.observedState();
    this.#label = await readRunLabel(this.run.path);
    this.#cutShort = await cutShortIn(this.run, this.#state);
  }

  /** Name, note and pin that the user gave it. */
  get label(): RunLabel {
    return this.#label;
  }

  /** True where Resume is offered. */
  get canResume(): boolean {
    const { failure } = this.run.record;
    return canResume({ state: this.#state, failure }, this.#cutShort?.hasCheckpoint ?? false);
  }

  /** The last evaluation of a run that ended before its last step; undefined for any other run, and where there is none. */
  get lastEvaluation(): CutShort['evaluation'] {
    return this.#cutShort?.evaluation;
  }

  /** A text that changes with the record and with the label. */
  get revision(): string {
    return JSON.stringify([this.run.record.updated, this.#label]);
  }

  get state(): ObservedState {
    return this.#state;
  }

  get key(): RunKey {
    return this.run.path;
  }

  get summary(): RunSummary {
    const { id, name, experiment, created, result, failure } = this.run.record;
    return {
      key: this.key,
      id,
      name,
      experiment: this.folder === undefined ? experiment : relative(this.folder, experiment),
      overrides: valuesAfter(this.run.record, Infinity),
      state: this.#state,
      created: Date.parse(created),
      ...(result && { result }),
      ...(failure && { failure }),
      ...(Object.keys(this.#label).length > 0 && { label: this.#label }),
    };
  }

  /** How the training stands; undefined where no process trains the run, or it cannot be reached. */
  get liveState(): LiveState | undefined {
    return this.live?.state;
  }

  /** True while a process has the run. */
  get isActive(): boolean {
    return isUnderWay(this.#state);
  }
}

/** Loaded with the first run that needs it: it reads logs, and a window that starts does not wait for their schemas. */
async function cutShortIn(run: Run, state: ObservedState): Promise<CutShort | undefined> {
  if (isUnderWay(state) || state === 'finished') return undefined;
  return (await import('./readCutShort.ts')).readCutShort(run);
}
