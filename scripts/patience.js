/**
 * How long a script or a test waits for something that has to come, in milliseconds: minutes, since it only tells a process
 * that hangs from a machine that is busy.
 */
export const PATIENCE = 120_000;

/**
 * How often a test that failed is tried once more: on CI, whose machine may be several times as slow as usual, once; such a test is named at the end,
 * so that it is mended. On a developer's machine it fails.
 */
export const RETRIES = process.env.CI ? 1 : 0;

/** How long one test may take, milliseconds: several waits, each with its own message where it fails. */
export const TEST_TIMEOUT = 3 * PATIENCE;
