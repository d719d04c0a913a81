/** @file What a task of an array job does about its own job. */
import { leaveRun } from '../../runs/lockRun.ts';
import type { Run } from '../../runs/run.ts';
import { callSlurm } from './programs.ts';

/** The job of this process as `squeue` names it, 123_7; undefined outside of Slurm. */
export function ownJob(): string | undefined {
  const { SLURM_JOB_ID: id, SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: index } = process.env;
  return array !== undefined && index !== undefined ? `${array}_${index}` : id;
}

/**
 * Puts the job of this process back into the queue after its run has stopped because the job's time ends. A job that is cancelled, preempted or
 * requeued is on its way out of the queue or back into it already, and is left alone.
 * @returns true where it is queued again
 */
export async function requeueOwnJob(run: Run): Promise<boolean> {
  const { SLURM_JOB_ID: id } = process.env;
  if (id === undefined) return false;
  const { stdout } = await callSlurm('squeue', ['--noheader', `--jobs=${id}`, '--format=%T']);
  if (stdout.trim() !== 'RUNNING') return false;
  // Before: this process is ended by what it asks for.
  await leaveRun(run, { state: 'queued' });
  const { code } = await callSlurm('scontrol', ['requeue', id]);
  if (code === 0) return true;
  await leaveRun(run, { state: 'stopped' });
  return false;
}
