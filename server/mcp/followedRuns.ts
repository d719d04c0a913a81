/** @file Runs that agents follow: how each stands, and what happened to it, numbered, without reading its log again from the beginning. */
import type { RunEvent } from '../protocol/run/events.ts';
import { advance, newProgress, type Progress } from '../protocol/run/progress.ts';
import { describeChange } from '../protocol/experiment/settingChanges.ts';
import { shownMetric, shownSplit } from '../protocol/run/testMetric.ts';
import { readEvents } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';

/** Something that happened to a run and is worth being told of. */
export interface Happening {
  /** From 1, in the order of the log: the same in every reading of it. */
  readonly number: number;
  readonly step: number;
  readonly kind: RunEvent['type'];
  readonly text: string;
}

/** Happenings that are kept of a run: the newest. */
const MOST_KEPT = 5000;

class FollowedRun {
  progress: Progress = newProgress();
  happenings: Happening[] = [];
  count = 0;
  #offset = 0;
  #cuts = 0;

  /** Reads what has been added to the log. */
  async update(run: Run): Promise<void> {
    const { cuts } = run.record;
    if (cuts.length !== this.#cuts) {
      // The run has gone on from a checkpoint: its log was cut there, and what came later happens again.
      [this.progress, this.happenings, this.count, this.#offset] = [newProgress(), [], 0, 0];
      this.#cuts = cuts.length;
    }
    const onRead = (offset: number) => (this.#offset = offset);
    for await (const event of readEvents(run, { fromOffset: this.#offset, onRead })) {
      advance(this.progress, event);
      const text = textOf(event);
      if (text === undefined) continue;
      this.happenings.push({ number: ++this.count, step: event.step, kind: event.type, text });
      if (this.happenings.length > 2 * MOST_KEPT) this.happenings = this.happenings.slice(-MOST_KEPT);
    }
  }
}

/** How a run stood when it was looked at, and what had happened to it. */
export type RunLook = Pick<FollowedRun, 'progress' | 'happenings' | 'count'>;

/** Runs that are followed at a time; the one that was asked for least lately is forgotten. */
const MOST_RUNS = 50;

export class FollowedRuns {
  readonly #runs = new Map<string, { readonly run: FollowedRun; last: Promise<void> }>();

  /** How a run stands now. @param run as it was just opened or reloaded */
  async look(run: Run): Promise<RunLook> {
    const followed = this.#runs.get(run.path) ?? { run: new FollowedRun(), last: Promise.resolve() };
    this.#runs.delete(run.path);
    this.#runs.set(run.path, followed);
    for (const [path] of this.#runs) {
      if (this.#runs.size <= MOST_RUNS) break;
      this.#runs.delete(path);
    }
    // Two readings at a time would count each line twice.
    const reading = followed.last.then(() => followed.run.update(run));
    followed.last = reading.catch(() => undefined);
    await reading;
    return followed.run;
  }
}

/** A sentence for an event; undefined for those that are seen in the progress, or only in the dashboard. */
function textOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'started':
      return event.resumedFrom === undefined
        ? `started on ${event.device}`
        : `went on from step ${event.resumedFrom}, on ${event.device}`;
    case 'pretrained':
      return `began with ${event.weights.length} of ${event.count} weights of ${event.from}`;
    case 'evaluation':
      return `${event.split} ${event.metric} ${event.value}, loss ${event.loss}`;
    case 'warning':
      return event.message;
    case 'changed':
      return event.settings.map(describeChange).join('; ');
    case 'thinned': {
      const { before, after } = event.parameters;
      return `removed units that did nothing: ${before} weights became ${after}`;
    }
    case 'finished':
      return `finished: ${shownSplit(event.summary)} ${event.summary.metric} ${shownMetric(event.summary)}`;
    case 'failed':
      return event.remedy === undefined ? event.message : `${event.message} ${event.remedy}`;
    case 'stopped':
      return 'stopped, with a checkpoint';
    case 'metrics':
    case 'distortion':
    case 'observation':
    case 'spectrum':
    case 'checkpoint':
      return undefined;
    default:
      return event satisfies never;
  }
}
