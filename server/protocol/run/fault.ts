/** @file What makes a run fail again for as long as its settings stay as they are, as those of a run do. */
import { ExitCode, UserError } from '../userError.ts';

/**
 * Why a run fails again whenever it is gone on with: training diverges, or a setting fits neither model nor data. A failure has none where
 * something else can be mended: the disk, memory, a module, a file.
 */
export const faults = ['divergence', 'settings'] as const;
export type Fault = (typeof faults)[number];

/** Training came to numbers that are not finite. */
export class DivergenceError extends UserError {}

/** Why an error comes again with the same settings; undefined for one that other settings do not mend. */
export function faultOf(error: unknown): Fault | undefined {
  if (error instanceof DivergenceError) return 'divergence';
  return error instanceof UserError && error.exitCode === ExitCode.usage ? 'settings' : undefined;
}
