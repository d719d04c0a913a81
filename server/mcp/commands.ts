/** @file What loads a user's modules: commands of `deeptwist` in processes of their own, which a call's end stops. */
import { runReporting } from '../commandClient/runReporting.ts';
import { UserError } from '../protocol/userError.ts';
import { progressText, type Call } from './tool.ts';

/**
 * Runs a command to its end and returns what it prints with `--json`.
 * @param directory where it runs
 * @throws UserError as the command does, or where the call was cancelled
 */
export async function runForAgent(
  { scripts, signal, progress }: Call,
  args: readonly string[],
  directory: string,
): Promise<unknown> {
  const report = await runReporting(args, directory, {
    node: process.execPath,
    command: scripts.command,
    signal,
    onProgress: (state) => progress(progressText(state)),
  });
  if (report === undefined) throw new UserError('The call was cancelled.');
  return report;
}

/** An option of a command, where it is given. */
export function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${name}`, String(value)];
}
