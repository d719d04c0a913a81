/** @file Work of a command that shows its progress, that Ctrl-C cancels, and that ends with a report. */
import { printableJson } from '../protocol/printable.ts';
import { ExitCode } from '../protocol/userError.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import type { CommandContext } from './command.ts';
import { ExportStatus } from './exportStatus.ts';
import { styled } from './terminal.ts';

export interface ReportedWork<Result> {
  /** Format of progress that a program asks for; absent for people. */
  readonly progress?: 'json' | undefined;
  /** True where the result is printed as one JSON object in the place of {@link lines}. */
  readonly json: boolean | undefined;
  /** What the user reads after Ctrl-C: a sentence. */
  readonly cancelled: string;
  work(how: { signal: AbortSignal; onProgress: (state: ExportProgress) => void }): Promise<Result>;
  warnings?(result: Result): readonly string[];
  /** The result, for people. */
  lines(result: Result): readonly string[];
}

/** @returns the exit code of the command */
export async function reportWork<Result>(
  { stdout, stderr, onInterrupt }: Pick<CommandContext, 'stdout' | 'stderr' | 'onInterrupt'>,
  { progress, json, cancelled, work, warnings, lines }: ReportedWork<Result>,
): Promise<number> {
  const status = new ExportStatus(stderr, progress);
  const interrupt = onInterrupt(() => status.clear());
  try {
    const result = await work({ signal: interrupt.signal, onProgress: (state) => status.show(state) });
    status.clear();
    for (const warning of warnings?.(result) ?? [])
      stderr.write(`${styled(stderr, 'yellow', 'warning:')} ${warning}\n`);
    stdout.write((json ? printableJson(result) : lines(result).join('\n')) + '\n');
    return ExitCode.done;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    stderr.write(`${cancelled}\n`);
    return ExitCode.stopped;
  } finally {
    status.clear();
    interrupt.dispose();
  }
}
