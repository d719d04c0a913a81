/** @file Reading a run's `events.jsonl` from an offset to its end. */
import type { RunEvent } from '../../server/protocol/run/events.ts';
import { openLog } from '../../server/runs/log/openLog.ts';
import { LONGEST_LINE } from '../../server/runs/log/readEvents.ts';
import { takeEvents } from './eventLines.ts';

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Hands the events of a log, as it is now, to `take`. Memory is bounded by a chunk and the longest line of an event; longer ones are
 * passed over.
 * @param options.from where a line begins, in bytes
 * @param options.report called after each chunk with the fraction of the log that has been read
 * @returns bytes of the log up to the end of its last whole line: where to read on. Less than `from` when the log has become
 *   shorter than that: it was cut, see `cuts` in run.json
 */
export async function readLog(
  file: string,
  take: (event: RunEvent) => void,
  { from = 0, report }: { from?: number; report?: (fraction: number) => void } = {},
): Promise<number> {
  const log = await openLog(file);
  if (!log) return 0;
  try {
    // What is added meanwhile is left to the next reading: a run that writes fast must not keep its reader for ever.
    const { size } = await log.stat();
    if (size <= from) return size;
    let buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - from));
    let held = 0; // Bytes at the start of the buffer that belong to a line whose end has not been read.
    let passedOver = 0; // Bytes before them that belong to a line which is too long to be held.
    let offset = from;
    while (offset < size) {
      if (held > LONGEST_LINE) {
        passedOver += held;
        held = 0;
        buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      }
      if (held === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const { bytesRead } = await log.read(buffer, held, Math.min(buffer.length - held, size - offset), offset);
      if (bytesRead === 0) break; // Cut meanwhile.
      offset += bytesRead;
      const filled = buffer.subarray(0, held + bytesRead);
      const lineEnd = passedOver > 0 ? filled.indexOf(NEWLINE) + 1 : 0;
      if (passedOver > 0) passedOver = lineEnd > 0 ? 0 : passedOver + filled.length;
      const taken = passedOver > 0 ? filled.length : lineEnd + takeEvents(filled.subarray(lineEnd), take);
      buffer.copyWithin(0, taken, filled.length);
      held = filled.length - taken;
      report?.(offset / size);
    }
    return offset - held - passedOver;
  } finally {
    await log.close();
  }
}
