/** @file A run, and the command line beside it, for tests of commands. */
import { experiment, workspace } from '../training/workspace.ts';
import { callCommandLine } from './callCommandLine.ts';

/**
 * Trains an experiment.
 * @param stopAfter step after which the run stops; default: it finishes
 * @returns the run, and calls of the command line where its experiment is
 */
export async function place(stopAfter?: number, changes: Parameters<typeof workspace>[0] = {}) {
  const made = await workspace({ ...changes, training: { ...experiment.training, steps: 40 } });
  const { run } = await made.run({ stopAfter });
  return {
    run,
    folder: made.folder,
    cli: (args: string[], { interrupted = false } = {}) =>
      callCommandLine(made.folder, args, {
        ...(interrupted && { onInterrupt: () => ({ signal: AbortSignal.abort(), dispose: () => undefined }) }),
      }),
  };
}
