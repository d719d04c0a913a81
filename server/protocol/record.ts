/** @file Values whose type nobody promises: what a file, a message or a user's module holds. */

/** True for an object with keys; false for null and for a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
