import { describe, expect, it, vi } from 'vitest';
import { listenForInterrupt } from '../../../server/cli/interrupt.ts';

describe('listenForInterrupt', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('stops in order at the first %s and at once at the second', (signal) => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    const onFirst = vi.fn();
    const listening = process.listenerCount(signal);
    const interrupt = listenForInterrupt(onFirst);
    try {
      expect(interrupt.signal.aborted).toBe(false);
      process.emit(signal);
      expect(interrupt.signal.aborted).toBe(true);
      expect(onFirst).toHaveBeenCalledTimes(1);
      expect(exit).not.toHaveBeenCalled();
      process.emit(signal);
      expect(exit).toHaveBeenCalledWith(130);
    } finally {
      interrupt.dispose();
      exit.mockRestore();
    }
    expect(process.listenerCount(signal)).toBe(listening);
  });
});
