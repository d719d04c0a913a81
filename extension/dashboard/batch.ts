/** @file Events gathered into messages: a page draws at most a few times a second, however fast a run records. */
import type { RunEvent } from '../../server/protocol/run/events.ts';

/** Time between two messages. */
const INTERVAL_MS = 250;

/** The first events after a pause go at once, the others at most every {@link INTERVAL_MS}. */
export class Batch {
  readonly #send: (events: readonly RunEvent[]) => void;
  #events: RunEvent[] = [];
  #sentAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (events: readonly RunEvent[]) => void) {
    this.#send = send;
  }

  add(events: readonly RunEvent[]): void {
    for (const event of events) this.#events.push(event);
    this.#timer ??= setTimeout(() => this.flush(), Math.max(0, this.#sentAt + INTERVAL_MS - performance.now()));
  }

  /** Sends what has been gathered, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#events.length === 0) return;
    this.#sentAt = performance.now();
    const events = this.#events;
    this.#events = [];
    this.#send(events);
  }
}
