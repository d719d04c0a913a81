/** @file Recognizing a process again: a pid alone may by now be another process's. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcessIdentity } from './runRecord.ts';

/** The identity of a process on this machine, which belongs to the same job of a cluster as this one. */
export function identify(pid: number): ProcessIdentity {
  const job = ownJob();
  return { pid, startTime: startTimeOf(pid), host: hostname(), ...(job && { job }) };
}

/** The job of a cluster in which this process is. */
function ownJob(): ProcessIdentity['job'] {
  const { SLURM_JOB_ID: id, SLURM_JOB_NAME: name = '', SLURM_CLUSTER_NAME: cluster = '' } = process.env;
  if (id !== undefined)
    return { id: `${cluster}/${id}`, name, restart: Number(process.env.SLURM_RESTART_COUNT ?? 0) || 0 };
  const { DEEPTWIST_JOB: job, JOB_COMPLETION_INDEX: index = '' } = process.env;
  // Such a scheduler does not count: the later one is the one that runs.
  return job === undefined
    ? undefined
    : { id: `${job}/${index}`, name: '', restart: Math.floor(performance.timeOrigin) };
}

/** True for a process of the own job before that was started again: a scheduler ends all of them before it does so. */
function isOfEarlierStart({ job }: ProcessIdentity): boolean {
  const own = job && ownJob();
  return own !== undefined && own.id === job?.id && job.restart < own.restart;
}

/** True where the process still runs; 'unknown' when it was started on another machine. */
export function isAlive(identity: ProcessIdentity): boolean | 'unknown' {
  if (identity.host !== hostname()) return isOfEarlierStart(identity) ? false : 'unknown';
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return startTimeOf(identity.pid) === identity.startTime;
}

/** Identifies this boot of the system, on Linux. */
let bootId: string | undefined;

/** The start time of a process; undefined where the system does not tell (Windows), which leaves the pid to go by. */
function startTimeOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // proc_pid_stat(5): field 22, in clock ticks since boot. Field 2 is a name in parentheses that may hold anything.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      return `${bootId}/${afterName[22 - 3]}`;
    }
    if (process.platform === 'win32') return undefined;
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
