/** @file What every page with charts says to the extension. */

/** A chart as a file. */
export type SavedChart =
  | { readonly type: 'save'; readonly name: string; readonly format: 'csv'; readonly content: string }
  | { readonly type: 'save'; readonly name: string; readonly format: 'png'; readonly content: Uint8Array };

export type FromPage =
  /** Saves a chart where the user says. */
  | SavedChart
  /** Something in the page failed; goes to the extension's log. */
  | { readonly type: 'error'; readonly message: string };
