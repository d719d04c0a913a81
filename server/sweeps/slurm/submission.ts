/** @file Runs of a sweep as array jobs of Slurm: their script, their submission, and taking it back. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { shellWord } from '../../protocol/shellWord.ts';
import { UserError } from '../../protocol/userError.ts';
import { writeAtomically } from '../../runs/disk.ts';
import type { Refusal } from '../../runs/lockFile.ts';
import { lockRun, type RunEnd } from '../../runs/lockRun.ts';
import { pathWord } from '../../runs/pathWord.ts';
import type { ProcessIdentity } from '../../runs/runRecord.ts';
import { readRegularFile } from '../../runs/workspaceFile.ts';
import type { PlannedRun, Sweep } from '../sweepFolder.ts';
import { formatIndexes } from './jobStates.ts';
import { callSlurm, refusedJob } from './programs.ts';

const setupSchema = z.object({
  options: z.array(z.string()).describe('Options of sbatch that the user gave.'),
  parallel: z.int().positive().optional().describe('Runs at a time; absent: as many as the cluster takes.'),
});

/** How the jobs of a sweep are submitted, and submitted again. */
export type SlurmSetup = z.output<typeof setupSchema>;

/** Files of a sweep that is on Slurm. */
export function slurmFolder({ path }: Sweep): string {
  return join(path, 'slurm');
}

const setupFile = (sweep: Sweep) => join(slurmFolder(sweep), 'setup.json');

/** How a sweep was submitted; undefined for one that never was. */
export async function readSetup(sweep: Sweep): Promise<SlurmSetup | undefined> {
  const text = await readRegularFile(setupFile(sweep)).catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return setupSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(`${setupFile(sweep)} is damaged.`, {
      remedy: 'Say again how the runs are submitted: --engine slurm --slurm "OPTIONS OF SBATCH".',
      cause: error,
    });
  }
}

export async function writeSetup(sweep: Sweep, setup: SlurmSetup): Promise<void> {
  await mkdir(slurmFolder(sweep), { recursive: true });
  await writeAtomically(setupFile(sweep), `${JSON.stringify(setup, null, 2)}\n`);
}

/** Seconds before the end of a job's time at which its process is asked to stop: a long step and a checkpoint fit in. */
const WARNING_SECONDS = 120;
/** Slurm's own default. */
const MAX_ARRAY_SIZE = 1001;

/** Lines that an array job can have: its indexes go from 1. */
export async function linesPerJob(): Promise<number> {
  const { stdout } = await callSlurm('scontrol', ['show', 'config']);
  const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(stdout)?.[1] ?? MAX_ARRAY_SIZE);
  return Math.max(1, size - 1);
}

/** Name of the job that has line `offset + 1` as its index 1. */
function jobName({ id }: Sweep, offset: number): string {
  return offset === 0 ? `deeptwist-${id}` : `deeptwist-${id}+${offset}`;
}

/** Names of all jobs that a sweep can have, with the offset of each. */
export function jobNames(sweep: Sweep, perJob: number): Map<string, number> {
  const offsets = Array.from({ length: Math.ceil(sweep.plan.length / perJob) }, (_, i) => i * perJob);
  return new Map(offsets.map((offset) => [jobName(sweep, offset), offset]));
}

export interface SubmitOptions {
  readonly setup: SlurmSetup;
  readonly perJob: number;
  /** The built command line. */
  readonly script: string;
  /** True for a process that is known to have ended, though it is another machine's. */
  readonly isGone: (holder: ProcessIdentity) => boolean;
  /** Told of each line that another process sees to. */
  readonly onClaimed?: ((planned: PlannedRun, by: Refusal) => void) | undefined;
}

/**
 * Submits lines of a plan, as one array job, or as several where there are more than Slurm takes in one. Their runs are queued on Slurm then.
 * @returns the lines that were submitted: not those that another process sees to
 * @throws UserError where Slurm refuses: the runs of what was not submitted are as before
 */
export async function submitLines(
  sweep: Sweep,
  lines: readonly PlannedRun[],
  { setup, perJob, script, isGone, onClaimed }: SubmitOptions,
): Promise<PlannedRun[]> {
  const file = join(slurmFolder(sweep), 'job.sh');
  await mkdir(slurmFolder(sweep), { recursive: true });
  const command = [process.execPath, script, 'sweep', sweep.path].map(shellWord).join(' ');
  // In the place of the shell: the process itself gets the signals of Slurm.
  const body = `exec ${command} --engine slurm --task "$((SLURM_ARRAY_TASK_ID + \${1:-0}))"`;
  await writeFile(file, `#!/bin/sh\n# The job of a run; its first argument is added to the index.\n${body}\n`);
  const submitted: PlannedRun[] = [];
  for (const [name, offset] of jobNames(sweep, perJob)) {
    const queued: { planned: PlannedRun; takeBack: () => Promise<void> }[] = [];
    for (const planned of lines) {
      if (planned.line <= offset || planned.line > offset + perJob) continue;
      const takeBack = await enqueue(sweep, planned, isGone);
      if (typeof takeBack === 'function') queued.push({ planned, takeBack });
      else onClaimed?.(planned, takeBack);
    }
    if (queued.length === 0) continue;
    const indexes = formatIndexes(queued.map(({ planned }) => planned.line - offset));
    const atOnce = setup.parallel === undefined ? '' : `%${setup.parallel}`;
    try {
      const answer = await callSlurm('sbatch', [
        ...['--parsable', `--array=${indexes}${atOnce}`, `--job-name=${name}`],
        ...['--requeue', `--signal=B:TERM@${WARNING_SECONDS}`, '--open-mode=append'],
        ...[`--output=${join(slurmFolder(sweep), '%A_%a.log')}`, `--chdir=${dirname(sweep.experiment)}`],
        ...setup.options,
        ...[file, String(offset)],
      ]);
      const goOn = `deeptwist sweep ${pathWord(sweep.path)} --engine slurm --slurm "OPTIONS OF SBATCH"`;
      if (answer.code !== 0) throw refusedJob(answer, goOn);
    } catch (error) {
      for (const { takeBack } of queued) await takeBack();
      throw error;
    }
    submitted.push(...queued.map(({ planned }) => planned));
  }
  return submitted;
}

/**
 * Marks the run of a line as queued on Slurm; makes it where there is none.
 * @returns what takes that back, or the process that has the line
 */
async function enqueue(
  sweep: Sweep,
  planned: PlannedRun,
  isGone: SubmitOptions['isGone'],
): Promise<(() => Promise<void>) | Refusal> {
  const claim = await sweep.claim(planned, isGone);
  if (!('release' in claim)) return claim;
  try {
    const queue = { engine: 'slurm' } as const;
    const found = await sweep.openRun(planned);
    if (!found) {
      const made = await sweep.makeRun(planned);
      await made.update({ queue });
      return () => rm(made.path, { recursive: true, force: true });
    }
    const { state, result, failure, stoppedEarly, queue: before } = found.record;
    const mark = async (marks: { queue: typeof before }, end: RunEnd) => {
      const lock = await lockRun(found, { state: 'queued', isGone });
      await found.update(marks);
      await lock.release(end);
    };
    await mark({ queue }, { state: 'queued' });
    return () => mark({ queue: before }, { state, ...(result && { result }), ...(failure && { failure }), ...(stoppedEarly && { stoppedEarly }) }); // prettier-ignore
  } finally {
    await claim.release();
  }
}
