/** @file Tables of Markdown. */

/** The lines of a table. @param rows each with as many cells as the header */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
