/** @file Which runs can be gone on with. */
import type { Fault } from './fault.ts';

/**
 * True for a run that was stopped or interrupted, also without a checkpoint: it begins anew. What failed fails again until something is mended,
 * and a run keeps its settings; without a checkpoint there is nothing to go on from.
 */
export function canResume(
  { state, failure }: { readonly state: string; readonly failure?: { readonly fault?: Fault | undefined } | undefined },
  hasCheckpoint: boolean,
): boolean {
  if (state === 'failed') return failure?.fault === undefined && hasCheckpoint;
  return state === 'stopped' || state === 'interrupted';
}
