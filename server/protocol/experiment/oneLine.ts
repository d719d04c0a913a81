/** @file A setting as a person writes it in a file. */

/** JSON in one line: `{ "type": "mnist", "path": "…" }` */
export function oneLine(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${oneLine(inner)}`);
  return `{ ${entries.join(', ')} }`;
}
