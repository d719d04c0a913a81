/** @file Progress and errors as lines for programs: with `--progress json`, on standard error. */
import { printableJson } from '../protocol/printable.ts';
import type { CommandError, ExportProgress } from '../protocol/wire/progressLine.ts';

export function progressJson(progress: ExportProgress): string {
  return printableJson({ progress });
}

export function errorJson({ message, remedy, option }: CommandError): string {
  return printableJson({ error: { message, remedy, option } });
}
