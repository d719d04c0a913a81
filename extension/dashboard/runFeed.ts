/** @file One run as a dashboard's page gets it: what was recorded so far, then the events as they come. */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ToDashboard } from '../../server/protocol/wire/dashboard.ts';
import type { RunEvent } from '../../server/protocol/run/events.ts';
import type { SidecarNotifications } from '../../server/protocol/wire/sidecar.ts';
import { isMissing } from '../../server/protocol/systemError.ts';
import { isUnderWay, openRun } from '../../server/runs/run.ts';
import type { Run } from '../../server/runs/run.ts';
import { SidecarRefusal } from '../../server/sidecarClient/sidecarRefusal.ts';
import type { SharedConnection } from '../sidecar/sidecarConnections.ts';
import { Batch } from './batch.ts';
import type { LoadedSnapshot, LoadOptions } from './loadSnapshot.ts';

export type FeedMessage = Extract<ToDashboard, { type: 'loading' | 'snapshot' | 'events' | 'exports' | 'live' }>;

export interface FeedOptions {
  /** {@link loadSnapshot} in a worker thread. */
  readonly load: (eventsFile: string, options: LoadOptions) => Promise<LoadedSnapshot>;
  /** A connection to a run's process, where one is known that may be connected to. */
  readonly connect: (run: Run, signal: AbortSignal) => Promise<SharedConnection | undefined>;
  readonly send: (message: FeedMessage) => void;
  /**
   * Told once each time that the run turns out to be out of reach, deleted or damaged, or that its process refuses to speak with
   * this window. The feed goes on: of a run whose process refuses, with its log.
   */
  readonly onProblem: (problem: unknown) => void;
}

/** Most bytes that are read in the extension host for a page that comes back; the worker reads what is more. */
const DELTA_BYTES = 1024 * 1024;
/** How often run.json is looked at: while the log of a run without a reachable process grows, and else. */
const GROWING_MS = 200;
const RESTING_MS = 1000;
/** After the run's process has gone. */
const RECONNECT_MS = 50;

const NO_EXPORTS = JSON.stringify({ files: [] });

/** What the page has: the log up to `offset` bytes, as it was after so many `cuts` in run.json. */
interface Position {
  readonly offset: number;
  readonly cuts: number;
}

/**
 * Between {@link start} and {@link stop} the page gets, without a gap and without a repetition, what it does not have: from the
 * run's process while there is one, from the log else. A log that was cut is sent anew as a whole.
 */
export class RunFeed {
  readonly #path: string;
  readonly #options: FeedOptions;
  #position: Position | undefined;
  #following: AbortController | undefined;
  #wake: AbortController | undefined;
  #problem: string | undefined;
  #refusal: SidecarRefusal | undefined;
  #isLive = false;
  /** The exported files that the page has, and how fast they are, as JSON. */
  #exports = NO_EXPORTS;

