/** @file What was thrown as text: in JavaScript that may be any value. */

/** The message of an error, or the text of another value that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** An error with its stack, or the text of another value that was thrown: for the log of what nobody expected. */
export function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? String(thrown)) : String(thrown);
}
