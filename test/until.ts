/** @file How tests wait: until something is so, never for a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE } from '../scripts/patience.js';

/** The shortest time between two looks, milliseconds. */
const INTERVAL = 10;

/**
 * Waits until `look` gives something other than undefined, null or false, and returns it. What it throws counts as not yet.
 * @param what as in "Waited … for the end of the run"
 * @param patience how long, milliseconds
 * @param longestInterval between two looks, milliseconds: they come less often the longer they have been in vain, for looks that cost much
 * @throws an Error that says what was waited for, with the last error of `look`, when it has not come within minutes
 */
export async function until<T>(
  look: () => T | Promise<T>,
  what = 'something that did not come',
  patience: number = PATIENCE,
  longestInterval = INTERVAL,
): Promise<Exclude<T, undefined | null | false>> {
  const begin = Date.now();
  const deadline = begin + patience;
  let last: unknown;
  do {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false)
        return found as Exclude<T, undefined | null | false>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(Math.min(longestInterval, Math.max(INTERVAL, (Date.now() - begin) / 10)));
  } while (Date.now() < deadline);
  throw new Error(`Waited ${patience / 1000} s for: ${what}`, { cause: last });
}

/** Waits until assertions hold. @throws the last failure as the cause */
export async function untilAsserted(check: () => unknown): Promise<void> {
  await until(async () => {
    await check();
    return true;
  }, 'assertions to hold');
}

/** Lets time pass, for a test that is about time. Nothing is sure to have happened after it: see {@link until}. */
export const pause = (milliseconds: number): Promise<void> => sleep(milliseconds);

/**
 * The shortest of up to 20 measurements, milliseconds: a busy machine makes some of them longer, and none shorter. Ends with the
 * first that is within the limit.
 */
export async function shortest(limit: number, measure: () => number | Promise<number>, attempts = 20): Promise<number> {
  let least = Infinity;
  for (let attempt = 0; attempt < attempts && least > limit; attempt++) least = Math.min(least, await measure());
  return least;
}
