/** @file Reading a run's `events.jsonl` from its end: what was recorded last, of a log of whatever length. */
import type { FileHandle } from 'node:fs/promises';
import type { RunEvent } from '../../protocol/run/events.ts';
import { openLog } from './openLog.ts';
import { LONGEST_LINE, parseEvent } from './readEvents.ts';
import type { Run } from '../run.ts';

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
/** How the log writes an event; a line that begins otherwise is parsed to learn its type. */
const TYPE = /^\{"type":"([\w-]+)"/;
const TYPE_BYTES = 40;

/**
 * Hands the events of some types to `take`, the last first, until it returns false. Lines of other types are not parsed: of a
 * metrics line, its first bytes are looked at.
 * @param options.from where a line begins, in bytes: nothing before is read
 * @param options.most bytes that are read at most
 * @returns bytes of the log up to the end of its last whole line: where to read from the next time. Less than `from` where the
 *   log was cut
 */
export async function readBackwards<Type extends RunEvent['type']>(
  run: Run,
  types: readonly Type[],
  take: (event: Extract<RunEvent, { type: Type }>) => boolean,
  { from = 0, most = Infinity }: { from?: number; most?: number } = {},
): Promise<number> {
  const file = await openLog(run.eventsFile);
  if (!file) return 0;
  try {
    const { size } = await file.stat();
    if (size < from) return size;
    const first = Math.max(from, size - most);
    /** End of the last whole line; what follows it is half a line. */
    let end: number | undefined;
    /** Parts of the line whose beginning has not been read. */
    let line = new LineFromItsEnd();
    for (let start = size; start > first;) {
      const stop = start;
      start = Math.max(first, stop - CHUNK_BYTES);
      const bytes = await readRange(file, start, stop);
      let lineEnd = bytes.length;
      for (let newline = bytes.lastIndexOf(NEWLINE); newline >= 0;) {
        if (end === undefined) end = start + newline + 1;
        else {
          line.prepend(bytes.subarray(newline + 1, lineEnd));
          const event = line.event(types);
          if (event && !take(event)) return end;
        }
        line = new LineFromItsEnd();
        lineEnd = newline;
        newline = newline === 0 ? -1 : bytes.lastIndexOf(NEWLINE, newline - 1);
      }
      if (end !== undefined) line.prepend(bytes.subarray(0, lineEnd));
    }
    if (end !== undefined && first === from) {
      const event = line.event(types);
      if (event) take(event);
    }
    return end ?? from;
  } finally {
    await file.close();
  }
}

/** A line of the log that is put together from its end; nothing of it is held where it is longer than an event. */
class LineFromItsEnd {
  #parts: Buffer[] = [];
  #bytes = 0;

  prepend(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes <= LONGEST_LINE) this.#parts.unshift(part);
    else this.#parts = [];
  }

  event<Type extends RunEvent['type']>(types: readonly Type[]): Extract<RunEvent, { type: Type }> | undefined {
    if (this.#bytes === 0 || this.#bytes > LONGEST_LINE) return undefined;
    return eventOf(this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts), types);
  }
}

function eventOf<Type extends RunEvent['type']>(
  line: Buffer,
  types: readonly Type[],
): Extract<RunEvent, { type: Type }> | undefined {
  const type = TYPE.exec(line.toString('latin1', 0, TYPE_BYTES))?.[1];
  if (type !== undefined && !types.includes(type as Type)) return undefined;
  const event = parseEvent(line.toString());
  return event && types.includes(event.type as Type) ? (event as Extract<RunEvent, { type: Type }>) : undefined;
}

async function readRange(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(end - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}
