/** @file Ctrl-C, and the polite kill of a scheduler. */
import { ExitCode } from '../protocol/userError.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Listens until `dispose`: the first signal aborts the returned one, so that a run stops in order; the second ends the
 * process at once.
 * @param onFirst called at the first
 */
export function listenForInterrupt(onFirst: () => void): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  function interrupt(): void {
    if (controller.signal.aborted) process.exit(ExitCode.stopped);
    controller.abort();
    onFirst();
  }
  for (const signal of signals) process.on(signal, interrupt);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}
