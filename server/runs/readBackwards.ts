/** @file Reading a run's `events.jsonl` from its end: what was recorded last, of a log of whatever length. */
import type { FileHandle } from 'node:fs/promises';
import type { RunEvent } from '../protocol/events.ts';
import { isMissing, parseEvent } from './readEvents.ts';
import type { Run } from './run.ts';
import { openRegularFile } from './workspaceFile.ts';

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
  const file = await openRegularFile(run.eventsFile).catch((error: unknown) => {
    if (isMissing(error)) return undefined; // Nothing has been recorded yet.
    throw error;
  });
  if (!file) return 0;
  try {
    const { size } = await file.stat();
    if (size < from) return size;
    const first = Math.max(from, size - most);
    let end: number | undefined;
    let held: Buffer = Buffer.alloc(0); // Up to the end of the line whose beginning is before `start`.
    for (let start = size; start > first;) {
      const stop = start;
      start = Math.max(first, stop - CHUNK_BYTES);
      const bytes = Buffer.concat([await readRange(file, start, stop), held]);
      let newline = bytes.lastIndexOf(NEWLINE);
      end ??= newline < 0 ? undefined : start + newline + 1; // What follows it is half a line.
      while (newline >= 0) {
        const before = newline === 0 ? -1 : bytes.lastIndexOf(NEWLINE, newline - 1);
        if (before < 0 && start > from) break;
        const event = eventOf(bytes.subarray(before + 1, newline), types);
        if (event && !take(event)) return end ?? from;
        newline = before;
      }
      held = end === undefined ? bytes : bytes.subarray(0, newline + 1);
    }
    return end ?? from;
  } finally {
    await file.close();
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
