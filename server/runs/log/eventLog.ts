/** @file Appending to a run's `events.jsonl`. */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import type { RunEvent } from '../../protocol/run/events.ts';
import type { UserError } from '../../protocol/userError.ts';
import { deletedFolder, explainDiskError } from '../disk.ts';
import type { Run } from '../run.ts';

const FLUSH_MS = 1000;
const FLUSH_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const LONGEST_CHECKPOINT_BYTES = 4096;
/** Events after which a reader must not have to wait. */
const AT_ONCE = new Set<RunEvent['type']>([
  'started',
  'checkpoint',
  'warning',
  'changed',
  'thinned',
  'finished',
  'failed',
  'stopped',
]);

/** What a step meets whose run was stopped without waiting for it. */
export class ClosedLogError extends Error {}

/**
 * Appends events, one JSON object a line. Events are on disk a second later at most, at once when they tell of a
 * checkpoint or an end. Writing is synchronous: it goes to the page cache, and so an event can be recorded from anywhere,
 * also from a handler of a signal. One process at a time may have a run's log open: see {@link lockRun}.
 */
export class EventLog {
  readonly #run: Run;
  readonly #file: number;
  readonly #timer: NodeJS.Timeout;
  #lines: string[] = [];
  #bufferedBytes = 0;
  #lastFlush = Date.now();
  /** Bytes in the file, all of them whole lines. */
  #offset: number;
  #failure: unknown;
  #closed = false;

  private constructor(run: Run, file: number, offset: number) {
    this.#run = run;
    this.#file = file;
    this.#offset = offset;
    this.#timer = setInterval(() => this.#flushInBackground(), FLUSH_MS);
    this.#timer.unref();
  }

  /**
   * Opens a run's log at its end.
   * @param cutAt where to continue, in bytes: the `eventsOffset` of the checkpoint that the run resumes from. The events
   *   after it tell of steps that will be done again, so they are removed, and a reader sees each step once. Readers that
   *   follow the run learn of it from `cuts` in `run.json`, which is written before anything new is appended.
   * @param checkpoint step of that checkpoint: its own event, which follows its offset, stays
   */
  static async open(run: Run, { cutAt, checkpoint }: { cutAt?: number; checkpoint?: number } = {}): Promise<EventLog> {
    const file = openSync(run.eventsFile, 'a+');
    try {
      const size = fstatSync(file).size;
      let end = endOfLastLine(file, Math.min(cutAt ?? size, size));
      if (checkpoint !== undefined) end += bytesOfCheckpoint(file, end, checkpoint);
      if (end < size) {
        ftruncateSync(file, end);
        fsyncSync(file);
        await run.update({ cuts: [...run.record.cuts, end] });
      }
      return new EventLog(run, file, end);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** Bytes of all that was recorded, also of what is not yet in the file. */
  get end(): number {
    return this.#offset + this.#bufferedBytes;
  }

  /** Records an event. @throws what an earlier write in the background met */
  append(event: RunEvent): void {
    if (this.#failure !== undefined) throw this.#failure;
    const line = JSON.stringify(event) + '\n';
    this.#lines.push(line);
    this.#bufferedBytes += Buffer.byteLength(line);
    const due = Date.now() - this.#lastFlush >= FLUSH_MS || this.#bufferedBytes >= FLUSH_BYTES;
    if (due || AT_ONCE.has(event.type)) this.flush();
  }

  /** Hands everything to the operating system: it survives the death of this process. */
  flush(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#lastFlush = Date.now();
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(this.#lines.join(''));
    this.#failure = this.#deletedFolder();
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      this.#failure = explainDiskError(error, this.#run.path, bytes.length);
      this.#removePartOfLine();
      throw this.#failure;
    }
    this.#offset += bytes.length;
    this.#lines = [];
    this.#bufferedBytes = 0;
  }

  /** Puts everything on the disk: it survives a power cut. Returns the length of the log in bytes, for a checkpoint. */
  sync(): number {
    this.flush();
    fsyncSync(this.#file);
    return this.#offset;
  }

  /**
   * Flushes and closes; can be called twice. The file is closed also when the flush fails; after an earlier failure nothing is
   * flushed. What is appended after it fails.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    try {
      if (this.#failure === undefined) this.sync();
    } finally {
      this.#failure ??= new ClosedLogError(`${this.#run.eventsFile} is closed.`);
      closeSync(this.#file);
    }
  }

  #flushInBackground(): void {
    try {
      this.flush();
    } catch {
      // Kept in #failure: the next append throws it to whoever can stop the run.
    }
  }

  /** What is written to a deleted file goes nowhere, without an error. */
  #deletedFolder(): UserError | undefined {
    const there = statSync(this.#run.eventsFile, { throwIfNoEntry: false });
    return there?.ino === fstatSync(this.#file).ino ? undefined : deletedFolder(this.#run.path);
  }

  #removePartOfLine(): void {
    try {
      ftruncateSync(this.#file, this.#offset);
    } catch {
      // A reader ignores a last half line, and the next open() removes it.
    }
  }
}

/** The length of the whole lines in a run's log, in bytes. */
export function recordedLength(run: Run): number {
  if (!existsSync(run.eventsFile)) return 0;
  const file = openSync(run.eventsFile, 'r');
  try {
    return endOfLastLine(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

/** Length of the line at `start`, where that is the `checkpoint` event of a step; else 0. */
function bytesOfCheckpoint(file: number, start: number, step: number): number {
  const block = Buffer.alloc(LONGEST_CHECKPOINT_BYTES);
  const bytes = block.subarray(0, readSync(file, block, 0, block.length, start));
  const length = bytes.indexOf(NEWLINE) + 1;
  try {
    const event = JSON.parse(bytes.subarray(0, length).toString()) as RunEvent;
    return event.type === 'checkpoint' && event.step === step ? length : 0;
  } catch {
    return 0; // Cut short, or longer than a checkpoint's.
  }
}

/** The end of the last whole line that ends at or before `limit`. */
function endOfLastLine(file: number, limit: number): number {
  const block = Buffer.alloc(64 * 1024);
  for (let end = limit; end > 0;) {
    const start = Math.max(0, end - block.length);
    const bytes = readSync(file, block, 0, end - start, start);
    const newline = block.subarray(0, bytes).lastIndexOf(NEWLINE);
    if (newline !== -1) return start + newline + 1;
    end = start;
  }
  return 0;
}
