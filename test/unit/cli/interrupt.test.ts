import { describe, expect, it, vi } from 'vitest';
import { listenForInterrupt } from '../../../server/cli/interrupt.ts';

describe('listenForInterrupt', () => {
  it.each(['SIGINT', 'SIGTERM', 'disconnect'] as const)(
    'stops in order at the first %s and leaves the second to the system',
    (signal) => {
      const onFirst = vi.fn();
      const listening = process.listenerCount(signal);
      const interrupt = listenForInterrupt(onFirst);
      expect(interrupt.signal.aborted).toBe(false);
      expect(process.listenerCount(signal)).toBe(listening + 1);
      if (signal === 'disconnect') process.emit(signal);
      else process.emit(signal);
      expect(interrupt.signal.aborted).toBe(true);
      expect(onFirst).toHaveBeenCalledTimes(1);
      expect(process.listenerCount(signal)).toBe(listening);
      interrupt.dispose();
      expect(process.listenerCount(signal)).toBe(listening);
    },
  );
});
