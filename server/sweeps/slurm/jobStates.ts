/** @file What Slurm says of the jobs of a sweep: the answers of `squeue` and `sacct`, of old and of new versions. */
import * as z from 'zod';
import { callSlurm, hasProgram, type Answer } from './programs.ts';

/** A task of an array job. */
export interface Task {
  /** As Slurm names it: 123_7. */
  readonly job: string;
  /** The number of its own, which its process finds in SLURM_JOB_ID; undefined where it waits together with others. */
  readonly id: string | undefined;
  readonly name: string;
  /** Index in the array. */
  readonly index: number;
  /** `PENDING`, `RUNNING`, `CANCELLED`, … */
  readonly state: string;
  /** Why it waits; empty where Slurm gives no reason. */
  readonly reason: string;
}

/** States from which a job does not come back by itself. */
const ENDED = new Set([
  'BOOT_FAIL',
  'CANCELLED',
  'COMPLETED',
  'DEADLINE',
  'FAILED',
  'LAUNCH_FAILED',
  'NODE_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'REVOKED',
  'TIMEOUT',
]);

export function isEnded({ state }: Pick<Task, 'state'>): boolean {
  return ENDED.has(state);
}

/** Numbers of Slurm 23.11 and later say if they are there. */
const number = z.union([
  z.number(),
  z.object({ set: z.boolean(), number: z.number() }).transform(({ set, number: value }) => (set ? value : undefined)),
]);
const queue = z.object({
  jobs: z.array(
    z.object({
      job_id: z.number(),
      name: z.string(),
      array_job_id: number.nullish(),
      array_task_id: number.nullish(),
      array_task_string: z.string().nullish(),
      job_state: z.union([z.string(), z.array(z.string())]),
      state_reason: z.string().nullish(),
    }),
  ),
});

/** The tasks in an answer of `squeue --json` whose job has one of the names; undefined where it is none, or has been cut short. */
export function parseQueueJson(text: string, names: ReadonlySet<string>): Task[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { success, data } = queue.safeParse(parsed);
  if (!success) return undefined;
  const tasks: Task[] = [];
  for (const job of data.jobs) {
    if (!names.has(job.name)) continue;
    const { job_id: id, array_task_string: waiting, array_task_id: index, array_job_id: array } = job;
    const common = { name: job.name, state: stateOf(job.job_state), reason: reasonOf(job.state_reason) };
    const number = array === null || array === undefined || array === 0 ? id : array;
    if (typeof index === 'number' && !waiting) {
      tasks.push({ ...common, job: `${number}_${index}`, id: String(id), index });
      continue;
    }
    const indexes = parseIndexes(waiting ?? '');
    if (!indexes) return undefined;
    for (const i of indexes) tasks.push({ ...common, job: `${number}_${i}`, id: undefined, index: i });
  }
  return tasks;
}

/** The first is the state; `REQUEUED` and the like come behind it. */
function stateOf(state: string | readonly string[]): string {
  const states = typeof state === 'string' ? [state] : state;
  // Cancelled and completing is on its way to the end, and still there.
  return states.includes('COMPLETING') ? 'COMPLETING' : (states[0] ?? '');
}

function reasonOf(reason: string | null | undefined): string {
  return reason === null || reason === undefined || reason === 'None' ? '' : reason;
}

/** `1-3,7%2` as 1, 2, 3, 7; undefined for a list that Slurm has cut short by `...`. */
export function parseIndexes(text: string): number[] | undefined {
  const indexes: number[] = [];
  for (const part of text.split('%')[0].split(',')) {
    const range = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part);
    if (!range) return undefined;
    const [from, to, by] = [range[1], range[2] ?? range[1], range[3] ?? '1'].map(Number);
    for (let i = from; i <= to; i += by) indexes.push(i);
  }
  return indexes;
}

/** Ranges of ascending numbers, as `sbatch --array` takes them: `1-3,7`. */
export function formatIndexes(indexes: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const i of indexes) {
    const last = parts.at(-1);
    if (last?.[1] === i - 1) last[1] = i;
    else parts.push([i, i]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

const TEXT_FORMAT = '%i|%A|%T|%r|%j';

/** The tasks in an answer of `squeue -h -r -o '%i|%A|%T|%r|%j'`. */
export function parseQueueText(text: string, names: ReadonlySet<string>): Task[] {
  return text.split('\n').flatMap((line): Task[] => {
    const [job, id, state, reason, ...name] = line.split('|');
    const index = /_(\d+)$/.exec(job)?.[1];
    if (index === undefined || !names.has(name.join('|'))) return [];
    return [{ job, id, state, reason: reasonOf(reason), name: name.join('|'), index: Number(index) }];
  });
}

/** The tasks in an answer of `sacct -n -P --format=JobID,JobIDRaw,State,JobName`. */
export function parseAccounting(text: string, names: ReadonlySet<string>): Task[] {
  return text.split('\n').flatMap((line): Task[] => {
    const [job, id, state = '', ...name] = line.split('|');
    const index = /^\d+_(\d+)$/.exec(job)?.[1];
    if (index === undefined || !names.has(name.join('|'))) return [];
    // "CANCELLED by 1000"
    return [{ job, id, state: state.split(' ')[0], reason: '', name: name.join('|'), index: Number(index) }];
  });
}

/**
 * The tasks of the jobs with some names, those that have ended among them as long as the controller remembers them.
 * @returns the answer where the controller does not give one: then nothing is known
 */
export async function readQueue(names: ReadonlySet<string>): Promise<Task[] | Answer> {
  const which = ['--states=all', `--name=${[...names].join(',')}`];
  const json = await callSlurm('squeue', ['--json', ...which]);
  const tasks = json.code === 0 ? parseQueueJson(json.stdout, names) : undefined;
  if (tasks) return tasks;
  // Versions before 21.08 do not know --json, nor do some that were built without it.
  const text = await callSlurm('squeue', ['--noheader', '--array', ...which, `--format=${TEXT_FORMAT}`]);
  return text.code === 0 ? parseQueueText(text.stdout, names) : text;
}

/** What the accounting remembers of the tasks of jobs, which is longer than the controller does; nothing where there is none. */
export async function readAccounting(names: ReadonlySet<string>, since: Date): Promise<Task[]> {
  if (!(await hasProgram('sacct'))) return [];
  const start = since.toISOString().slice(0, 10);
  const { code, stdout } = await callSlurm('sacct', [
    ...['--noheader', '--parsable2', '--allocations', `--starttime=${start}`],
    ...[`--name=${[...names].join(',')}`, '--format=JobID,JobIDRaw,State,JobName'],
  ]);
  return code === 0 ? parseAccounting(stdout, names) : [];
}
