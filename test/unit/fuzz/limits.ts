/** @file What a reader may take for one case. */

/** Processor time that a case may take; other processes on the machine do not use it up. */
export const CPU_LIMIT_MS = 2000;
export const MEMORY_LIMIT_BYTES = 300 * 2 ** 20;
/** A case that has not ended then is killed: it hangs, or waits for what never comes. */
export const WALL_LIMIT_MS = 30_000;
/** A process that has grown by so much is killed before it harms the machine. */
export const KILL_BYTES = 2 ** 30;
