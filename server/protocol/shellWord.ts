/** @file A word of a command as POSIX shells take it. Pure. */

/** Signs that mean nothing to a shell in the middle of a word. */
const PLAIN = /^[\w./@:+,%][\w./@:+,%=-]*$/;

export function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