  /** @param path the run folder */
  constructor(path: string, options: FeedOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** The page is there and can be seen. @param anew the page has nothing yet */
  start({ anew = false } = {}): void {
    if (anew) {
      this.stop();
      this.#position = undefined;
      this.#problem = undefined;
      this.#refusal = undefined;
      this.#exports = NO_EXPORTS;
    }
    if (this.#following) return;
    this.#following = new AbortController();
    void this.#follow(this.#following.signal);
  }

  stop(): void {
    this.#following?.abort();
    this.#following = undefined;
  }

  /** Something about the run has changed: look at once. */
  wake(): void {
    this.#wake?.abort();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let restMs = RESTING_MS;
      try {
        const run = await openRun(this.#path);
        const upToDate = await this.#catchUp(run, signal);
        this.#problem = undefined;
        if (!upToDate) continue;
        await this.#sendExports(run, signal);
        if (isUnderWay(run.observedState())) {
          restMs = (await this.#followProcess(run, signal)) ? RECONNECT_MS : GROWING_MS;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#report(error);
      }
      await this.#rest(restMs, signal);
    }
  }

  /** Sends what the log has and the page has not. False where the log was cut meanwhile. */
  async #catchUp(run: Run, signal: AbortSignal): Promise<boolean> {
    const cuts = run.record.cuts.length;
    const size = await sizeOf(run.eventsFile);
    const position = this.#position;
    const adds = position ? size - position.offset : 0;
    if (adds === 0 && position?.cuts === cuts) return true;

    let send: () => void;
    let offset: number;
    if (position?.cuts === cuts && adds > 0 && adds <= DELTA_BYTES) {
      const events: RunEvent[] = [];
      const { readLog } = await import('./readLog.ts');
      offset = await readLog(run.eventsFile, (event) => events.push(event), { from: position.offset });
      send = () => events.length > 0 && this.#options.send({ type: 'events', run: this.#path, events });
    } else {
      this.#position = undefined;
      const loaded = await this.#options.load(run.eventsFile, {
        signal,
        onProgress: (fraction) => {
          if (!signal.aborted) this.#options.send({ type: 'loading', run: this.#path, fraction });
        },
      });
      offset = loaded.offset;
      send = () => this.#options.send({ type: 'snapshot', run: this.#path, snapshot: loaded.snapshot });
    }
    // The log is cut before run.json tells of it, and grows again only after: what was read before run.json is seen unchanged
    // is of one piece.
    await run.reload();
    if (signal.aborted || run.record.cuts.length !== cuts) return false;
    this.#position = { offset, cuts };
    send();
    return true;
  }

  async #sendExports(run: Run, signal: AbortSignal): Promise<void> {
    const { readExportedFiles } = await import('../../server/runs/exportedFiles.ts');
    const { readLatency } = await import('../../server/runs/latencyRecord.ts');
    const files = await readExportedFiles(run);
    const latency = await readLatency(run);
    const text = JSON.stringify({ files, latency });
    if (signal.aborted || text === this.#exports) return;
    this.#exports = text;
    this.#options.send({ type: 'exports', run: this.#path, files, latency });
  }

  /** Gets the events from the run's process until it is gone. False where none can be reached. */
  async #followProcess(run: Run, signal: AbortSignal): Promise<boolean> {
    const shared = await this.#connect(run, signal);
    const position = this.#position;
    if (!shared || !position) return false;
    const { connection } = shared;
    const ended = new AbortController();
    const listening = AbortSignal.any([signal, ended.signal]);
    const batch = new Batch((events) => this.#options.send({ type: 'events', run: this.#path, events }));
    try {
      await new Promise<void>((resolve, reject) => {
        const stops = [connection.onClose(resolve), connection.onState((state) => this.#live(state))];
        listening.addEventListener('abort', () => {
          for (const stop of stops) stop();
          resolve();
        });
        const onEvents = ({ events, offset }: SidecarNotifications['events']) => {
          if (!this.#position) return;
          if (events.some(isResumption)) {
            // The log was cut. What the page has of the steps after that is gone: it gets everything anew.
            this.#position = undefined;
            resolve();
            return;
          }
          this.#position = { ...this.#position, offset };
          batch.add(events);
        };
        this.#live(connection.state);
        connection.subscribe(position, onEvents, listening).catch(reject);
      });
    } finally {
      ended.abort();
      shared.release();
      batch.flush();
      this.#live(undefined);
    }
    return true;
  }

  /** Undefined where the run's process cannot be reached: `run.json` tells whether the run is then interrupted. */
  async #connect(run: Run, signal: AbortSignal): Promise<SharedConnection | undefined> {
    try {
      const shared = await this.#options.connect(run, signal);
      this.#refusal = undefined;
      return shared;
    } catch (error) {
      // Else it has ended, is about to open its socket, or is too busy to answer.
      if (error instanceof SidecarRefusal && error !== this.#refusal) this.#options.onProblem((this.#refusal = error));
      return undefined;
    }
  }

  #live(live: SidecarNotifications['state'] | undefined): void {
    if (live === undefined && !this.#isLive) return;
    this.#isLive = live !== undefined;
    this.#options.send({ type: 'live', run: this.#path, ...(live && { live }) });
  }

  #report(error: unknown): void {
    this.#position = undefined;
    const problem = String(error);
    if (problem !== this.#problem) this.#options.onProblem(error);
    this.#problem = problem;
  }

  async #rest(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    await sleep(milliseconds, undefined, { signal: AbortSignal.any([signal, this.#wake.signal]) }).catch(
      () => undefined,
    );
  }
}

function isResumption(event: RunEvent): boolean {
  return event.type === 'started' && event.resumedFrom !== undefined;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isMissing(error)) return 0; // Nothing has been recorded yet.
    throw error;
  }
}
