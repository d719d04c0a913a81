/** @file How many threads a machine takes, and what more of them do. */

/** A number that no machine trains faster with; the schema refuses more. */
export const MOST_THREADS = 256;
const THREADS_PER_CORE = 4;

export interface ThreadsProblem {
  /** More than a machine can be asked for, or only slower than fewer. */
  readonly isError: boolean;
  readonly message: string;
}

/**
 * Judges `training.threads`. Threads wait busily for one another: a few too many make each step slower, and very many take the whole
 * machine, so that not even a signal is heard.
 * @param cores that a process may use on the machine that trains
 */
export function threadsProblem(threads: number, cores: number): ThreadsProblem | undefined {
  if (threads <= cores) return undefined;
  const machine = `this machine has ${cores} core${cores === 1 ? '' : 's'}`;
  const most = cores * THREADS_PER_CORE;
  return threads > most
    ? { isError: true, message: `expected at most ${most}, since ${machine}, got ${threads}` }
    : { isError: false, message: `${machine}: ${threads} threads make each step slower than ${cores} do` };
}
