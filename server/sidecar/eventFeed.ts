/**
 * @file The events of a run for its clients: what was recorded before from the file, what is recorded now from memory, without
 * a gap and without a repetition. Memory is bounded however many clients there are and however slowly they read: a client that
 * falls behind goes on from the file.
 */
import { open } from 'node:fs/promises';
import type { RunEvent } from '../protocol/run/events.ts';
import type { EventLog } from '../runs/log/eventLog.ts';
import { recordedLength } from '../runs/log/eventLog.ts';
import { lowestCut } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';

const RECENT_BYTES = 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Bytes of the log that an event takes, from `start` to `end`; none where it could not be recorded. */
interface FedEvent {
  readonly event: RunEvent;
  readonly start: number;
  readonly end: number;
}

export interface EventBatch {
  readonly events: readonly RunEvent[];
  /** Bytes of the log that precede what comes next. */
  readonly offset: number;
}

export class EventFeed {
  readonly #run: Run;
  #log: EventLog | undefined;
  #end: number;
  #recent: FedEvent[] = [];
  /** Number of the first of `recent`, counted from the beginning of this process. */
  #first = 0;

  constructor(run: Run) {
    this.#run = run;
    this.#end = recordedLength(run);
  }

  /** The log that is written from now on; it has been cut where the run resumes. */
  follow(log: EventLog): void {
    this.#log = log;
    this.#end = log.end;
  }

  /** An event that has just been recorded. */
  add(event: RunEvent): void {
    const start = this.#end;
    this.#end = this.#log?.end ?? start;
    this.#recent.push({ event, start, end: this.#end });
    if (this.#end - this.#recent[0].start > 2 * RECENT_BYTES) this.#forget();
  }

  /**
   * A reader from a place in the log.
   * @param cutsKnown how many cuts of the log the offset takes into account
   */
  read(offset: number, cutsKnown = Infinity): FeedReader {
    const cuts = () => this.#run.record.cuts;
    const feed = {
      cuts,
      recent: () => ({ events: this.#recent, first: this.#first, end: this.#end }),
      eventsFile: this.#run.eventsFile,
    };
    const known = Math.min(cutsKnown, cuts().length);
    return new FeedReader(feed, Math.min(offset, this.#end, lowestCut(cuts(), known)));
  }

  #forget(): void {
    try {
      this.#log?.flush(); // A client that has not read them yet finds them in the file.
    } catch {
      // The run is about to fail by this.
    }
    const kept = this.#recent.findIndex(({ start }) => start >= this.#end - RECENT_BYTES);
    this.#recent = this.#recent.slice(kept);
    this.#first += kept;
  }
}

interface Source {
  cuts(): readonly number[];
  recent(): { readonly events: readonly FedEvent[]; readonly first: number; readonly end: number };
  readonly eventsFile: string;
}

export class FeedReader {
  readonly #source: Source;
  #offset: number;
  #cutsSeen: number;
  /** Number of the next event, where it is among the recent ones or yet to come. */
  #next: number | undefined;

  constructor(source: Source, offset: number) {
    this.#source = source;
    this.#offset = offset;
    this.#cutsSeen = source.cuts().length;
  }

  /** True when all that was recorded has been read, but for what was recorded a moment ago. */
  get caughtUp(): boolean {
    return this.#next !== undefined;
  }

  /** What follows; undefined where nothing does yet. Never called twice at once. */
  async read(): Promise<EventBatch | undefined> {
    this.#heedCuts();
    const live = this.#readRecent();
    if (live !== 'in the file') return live;
    const { events, end } = this.#source.recent();
    const limit = events.length > 0 ? events[0].start : end;
    const cuts = this.#cutsSeen;
    const bytes = await readLines(this.#source.eventsFile, this.#offset, limit);
    this.#heedCuts();
    if (cuts !== this.#cutsSeen) return this.read();
    if (bytes.length === 0) {
      // The log is just being cut, or it could not be written and lacks what is not recent any more.
      if (events.length > 0) this.#offset = limit;
      return events.length > 0 ? this.read() : undefined;
    }
    this.#offset += bytes.length;
    return { events: parse(bytes), offset: this.#offset };
  }

  #readRecent(): EventBatch | undefined | 'in the file' {
    const { events, first, end } = this.#source.recent();
    if (this.#next === undefined || this.#next < first) {
      const index = events.findIndex(({ start }) => start >= this.#offset);
      const reached = index === -1 ? this.#offset >= end : index > 0 || events[0].start === this.#offset;
      if (!reached) return 'in the file';
      this.#next = first + (index === -1 ? events.length : index);
    }
    const taken = events.slice(this.#next - first);
    if (taken.length === 0) return undefined;
    this.#next += taken.length;
    this.#offset = taken[taken.length - 1].end;
    return { events: taken.map(({ event }) => event), offset: this.#offset };
  }

  #heedCuts(): void {
    const cuts = this.#source.cuts();
    const cut = lowestCut(cuts, this.#cutsSeen);
    this.#cutsSeen = cuts.length;
    if (cut < this.#offset) {
      this.#offset = cut;
      this.#next = undefined;
    }
  }
}

/** Whole lines from `start`, a chunk of them, or one that is longer; not beyond `limit`, where a line ends. */
async function readLines(path: string, start: number, limit: number): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return Buffer.alloc(0);
  try {
    for (let length = CHUNK_BYTES; ; length *= 2) {
      const buffer = Buffer.allocUnsafe(Math.min(length, limit - start));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
      const lines = buffer.subarray(0, buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1);
      if (lines.length > 0 || bytesRead < length) return lines;
    }
  } finally {
    await file.close();
  }
}

/** Lines that are no JSON are passed over, as every reader of a log does. */
function parse(lines: Buffer): RunEvent[] {
  const events: RunEvent[] = [];
  for (const line of lines.toString().split('\n')) {
    try {
      if (line !== '') events.push(JSON.parse(line) as RunEvent);
    } catch {
      // A line that was damaged.
    }
  }
  return events;
}
