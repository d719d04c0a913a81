/**
 * @file The run folder, the truth about a run:
 * ```
 * run.json                      who and what: RunRecord
 * experiment.deeptwist.jsonc    the exact text of the experiment file (overrides are in run.json)
 * source/                       copies of the user's modules as they were
 * events.jsonl                  everything observed, a RunEvent a line
 * checkpoints/                  what it takes to resume exactly
 * model/                        the final model and its compressed form
 * exports/                      what is known of the files that the model was exported to
 * latency.json                  how fast they are, as it was measured last
 * label.json                    name and note that a user gave it
 * sensitivity/                  what compressing single layers costs, by the content of model, samples and settings
 * lock                          the process that writes here now
 * sidecar.log                   what that process printed, where an editor started it
 * ```
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { RUN_FORMAT_VERSION } from '../protocol/run/runFormat.ts';
import { explainSystemError, isMissing } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';
import { writeAtomically } from './disk.ts';
import { experimentOf, type RecordedExperiment } from './experimentOf.ts';
import { isAlive } from './liveProcess.ts';
import type { ProcessIdentity, RunRecord, runRecordSchema } from './runRecord.ts';
import { refuseNewer } from './refuseNewer.ts';
import { readRegularFile } from './workspaceFile.ts';

export type RunState = RunRecord['state'];
/** What a run's state is seen to be: one whose process is gone is not running, whatever its record says. */
export type ObservedState = RunState | 'interrupted';

/** True for the state of a run that trains, or waits to. */
export function isUnderWay(state: ObservedState): state is 'running' | 'queued' {
  return state === 'running' || state === 'queued';
}

/** Milliseconds in which the process that is started for a queued run takes it. */
const STARTING_MS = 15_000;

/** The end of the name of an experiment file. */
export const EXPERIMENT_ENDING = '.deeptwist.jsonc';
export const RUN_FILE = 'run.json';
export const EXPERIMENT_FILE = 'experiment.deeptwist.jsonc';

/** A run folder. */
export class Run {
  /** Absolute. */
  readonly path: string;
  #record: RunRecord;
  /** The place of the experiment as it stands in `run.json`. */
  readonly #recorded: RecordedExperiment;

  constructor(path: string, record: RunRecord) {
    this.path = path;
    const { experiment, relativeExperiment } = record;
    this.#recorded = { experiment, ...(relativeExperiment !== undefined && { relativeExperiment }) };
    this.#record = { ...record, experiment: experimentOf(path, this.#recorded) };
  }

  get id(): string {
    return this.#record.id;
  }
  /** What `run.json` says; `experiment` is where the experiment file is now. */
  get record(): Readonly<RunRecord> {
    return this.#record;
  }
  get experimentFile(): string {
    return join(this.path, EXPERIMENT_FILE);
  }
  get eventsFile(): string {
    return join(this.path, 'events.jsonl');
  }
  get checkpointsFolder(): string {
    return join(this.path, 'checkpoints');
  }
  get modelFolder(): string {
    return join(this.path, 'model');
  }
  get exportsFolder(): string {
    return join(this.path, 'exports');
  }
  get latencyFile(): string {
    return join(this.path, 'latency.json');
  }
  get sourceFolder(): string {
    return join(this.path, 'source');
  }
  get logFile(): string {
    return join(this.path, 'sidecar.log');
  }
  get lockFile(): string {
    return join(this.path, 'lock');
  }

  /** The text of the experiment file as it was when the run began. */
  experimentText(): Promise<string> {
    return readRegularFile(this.experimentFile);
  }

  observedState(): ObservedState {
    const { state, process, updated, queue } = this.#record;
    if (!isUnderWay(state)) return state;
    if (process) return this.#isLeft(process) ? 'interrupted' : state;
    if (state === 'queued' && queue) return state;
    return state === 'queued' && Date.now() - Date.parse(updated) < STARTING_MS ? state : 'interrupted';
  }

  /** True where the process is gone; a process of another machine is, once somebody who knows has deleted its lock. */
  #isLeft(process: ProcessIdentity): boolean {
    const alive = isAlive(process);
    return alive === 'unknown' ? !existsSync(this.lockFile) : !alive;
  }

  /** Reads `run.json` again: another process may have written the run since it was opened. */
  async reload(): Promise<void> {
    this.#record = (await openRun(this.path)).record;
  }

  /** Changes `run.json`. */
  async update(
    changes: Partial<
      Pick<
        RunRecord,
        'state' | 'process' | 'result' | 'failure' | 'cuts' | 'changes' | 'teacher' | 'queue' | 'stoppedEarly'
      >
    >,
  ): Promise<void> {
    const record = { ...this.#record, ...changes, updated: new Date().toISOString() };
    await writeAtomically(join(this.path, RUN_FILE), JSON.stringify({ ...record, ...this.#recorded }, null, 2) + '\n');
    this.#record = record;
  }
}

/** Makes the folder and its `run.json`. */
export async function writeNewRun(path: string, record: RunRecord): Promise<Run> {
  const run = new Run(resolve(path), record);
  await mkdir(run.checkpointsFolder, { recursive: true });
  await mkdir(run.modelFolder, { recursive: true });
  await run.update({});
  return run;
}

/** Loaded with the first run: a window begins before that, and does not wait for the schemas. */
let recordSchema: Promise<typeof runRecordSchema> | undefined;

async function loadSchema(): Promise<typeof runRecordSchema> {
  return (await import('./runRecord.ts')).runRecordSchema;
}

/**
 * Opens a run folder to read it; writing it takes {@link lockRun} as well. A run's id is the name of its folder, also where
 * `run.json` claims another: it may have come with somebody else's project, and paths are made from ids.
 * @throws UserError for a folder that is no run, is damaged, or was written by a newer version
 */
export async function openRun(path: string): Promise<Run> {
  const run = await readRun(path);
  // A process that has ended since `run.json` was read has written there how its run ended.
  return run.observedState() === 'interrupted' ? readRun(path) : run;
}

async function readRun(path: string): Promise<Run> {
  const file = join(path, RUN_FILE);
  let record: unknown;
  try {
    record = JSON.parse(await readRegularFile(file));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof SyntaxError) throw new UserError(`${file} is damaged: it is not JSON.`, { cause: error });
    if (!isMissing(error)) throw explainSystemError(error, { path: file, cannot: 'read' });
    throw new UserError(`${path} is not a run folder: it has no readable ${RUN_FILE}.`, { cause: error });
  }
  refuseNewer(path, record, RUN_FORMAT_VERSION);
  const parsed = (await (recordSchema ??= loadSchema())).safeParse(record);
  if (!parsed.success) {
    const [{ path: setting, message }] = parsed.error.issues;
    throw new UserError(`${file} is damaged: ${setting.join('.')}: ${message}.`);
  }
  const folder = resolve(path);
  return new Run(folder, { ...parsed.data, id: basename(folder) });
}

/** The name of an experiment: `lenet` for `…/lenet.deeptwist.jsonc`. */
export function experimentName(file: string): string {
  return basename(file).replace(/(\.deeptwist)?\.jsonc?$/, '');
}

/** Longest part of an id that comes from the name of an experiment: file systems take names of 255 bytes. */
const LONGEST_NAME = 100;

/** What the name of an experiment becomes in the ids of its runs. Names that differ little may become the same. */
export function nameInIds(experimentName: string): string {
  return experimentName.replace(/[^\w.-]+/g, '-').slice(0, LONGEST_NAME);
}
