/** @file A command of `deeptwist` in a process of its own, which tells how far it is and prints what came of it as JSON. */
import { ExitCode, UserError } from '../protocol/userError.ts';
import { parseProgressLine, type CommandError, type ExportProgress } from '../protocol/wire/progressLine.ts';
import { runCommand } from './runCommand.ts';

/** A batch is computed to its end before a command stops, and what was written is removed. */
const GRACE_MS = 10_000;

export interface ReportingProcess {
  /** Path of Node. */
  readonly node: string;
  /** Path of the command `deeptwist`. */
  readonly command: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

/**
 * @param args of the command
 * @param directory where it runs
 * @returns what it printed; undefined where the signal aborted
 * @throws UserError for what the command refuses, with its remedy and the option with which it would do it all the same
 */
export async function runReporting(
  args: readonly string[],
  directory: string,
  { node, command, signal, onProgress }: ReportingProcess,
): Promise<unknown> {
  const failures: CommandError[] = [];
  const { exit, output, lastWords } = await runCommand({
    node,
    args: [command, ...args, '--json', '--progress', 'json'],
    directory,
    signal,
    graceMs: GRACE_MS,
    onLine: (text) => {
      const line = parseProgressLine(text);
      if (line && 'progress' in line) onProgress(line.progress);
      else if (line) failures.push(line.error);
    },
  });
  if (exit === ExitCode.done) return JSON.parse(output);
  if (signal.aborted) return undefined;
  const failure = failures.at(-1);
  if (failure) throw new UserError(failure.message, failure);
  throw new UserError(`The process of the command ended before it did (${exit}).`, {
    ...(lastWords !== '' && { remedy: `It printed last: ${lastWords}` }),
  });
}
