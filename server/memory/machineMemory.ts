/** @file The memory of this machine. */
import { totalmem } from 'node:os';

/** Bytes of memory that this process may use: those of its container, where that has a limit. */
export function memoryOfMachine(): number {
  // Without a limit, some systems give 0, others a number beyond all memory.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
