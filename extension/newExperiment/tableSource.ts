/** @file What is seen in the first line of a table. */

const BYTE_ORDER_MARK = /^\uFEFF/;
const DELIMITERS = [',', ';', '\t', '|'];

/**
 * The name of the last column of a CSV file, the most frequent delimiter being that of the file; undefined for a line without one.
 * @param text the beginning of the file
 */
export function lastColumn(text: string): string | undefined {
  const [line] = text.replace(BYTE_ORDER_MARK, '').split(/\r?\n|\r/, 1);
  // What is in quotes may have delimiters in it.
  const bare = line.replace(/"(?:[^"]|"")*"/g, (quoted) => '_'.repeat(quoted.length));
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length - 1);
  const most = Math.max(...counts);
  if (most === 0) return undefined;
  const name = line.slice(bare.lastIndexOf(DELIMITERS[counts.indexOf(most)]) + 1).trim();
  const inner = /^"(.*)"$/.exec(name)?.[1].replaceAll('""', '"') ?? name;
  return inner === '' ? undefined : inner;
}
