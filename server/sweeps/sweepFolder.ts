/**
 * @file The folder of a sweep, `.deeptwist/sweeps/ID/` beside the experiment file:
 * ```
 * sweep.json                  what it belongs to: SweepRecord; written last, so that a folder without it is no sweep
 * experiment.deeptwist.jsonc  the exact text that all of its runs are made from
 * plan.jsonl                  a PlannedRun a line; a search adds lines at its end, and none is ever changed
 * claims/N                    the process that sees to line N now
 * rungs/, slurm/              see asynchronousHalving.ts and slurm/
 * ```
 * The run folder of a run alone tells if it is done. The id of each run is chosen with the plan: a run that is there has been begun, and no run
 * can be made twice.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { explainSystemError, isMissing } from '../protocol/systemError.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { claimName, createRun, newId } from '../runs/createRun.ts';
import { explainDiskError, syncFolder, writeAtomically } from '../runs/disk.ts';
import { experimentOf, recordedExperiment, runsFolder } from '../runs/experimentOf.ts';
import { holderOf, holderText, ifGone, takeFile, type HeldFile, type Refusal } from '../runs/lockFile.ts';
import { refuseNewer } from '../runs/refuseNewer.ts';
import { EXPERIMENT_FILE, RUN_FILE, experimentName, openRun, type Run } from '../runs/run.ts';
import type { ProcessIdentity } from '../runs/runRecord.ts';
import { readRegularFile } from '../runs/workspaceFile.ts';
import { optunaSchema, type OptunaSearch } from './optuna/searchSettings.ts';
import { halvingSchema, type Halving } from './rungs.ts';

const SWEEP_FILE = 'sweep.json';
export const PLAN_FILE = 'plan.jsonl';
const FORMAT_VERSION = 1;
/** Files of every sweep folder. */
export const SWEEP_FILES = [SWEEP_FILE, EXPERIMENT_FILE];
/** Bytes of a plan at most: those of 100,000 runs with long settings. */
const MOST_PLAN_BYTES = 2 ** 28;
/** Time that a process may have a plan to ask for a run and add it, and how often another one looks. */
const PLAN_MS = 60_000;
const PLAN_POLL_MS = 50;
/** Digits of the numbers of runs in a search, of which nobody knows beforehand how many runs it has. */
const DIGITS = 2;

const sweepRecordSchema = z.object({
  format: z.literal(FORMAT_VERSION),
  id: z.string().describe('Name that the folder was made with: its runs know the sweep by it.'),
  experiment: z.string().describe('As in run.json.'),
  relativeExperiment: z.string().optional().describe('As in run.json.'),
  runs: z.string().optional().describe('Folder of the runs, as a path from this one; default: that of the experiment.'),
  halving: halvingSchema.optional().describe('As in the experiment file.'),
  set: z.array(z.string()).optional().describe('`path=value` texts of all runs, where Optuna makes the plan grow.'),
  optuna: optunaSchema.optional().describe('How Optuna chooses the settings of runs that are not in the plan yet.'),
  created: z.iso.datetime(),
});
type SweepRecord = z.output<typeof sweepRecordSchema>;

const plannedRunSchema = z.object({
  run: z
    .string()
    .regex(/^\d{8}-\d{6}-[\w.-]*\.\d+$/)
    .describe('Id of the run, the name of its folder: no other kind of folder is ever made or removed for a plan.'),
  set: z.array(z.string()).describe('All `path=value` texts of the run.'),
  vary: z.array(z.string()).describe('Those of them in which the runs of the sweep differ.'),
  trial: z.int().min(0).optional().describe('Number of the trial of Optuna that it is.'),
});

/** Settings of a run that is added to a plan. */
export type AddedRun = Pick<z.output<typeof plannedRunSchema>, 'set' | 'vary' | 'trial'>;

/** A line of the plan. */
export type PlannedRun = z.output<typeof plannedRunSchema> & {
  /** Place in the plan, from 1. */
  readonly line: number;
};

export class Sweep {
  /** Absolute. */
  readonly path: string;
  #plan: readonly PlannedRun[];
  readonly #record: SweepRecord;

  constructor(path: string, record: SweepRecord, plan: readonly PlannedRun[]) {
    this.path = path;
    this.#plan = plan;
    this.#record = record;
  }

  get id(): string {
    return this.#record.id;
  }

  /** Grows where the sweep is a search. */
  get plan(): readonly PlannedRun[] {
    return this.#plan;
  }

  /** How Optuna chooses the settings of runs; undefined for a sweep without it. */
  get optuna(): OptunaSearch | undefined {
    return this.#record.optuna;
  }

  /** Runs that it has when it is done. */
  get size(): number {
    return this.optuna?.runs ?? this.#plan.length;
  }

  /** `path=value` texts of all runs that Optuna adds. */
  get overrides(): readonly string[] {
    return this.#record.set ?? [];
  }

