/** @file Progress and errors as lines for programs: with `--progress json`, on standard error. */
import { printableJson } from '../protocol/printable.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { CommandError, ExportProgress } from '../protocol/wire/progressLine.ts';
import type { CommandOption } from './command.ts';

export const progressOption: CommandOption = {
  type: 'string',
  value: 'json',
  description: 'Print progress and errors on standard error, one JSON object a line.',
};

/** @throws UserError for another value than `json` */
export function progressOf(command: string, value: string | undefined): 'json' | undefined {
  if (value === undefined || value === 'json') return value;
  throw new UserError(`deeptwist ${command}: there is no progress '${value}'.`, {
    remedy: 'Give --progress json, or leave it out.',
    exitCode: ExitCode.usage,
  });
}

export function progressJson(progress: ExportProgress): string {
  return printableJson({ progress });
}

export function errorJson({ message, remedy, option }: CommandError): string {
  return printableJson({ error: { message, remedy, option } });
}
