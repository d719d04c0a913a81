/**
 * @file What the name of a run folder tells without opening it: `YYYYMMDD-HHMMSS-NAME`, with `-2` and so on where it was taken, and with `.N`
 * for the run of line N of a sweep.
 */
import { nameInIds } from '../../server/runs/run.ts';

const ID = /^\d{8}-\d{6}-(.+)$/;

/**
 * True if a run may be one of the experiment; `run.json` tells for sure. Names that differ only in signs that an id cannot
 * have, or by a number at the end, are the doubtful ones.
 */
export function mayBelongTo(id: string, experimentName: string): boolean {
  const name = ID.exec(id)?.[1];
  const own = nameInIds(experimentName);
  return (
    name !== undefined && (name === own || (name.startsWith(`${own}-`) && /^\d+$/.test(name.slice(own.length + 1))))
  );
}

/** True if a run may be one of the experiment, by itself or as one of a sweep. */
export function mayBeRunOf(id: string, experimentName: string): boolean {
  return mayBelongTo(id, experimentName) || mayBelongTo(sweepInId(id) ?? id, experimentName);
}

/** The id of the sweep that a run may be of, which its own id begins with: `SWEEP.07`. */
export function sweepInId(id: string): string | undefined {
  return /^(.+)\.\d+$/.exec(id)?.[1];
}

/** Newest first. @param idOf the id of an item, which begins with the time */
export function newestFirst<T = string>(items: readonly T[], idOf: (item: T) => string = String): T[] {
  return items.toSorted((a, b) => (idOf(a) < idOf(b) ? 1 : -1));
}