  /** Reads the plan again where it has grown. */
  async reloadPlan(): Promise<void> {
    this.#plan = await readPlan(this.path);
  }

  /** When it was made, ISO 8601. */
  get created(): string {
    return this.#record.created;
  }

  /** How runs are stopped early; undefined where all train to their ends. */
  get halving(): Halving | undefined {
    return this.#record.halving;
  }

  /** Absolute path of the experiment file, where that is now. */
  get experiment(): string {
    return experimentOf(this.path, this.#record);
  }

  /** Folder of the run folders. */
  get runs(): string {
    const { runs } = this.#record;
    return runs === undefined ? runsFolder(this.experiment) : resolve(this.path, runs);
  }

  /** Exact text of the experiment file as it was when the sweep was made. */
  experimentText(): Promise<string> {
    return readRegularFile(join(this.path, EXPERIMENT_FILE));
  }

  /** Folder of the run of a line. */
  runFolder({ run }: Pick<PlannedRun, 'run'>): string {
    return join(this.runs, run);
  }

  /**
   * Takes a line for this process: no other makes or starts its run meanwhile. The line of a process that has died is taken over.
   * @param isGone true for a process of another machine that is known to have ended
   * @returns the line, or which process has it
   */
  async claim({ line }: PlannedRun, isGone?: (holder: ProcessIdentity) => boolean): Promise<HeldFile | Refusal> {
    await mkdir(this.#claims, { recursive: true });
    return takeFile(join(this.#claims, String(line)), isGone);
  }

  /** The process that has a line, if it lives or may live. */
  async claimant({ line }: PlannedRun): Promise<ProcessIdentity | undefined> {
    return holderOf(join(this.#claims, String(line)));
  }

  /** Folder of the lock files of the plan and of its lines. */
  get #claims(): string {
    return join(this.path, 'claims');
  }

  /**
   * Adds runs to the plan of a search, which one process does at a time.
   * @param next the settings of runs, by the plan as it is on the disk; none to leave it so
   * @returns the lines that were added
   * @throws UserError where another machine's process has the plan and does not give it free
   */
  async addRuns(next: (plan: readonly PlannedRun[]) => Promise<AddedRun[]> | AddedRun[]): Promise<PlannedRun[]> {
    const held = await this.#holdPlan();
    try {
      const plan = await readPlan(this.path);
      this.#plan = plan;
      const digits = this.optuna ? String(this.optuna.runs).length : DIGITS;
      const added = (await next(plan)).map((own, i) => {
        const line = plan.length + i + 1;
        return { run: runId(this.id, line, digits), ...own, line };
      });
      if (added.length === 0) return [];
      const grown = [...plan, ...added];
      await writeAtomically(join(this.path, PLAN_FILE), planText(grown));
      this.#plan = grown;
      return added;
    } finally {
      await held.release();
    }
  }

  async #holdPlan(): Promise<HeldFile> {
    await mkdir(this.#claims, { recursive: true });
    for (const end = Date.now() + PLAN_MS; ; await sleep(PLAN_POLL_MS)) {
      const held = await takeFile(join(this.#claims, 'plan'));
      if ('release' in held) return held;
      if (Date.now() < end || !held.holder || held.holder.pid === process.pid) continue;
      throw new UserError(`The plan of ${this.id} is in use by ${holderText(held.holder)}.`, {
        remedy: `${ifGone(held.path)}.`,
      });
    }
  }

  /**
   * The run of a line; undefined where it has not been begun.
   * @throws UserError where it is damaged, or its folder is that of another run
   */
  async openRun(planned: PlannedRun): Promise<Run | undefined> {
    const path = this.runFolder(planned);
    if (!existsSync(join(path, RUN_FILE)) || !existsSync(join(path, EXPERIMENT_FILE))) return undefined;
    const run = await openRun(path);
    if (run.record.sweep === this.id) return run;
    throw new UserError(`${path} is the folder of a run that does not belong to the sweep ${this.id}.`, {
      remedy: 'Move it elsewhere, then go on with the sweep.',
    });
  }

  /** Makes the run of a line that has been claimed and not been begun; what is left of a making that was cut short is removed. */
  async makeRun(planned: PlannedRun): Promise<Run> {
    await rm(this.runFolder(planned), { recursive: true, force: true });
    return createRun({
      experiment: this.experiment,
      text: await this.experimentText(),
      overrides: planned.set,
      state: 'queued',
      out: this.runs,
      id: planned.run,
      sweep: this.id,
    });
  }
}

function runId(sweep: string, line: number, digits: number): string {
  return `${sweep}.${String(line).padStart(digits, '0')}`;
}

/** Settings of a run of a sweep: the `path=value` texts in which it differs from the others. */
export type Combination = readonly string[];

/**
 * Makes the folder of a sweep. Nothing is started.
 * @param experiment path of the experiment file
 * @param text of the experiment file
 * @param overrides `path=value` texts of all runs
 * @param combinations those of each run besides
 * @param optuna how Optuna chooses the settings of runs that are not in the plan yet; default: the plan has all
 * @param halving how runs are stopped early; default: all train to their ends
 * @param out folder of the runs; default: `.deeptwist/runs` beside the file
 */
export async function createSweep({
  experiment,
  text,
  overrides,
  combinations,
  halving,
  optuna,
  out,
  now = new Date(),
}: {
  experiment: string;
  text: string;
  overrides: readonly string[];
  combinations: readonly Combination[];
  halving?: Halving | undefined;
  optuna?: OptunaSearch | undefined;
  out?: string | undefined;
  now?: Date;
}): Promise<Sweep> {
  const file = resolve(experiment);
  const sweeps = sweepsFolder(file);
  let made: string | undefined;
  try {
    await mkdir(sweeps, { recursive: true });
    const id = await claimName(sweeps, newId(experimentName(file), now));
    made = join(sweeps, id);
    const digits = String(combinations.length).length;
    const plan = combinations.map((vary, i) => ({
      run: runId(id, i + 1, digits),
      set: [...overrides, ...vary],
      vary: [...vary],
    }));
    const runs = out === undefined ? undefined : relative(made, resolve(out));
    const record: SweepRecord = {
      format: FORMAT_VERSION,
      id,
      ...recordedExperiment(made, file),
      ...(runs !== undefined && { runs: isAbsolute(runs) ? runs : runs.replaceAll('\\', '/') }),
      ...(halving && { halving }),
      ...(optuna && { optuna, set: [...overrides] }),
      created: now.toISOString(),
    };
    await writeFile(join(made, EXPERIMENT_FILE), text);
    await writeAtomically(join(made, PLAN_FILE), planText(plan));
    await writeAtomically(join(made, SWEEP_FILE), `${JSON.stringify(record, null, 2)}\n`);
    await syncFolder(sweeps);
    return new Sweep(made, record, plan.map((line, i) => ({ ...line, line: i + 1 }))); // prettier-ignore
  } catch (error) {
    if (made !== undefined) await rm(made, { recursive: true, force: true }).catch(() => undefined);
    const cause = error instanceof UserError ? error.cause : error;
    throw explainDiskError(cause, sweeps, Buffer.byteLength(text), { begun: false });
  }
}

function planText(plan: readonly Omit<PlannedRun, 'line'>[]): string {
  return plan.map(({ run, set, vary, trial }) => `${JSON.stringify({ run, set, vary, trial })}\n`).join('');
}

/** The folder in which the sweeps of an experiment file are. */
function sweepsFolder(experiment: string): string {
  return join(dirname(resolve(experiment)), '.deeptwist', 'sweeps');
}

/** True for the folder of a sweep, by the file that is written last. */
export function isSweepFolder(path: string): boolean {
  return existsSync(join(path, SWEEP_FILE));
}

/** @throws UserError for a folder that is no sweep, is damaged, or was written by a newer version */
export async function openSweep(path: string): Promise<Sweep> {
  const record = parse(await read(path, SWEEP_FILE), join(path, SWEEP_FILE));
  refuseNewer(path, record, FORMAT_VERSION);
  const plan = await readPlan(path);
  return new Sweep(resolve(path), checked(record, sweepRecordSchema, join(path, SWEEP_FILE)), plan);
}

async function readPlan(path: string): Promise<PlannedRun[]> {
  const lines = (await read(path, PLAN_FILE, MOST_PLAN_BYTES)).split('\n').filter((line) => line !== '');
  return lines.map((text, i) => {
    const place = `${join(path, PLAN_FILE)}:${i + 1}`;
    return { ...checked(parse(text, place), plannedRunSchema, place), line: i + 1 };
  });
}

async function read(path: string, name: string, most?: number): Promise<string> {
  try {
    return await readRegularFile(join(path, name), most);
  } catch (error) {
    if (!isMissing(error)) throw explainSystemError(error, { path: join(path, name), cannot: 'read' });
    throw new UserError(`${path} is not the folder of a sweep: it has no ${name}.`, {
      remedy: 'Name a folder in .deeptwist/sweeps, or start the sweep again.',
      cause: error,
    });
  }
}

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(place, 'it is not JSON', error);
  }
}

function checked<T>(value: unknown, schema: z.ZodType<T>, place: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw damaged(place, `${path.join('.')}: ${message}`);
}

function damaged(place: string, reason: string, cause?: unknown): UserError {
  return new UserError(`${place} is damaged: ${reason}.`, {
    remedy: 'Start the sweep again; runs of it that are there stay as they are.',
    exitCode: ExitCode.failed,
    cause,
  });
}
