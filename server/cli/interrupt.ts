/**
 * @file Ctrl-C, the polite kill of a scheduler, and the end of the connection to a program that started this one with `fork`: on
 * Windows, where a kill is never polite, it can ask for the same by `disconnect`.
 */

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Listens until `dispose`: the first signal aborts the returned one, so that a run stops in order. The second is left to the
 * system, which ends the process at once, whatever it is doing.
 * @param onFirst called at the first
 */
export function listenForInterrupt(onFirst: () => void): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  function dispose(): void {
    for (const signal of signals) process.off(signal, interrupt);
    process.off('disconnect', interrupt);
  }
  function interrupt(): void {
    dispose();
    controller.abort();
    onFirst();
  }
  for (const signal of signals) process.on(signal, interrupt);
  process.on('disconnect', interrupt);
  // It has disconnected before.
  if (process.send && !process.connected) interrupt();
  return { signal: controller.signal, dispose };
}
