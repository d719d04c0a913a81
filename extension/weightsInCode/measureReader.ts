/** @file Reads what a run recorded last of its weights, and goes on where it has been: little of a log of whatever length. */
import type { EventOf } from '../../server/protocol/run/events.ts';
import { readBackwards } from '../../server/runs/log/readBackwards.ts';
import { readEvents } from '../../server/runs/log/readEvents.ts';
import { openRun, type Run } from '../../server/runs/run.ts';
import { measuredTypes, withEvents, type MeasuredEvent, type Measures } from './measures.ts';

/** Recorded distortions lie about a hundredth of a log apart: this is enough for the last two of a log of gigabytes. */
const MOST_BYTES = 64 * 1024 * 1024;

export class MeasureReader {
  /** The run folder. */
  readonly path: string;
  #measures: Measures | undefined;
  #offset = 0;
  #cuts = 0;
  #reading: Promise<Measures | undefined> = Promise.resolve(undefined);

  constructor(path: string) {
    this.path = path;
  }

  /**
   * What the run's log says last; the same object as long as nothing new is in it. Undefined before the run has loaded its model.
   * @throws UserError where the folder is no run any more
   */
  read(): Promise<Measures | undefined> {
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#read());
    return this.#reading;
  }

  async #read(): Promise<Measures | undefined> {
    const run = await openRun(this.path);
    const cuts = run.record.cuts.length;
    if (cuts !== this.#cuts) {
      this.#cuts = cuts;
      this.#measures = undefined;
      this.#offset = 0;
    }
    const known = this.#measures ?? (await beginningOf(run));
    if (!known) return undefined;
    const { started } = known;
    if (!started.config.compression) return (this.#measures = known);
    const events: MeasuredEvent[] = [];
    const offset = await readBackwards(
      run,
      measuredTypes,
      (event) => {
        events.push(event);
        return distortionsIn(events) < 2;
      },
      { from: this.#offset, most: MOST_BYTES },
    );
    // The log is cut before run.json tells of it, and grows again only after.
    await run.reload();
    if (run.record.cuts.length !== cuts) return this.#read();
    if (offset < this.#offset) return this.#measures;
    this.#offset = offset;
    this.#measures = events.length > 0 ? withEvents(known, events.reverse()) : known;
    return this.#measures;
  }
}

/** Events among which that of the weights a run began with is: it is recorded before training. */
const FIRST = 10;

async function beginningOf(run: Run): Promise<Measures | undefined> {
  let started: EventOf<'started'> | undefined;
  let read = 0;
  for await (const event of readEvents(run)) {
    if (read === 0 && event.type !== 'started') return undefined;
    if (event.type === 'started') started = event;
    if (event.type === 'pretrained' && started) return { started, pretrained: event };
    if (event.type === 'metrics' || ++read === FIRST) break;
  }
  return started && { started };
}

function distortionsIn(events: readonly MeasuredEvent[]): number {
  return events.filter(({ type }) => type === 'distortion').length;
}
