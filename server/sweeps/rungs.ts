/**
 * @file Successive halving (Jamieson & Talwalkar 2016): all runs train to a first step, the best third to three times that step, and so on. The
 * steps are the rungs of a ladder: `from`, `from * factor`, `from * factor^2`, …
 */
import * as z from 'zod';
import { isGreaterBetter } from '../protocol/run/metricDirection.ts';
import { isAtRung } from '../protocol/run/rung.ts';
import { readEvents } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';

/** As `sweep.halving` of an experiment file. */
export const halvingSchema = z.object({ factor: z.int().min(2), from: z.int().positive() });
export type Halving = z.output<typeof halvingSchema>;

/** What a run is compared by at a rung. */
export interface RungValue {
  /** Step of the evaluation. */
  readonly step: number;
  readonly metric: string;
  readonly value: number;
}

/** The step of a rung, counted from 0. */
export function rungStep({ factor, from }: Halving, rung: number): number {
  return from * factor ** rung;
}

/** Runs of `count` at a rung that go on to the next. */
export function keptAt({ factor }: Halving, count: number): number {
  return Math.ceil(count / factor);
}

/**
 * The value of a run at a rung: that of the first evaluation of its training at or after `step`; of a run that is finished and has none, of its
 * last one. Undefined where it has not come so far.
 */
export async function valueAt(run: Run, step: number): Promise<RungValue | undefined> {
  let last: RungValue | undefined;
  for await (const event of readEvents(run)) {
    if (isAtRung(event, 0)) {
      last = { step: event.step, metric: event.metric, value: event.value };
      if (event.step >= step) return last;
    }
    if (event.type === 'finished') {
      const { metric, validation, test, steps } = event.summary;
      return last ?? { step: steps, metric, value: validation ?? test };
    }
  }
  return undefined;
}

/** Negative where `a` is better; what is no number is worse than any. */
export function compareValues(a: RungValue | undefined, b: RungValue | undefined): number {
  const rank = (one: RungValue | undefined) => {
    if (!one || Number.isNaN(one.value)) return Infinity;
    return isGreaterBetter(one.metric) ? -one.value : one.value;
  };
  const [first, second] = [rank(a), rank(b)];
  return first === second ? 0 : first < second ? -1 : 1;
}
