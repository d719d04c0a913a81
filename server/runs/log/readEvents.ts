/** @file Reading a run's `events.jsonl`, whole or while it grows, a piece at a time. */
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventSchema } from '../../protocol/run/events.ts';
import type { RunEvent, Summary } from '../../protocol/run/events.ts';
import { openRun } from '../run.ts';
import type { Run } from '../run.ts';
import { openLog } from './openLog.ts';

/** Longer lines are no events of any run: readers pass over them and do not hold them in memory. */
export const LONGEST_LINE = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const POLL_MS = 200;
const NEWLINE = 0x0a;

/**
 * The events in a run's log. Memory stays bounded by {@link LONGEST_LINE}. Lines that are no event of this version are passed
 * over: a last half-written line, a type that a later version added.
 * @param fromOffset where to begin, in bytes; in the middle of a line, that line is passed over
 * @param onRead told, after the events before it, of the offset up to which whole lines were read
 */
export async function* readEvents(
  run: Run,
  { fromOffset = 0, onRead }: { fromOffset?: number; onRead?: (offset: number) => void } = {},
): AsyncGenerator<RunEvent> {
  const file = await openLog(run.eventsFile);
  if (!file) return; // The process was stopped before it recorded anything.
  try {
    const lines = new LineSplitter();
    for (let offset = fromOffset; ;) {
      const bytes = await readChunk(file, offset);
      if (bytes.length === 0) return;
      offset += bytes.length;
      for (const line of lines.split(bytes)) {
        const event = parseEvent(line);
        if (event) yield event;
      }
      onRead?.(offset - lines.carried);
    }
  } finally {
    await file.close();
  }
}

/** The events in the last `bytes` of a run's log: how it stands, without reading all of a long run. */
export async function readLastEvents(run: Run, bytes = 256 * 1024): Promise<RunEvent[]> {
  const file = await openLog(run.eventsFile);
  if (!file) return [];
  const { size } = await file.stat().finally(() => file.close());
  const events: RunEvent[] = [];
  for await (const event of readEvents(run, { fromOffset: Math.max(0, size - bytes) })) events.push(event);
  return events;
}

/** The summary at the end of a run's log; undefined for a log without one. */
export async function readSummary(run: Run): Promise<Summary | undefined> {
  return (await readLastEvents(run)).findLast((event) => event.type === 'finished')?.summary;
}

/**
 * The events in a run's log, and then those that are added, until `signal` aborts. When the run is resumed from a
 * checkpoint, its log is cut there; what follows is a `started` event with `resumedFrom`, on which a view drops what it
 * has of later steps.
 * @param options.atEnd as of {@link followLog}
 */
export async function* followEvents(
  run: Run,
  options: Pick<Parameters<typeof followLog>[1], 'signal' | 'atEnd'>,
): AsyncGenerator<RunEvent> {
  for await (const { events } of followLog(run, options)) yield* events;
}

/** A place in a run's log that a reader goes on from another time. */
export interface LogPlace {
  /** Bytes before it; a line begins there. */
  readonly offset: number;
  /** Cuts of the log that were known there. */
  readonly cuts: number;
}

/** What was read of a log at once. */
export interface LogPart {
  readonly events: readonly RunEvent[];
  /** Lines that are no event of this version, among those of the part. */
  readonly passedOver: number;
  /** Behind the part. */
  readonly place: LogPlace;
}

/**
 * As {@link followEvents}, in parts, each with the place that it leads to.
 * @param options.from where to begin; a log that was cut before it is read from the cut on
 * @param options.atEnd asked before the log is read: true where nothing is added any more, so that following ends with the
 *   last whole line
 */
export async function* followLog(
  run: Run,
  {
    signal,
    from,
    atEnd = () => false,
  }: { signal: AbortSignal; from?: LogPlace | undefined; atEnd?: () => boolean | Promise<boolean> },
): AsyncGenerator<LogPart> {
  let lines = new LineSplitter();
  let cutsSeen = from?.cuts ?? run.record.cuts.length;
  let offset = from?.offset ?? 0;
  /** The offset of the line of which a part was read. */
  let lineStart = offset;
  while (!signal.aborted) {
    const isLast = await atEnd();
    const bytes = await readChunkAt(run.eventsFile, offset);
    // The log is cut before run.json tells of it, and grows again only after: bytes that were read before run.json is seen
    // unchanged are from the log that this reader has been following.
    const { cuts } = (await openRun(run.path)).record;
    if (cuts.length > cutsSeen) {
      const cut = lowestCut(cuts, cutsSeen);
      cutsSeen = cuts.length;
      if (cut < offset) {
        lines = new LineSplitter();
        offset = cut;
        lineStart = cut;
      }
      continue;
    }
    offset += bytes.length;
    const last = bytes.lastIndexOf(NEWLINE);
    if (last !== -1) lineStart = offset - bytes.length + last + 1;
    const events: RunEvent[] = [];
    let passedOver = 0;
    for (const line of lines.split(bytes)) {
      const event = parseEvent(line);
      if (event) events.push(event);
      else passedOver++;
    }
    if (last !== -1) yield { events, passedOver, place: { offset: lineStart, cuts: cutsSeen } };
    if (bytes.length > 0) continue;
    if (isLast) return;
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The lowest of the cuts but the first `known`; Infinity where there are no others. There may be more than a call has arguments. */
export function lowestCut(cuts: readonly number[], known: number): number {
  return cuts.slice(known).reduce((lowest, cut) => Math.min(lowest, cut), Infinity);
}

/** Cuts chunks of bytes into lines, carrying a line's beginning over to the next chunk. Lines that are too long are left out. */
class LineSplitter {
  #beginning: Buffer[] = [];
  #carried = 0;

  /** Bytes of the line that has not ended. */
  get carried(): number {
    return this.#carried;
  }

  *split(bytes: Buffer): Generator<string> {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.#carry(bytes.subarray(start, end));
      if (this.#carried <= LONGEST_LINE)
        yield (this.#beginning.length === 1 ? this.#beginning[0] : Buffer.concat(this.#beginning)).toString();
      this.#beginning = [];
      this.#carried = 0;
      start = end + 1;
    }
    if (start < bytes.length) this.#carry(bytes.subarray(start));
  }

  #carry(part: Buffer): void {
    this.#carried += part.length;
    if (this.#carried <= LONGEST_LINE) this.#beginning.push(part);
    else this.#beginning = [];
  }
}

/** Undefined for a line that is no event of this version. */
export function parseEvent(line: string): RunEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

async function readChunk(file: FileHandle, offset: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, offset);
  return buffer.subarray(0, bytesRead);
}

async function readChunkAt(path: string, offset: number): Promise<Buffer> {
  const file = await openLog(path);
  return file ? await readChunk(file, offset).finally(() => file.close()) : Buffer.alloc(0);
}
