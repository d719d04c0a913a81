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

/**
 * The experiment that a run or a sweep belongs to, as far as names tell. The id `…-net-2` is that of a run of `net-2`, or of the second one of
 * `net` in a second, in which the first one has the id without the number.
 * @param experiments those whose runs lie in the folder
 * @param ids the names of all runs or sweeps in the folder
 * @returns undefined where only the file in the folder of the run or the sweep tells
 */
export function ownerByName<E extends { readonly name: string }>(
  id: string,
  experiments: readonly E[],
  ids: ReadonlySet<string>,
): E | undefined {
  // A run of a sweep has the line of its plan behind the number: `…-net-2.07`.
  const first = id.replace(/-\d+(\.\d+)?$/, '$1');
  const isSecond = first !== id && ids.has(first);
  const owners = experiments.filter(({ name }) => (isSecond ? mayBeRunOf(id, name) : isNamedAfter(id, name)));
  return owners.length === 1 ? owners[0] : undefined;
}

/** True where the id has the name without a number behind it; `NAME.7` is a name, too. */
export function isNamedAfter(id: string, experimentName: string): boolean {
  const own = nameInIds(experimentName);
  return [id, sweepInId(id)].some((one) => one !== undefined && ID.exec(one)?.[1] === own);
}

/** The id of the sweep that a run may be of, which its own id begins with: `SWEEP.07`. */
export function sweepInId(id: string): string | undefined {
  return /^(.+)\.\d+$/.exec(id)?.[1];
}

/** Newest first. @param idOf the id of an item, which begins with the time */
export function newestFirst<T = string>(items: readonly T[], idOf: (item: T) => string = String): T[] {
  return items.toSorted((a, b) => (idOf(a) < idOf(b) ? 1 : -1));
}
