/** @file Hands what a run records to another program's form of it: the run folder is the truth, and what follows it is the same live and later. */
import { followLog, type LogPart, type LogPlace } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';

/** What takes the events of a run, and remembers how far it is. */
export interface EventSink {
  /** The place in the log at which it goes on; undefined: the beginning. */
  readonly place: LogPlace | undefined;
  /** Takes a part of the log. When it returns, the part is kept, and so is the place behind it. */
  take(part: LogPart): Promise<void>;
  close(): Promise<void>;
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** As for {@link followLog}. */
  readonly atEnd: () => boolean | Promise<boolean>;
}

/** What was done of a log. */
export interface Followed {
  readonly events: number;
  /** Lines that were no event of this version. */
  readonly passedOver: number;
}

/** Hands the log of a run to a sink, from where that is to where `atEnd` ends it, and closes the sink. */
export async function followRun(
  run: Run,
  open: () => Promise<EventSink>,
  { signal, atEnd }: FollowOptions,
): Promise<Followed> {
  const sink = await open();
  let [events, passedOver] = [0, 0];
  try {
    for await (const part of followLog(run, { signal, atEnd, from: sink.place })) {
      await sink.take(part);
      events += part.events.length;
      passedOver += part.passedOver;
    }
    return { events, passedOver };
  } finally {
    await sink.close();
  }
}
