/** @file A run as a command line, for a terminal or a script: pure. */
import { relative } from 'node:path';

/** `npx deeptwist run FILE --set …`, to be used in `folder`. */
export function commandLineOf(file: string, overrides: readonly string[], folder: string): string {
  const parts = ['npx', 'deeptwist', 'run', relative(folder, file), ...overrides.flatMap((text) => ['--set', text])];
  return parts.map(quoted).join(' ');
}

/** In single quotes where a POSIX shell or PowerShell would not take the text as it stands. */
function quoted(text: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
