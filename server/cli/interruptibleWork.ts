/** @file Work of a command that shows its progress and that Ctrl-C cancels. */
import { ExitCode } from '../protocol/userError.ts';
import type { CommandContext } from './command.ts';
import type { ExportStatus } from './exportStatus.ts';

export interface InterruptibleWork<Result> {
  readonly progress: ExportStatus;
  work(signal: AbortSignal): Promise<Result>;
  /** Prints the result, once the progress is off the terminal. */
  report(result: Result): void;
  /** What the user reads after Ctrl-C. */
  readonly cancelled: string;
}

/** @returns the exit code of the command */
export async function doInterruptibly<Result>(
  { stderr, onInterrupt }: Pick<CommandContext, 'stderr' | 'onInterrupt'>,
  { progress, work, report, cancelled }: InterruptibleWork<Result>,
): Promise<number> {
  const interrupt = onInterrupt(() => progress.clear());
  try {
    const result = await work(interrupt.signal);
    progress.clear();
    report(result);
    return ExitCode.done;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    stderr.write(`${cancelled}\n`);
    return ExitCode.stopped;
  } finally {
    progress.clear();
    interrupt.dispose();
  }
}
