/**
 * How long a script or a test waits for something that has to come, in milliseconds: minutes, since it only tells a process
 * that hangs from a machine that is busy.
 */
export const PATIENCE = 120_000;

/** How long one test may take, milliseconds: several waits, each with its own message where it fails. */
export const TEST_TIMEOUT = 3 * PATIENCE;
