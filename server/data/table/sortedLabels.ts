/** @file The order of classes and categories. */

/** By their values where all are numbers, else by their characters. */
export function sortedLabels(texts: Iterable<string>): string[] {
  const all = [...texts];
  const areNumbers = all.every((text) => text !== '' && Number.isFinite(Number(text)));
  return all.sort((a, b) => (areNumbers && Number(a) - Number(b)) || (a < b ? -1 : 1));
}
