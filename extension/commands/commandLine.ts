/** @file A run as a command line, for a terminal or a script: pure. */
import { basename, relative } from 'node:path';

/** What every shell takes as it stands. */
const PLAIN = /^(?:--set|[A-Za-z0-9_./][A-Za-z0-9_./=-]*)$/;
/** Pasted into a terminal, these act on the line that is typed, quoted or not. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * `deeptwist run FILE --set …`, to be used in `folder`. File names and values may come with somebody else's project: each is
 * one argument, whatever is in it.
 * @param shell the program that the line is for, a path
 * @returns undefined where the shell has no way to write one of the texts, or is not known
 */
export function commandLineOf(
  file: string,
  overrides: readonly string[],
  folder: string,
  shell: string,
): string | undefined {
  const path = relative(folder, file);
  const texts = [path.startsWith('-') ? `./${path}` : path, ...overrides.flatMap((text) => ['--set', text])];
  const quote = quotes[shellName(shell)];
  const quoted = texts.map((text) => (PLAIN.test(text) ? text : quote?.(text)));
  if (quoted.some((text) => text === undefined || CONTROL.test(text))) return undefined;
  return ['deeptwist', 'run', ...quoted].join(' ');
}

/** `bash` for `/usr/bin/bash` and for `C:\\Program Files\\Git\\bin\\bash.exe`. */
function shellName(shell: string): string {
  return basename(shell.replaceAll('\\', '/'))
    .toLowerCase()
    .replace(/\.exe$/, '');
}

/** By the name of their program; undefined is what one cannot write. */
const quotes: Readonly<Partial<Record<string, (text: string) => string | undefined>>> = {
  sh: inSingleQuotes,
  dash: inSingleQuotes,
  bash: inAnsiQuotes,
  zsh: inAnsiQuotes,
  ksh: inAnsiQuotes,
  fish: (text) => `'${text.replace(/[\\']/g, '\\$&')}'`,
  pwsh: inPowerShellQuotes,
  // Version 5 hands quotation marks to programs as they are, and these take them for the ends of arguments.
  powershell: (text) =>
    inPowerShellQuotes(text.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, / /.test(text) ? '$1$1' : '$1')),
  cmd: inCmdQuotes,
};

/** POSIX, 2.2.2: all is literal in single quotes. */
function inSingleQuotes(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** With control characters as octal numbers, and so are the signs that mean something in such quotes. */
function inAnsiQuotes(text: string): string {
  if (!CONTROL.test(text)) return inSingleQuotes(text);
  const octal = (sign: string) =>
    Array.from(Buffer.from(sign), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  return `$'${Array.from(text, (sign) => (CONTROL.test(sign) || "\\'!".includes(sign) ? octal(sign) : sign)).join('')}'`;
}

/** Each of these signs ends single quotes, and two of them stand for one. */
function inPowerShellQuotes(text: string): string {
  return `'${text.replace(/['\u2018-\u201b]/g, '$&$&')}'`;
}

/** Neither a quotation mark nor a variable can be quoted: `deeptwist` is a batch file, and its line is read twice. */
function inCmdQuotes(text: string): string | undefined {
  return /["%!]/.test(text) ? undefined : `"${text.replace(/\\+$/, '$&$&')}"`;
}
