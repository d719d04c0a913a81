/** @file The name and the note that a user gives a run. */

export interface RunLabel {
  readonly name?: string | undefined;
  readonly note?: string | undefined;
  /** True for a run that stands first in lists. */
  readonly pinned?: boolean | undefined;
}
