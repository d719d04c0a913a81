/** @file Words of a command as a POSIX shell takes them. */

export function shellWord(word: string): string {
  return /^[\w./@:+-]+$/.test(word) && !word.startsWith('-') ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
