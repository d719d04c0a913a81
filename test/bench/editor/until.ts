/** @file Waiting, never for ever: what does not come is told as what was waited for. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How long anything in the editor may take, milliseconds, before the benchmark gives up. */
const PATIENCE_MS = 30_000;

/**
 * Asks again and again until `probe` gives something other than undefined and false, and returns it.
 * @throws an Error that says what was waited for
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { patience = PATIENCE_MS, interval = 20 } = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + patience;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw late(what, patience);
    await sleep(interval);
  }
}

/** The promise's value. @throws an Error that says what was waited for */
export async function within<T>(what: string, promise: Promise<T>, patience = PATIENCE_MS): Promise<T> {
  const timer = new AbortController();
  try {
    const expired = sleep(patience, undefined, { signal: timer.signal }).then(() =>
      Promise.reject(late(what, patience)),
    );
    return await Promise.race([promise, expired]);
  } finally {
    timer.abort();
  }
}

function late(what: string, patience: number): Error {
  return new Error(`Waited ${patience / 1000} s for ${what}.`);
}
