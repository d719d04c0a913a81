/**
 * @file Text that came from files, other processes or users' code, made fit for a terminal or a log: a terminal obeys control
 * characters (they can set its title or the clipboard), and characters that turn the direction of writing hide what a line says.
 */

/** Control characters, C1 ones included, separators of lines, and characters that turn the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** The text without them; ends of lines and tabs stay. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\n' || character === '\t' ? character : ''));
}

/** The same in one line: a name must not make lines of its own. */
export function printableLine(text: string): string {
  return printable(text.replaceAll(/[\n\r\t\u2028\u2029]+/g, ' '));
}

/** One line of at most `longest` characters, with an ellipsis where it was cut. */
export function shortLine(text: string, longest: number): string {
  const line = printableLine(text.slice(0, 2 * longest));
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}

/** A value as JSON in one line, in which those characters stand as `\u` and four digits: nothing is lost. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
