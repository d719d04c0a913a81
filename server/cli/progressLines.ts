/** @file Progress and errors as lines for programs: with `--progress json`, on standard error. */
import { printableJson } from '../protocol/printable.ts';
import type { CommandError, ExportProgress } from '../protocol/wire/progressLine.ts';
import type { CommandOption } from './command.ts';
import { wrongUsage } from './wrongUsage.ts';

export const progressOption: CommandOption = {
  type: 'string',
  value: 'json',
  description: 'Print progress and errors on standard error, one JSON object a line.',
};

/** @throws UserError for another value than `json` */
export function progressOf(command: string, value: string | undefined): 'json' | undefined {
  if (value === undefined || value === 'json') return value;
  throw wrongUsage(command, `there is no progress '${value}'`, 'Give --progress json, or leave it out.');
}

/** A line that tells how far the work is. */
export function progressJson(progress: ExportProgress): string {
  return printableJson({ progress });
}

/** A line that tells why the work was not done. */
export function errorJson({ message, remedy, option }: CommandError): string {
  return printableJson({ error: { message, remedy, option } });
}
