/**
 * @file Text that came from files, other processes or users' code, made fit for a terminal or a log: a terminal obeys control
 * characters (they can set its title or the clipboard), and characters that turn the direction of writing hide what a line says.
 */

/** Control characters, C1 ones included, and those that turn the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The text without them; ends of lines and tabs stay. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\n' || character === '\t' ? character : ''));
}

/** The same in one line: a name must not make lines of its own. */
export function printableLine(text: string): string {
  return printable(text.replaceAll(/[\n\t]+/g, ' '));
}

/** A value as JSON in one line, in which those characters stand as `\u` and four digits: nothing is lost. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
