/** @file The state of a run as lists show it. */
import type { Run } from '../runs/run.ts';

/** `finished`, `stopped early`, `queued on Slurm`, … */
export function runStateText(run: Run): string {
  const state = run.observedState();
  const { queue, process, stoppedEarly } = run.record;
  if (state === 'queued' && queue && !process) return 'queued on Slurm';
  return state === 'stopped' && stoppedEarly ? 'stopped early' : state;
}
