/** @file The settings of each weight that are worth choosing, and which of them to ease where all together are too strong. Pure. */
import type { SensitivityCell } from '../protocol/run/sensitivityReport.ts';

/** What can become of a weight: a setting, or undefined where it stays as it is. */
export interface Choice {
  readonly cell: SensitivityCell | undefined;
  readonly bytes: number;
  readonly drop: number;
}

/**
 * The settings of a weight that are worth choosing, the smallest first: each that takes more bytes costs less of the metric. The last one is
 * the weight as it is.
 * @param dense bytes of the weight as it is
 */
export function frontOf(cells: readonly SensitivityCell[], dense: number): Choice[] {
  const front: Choice[] = [];
  const smaller = cells
    .flatMap((cell) =>
      cell.drop === null || cell.bytes >= dense ? [] : [{ cell, bytes: cell.bytes, drop: cell.drop }],
    )
    .sort((a, b) => a.bytes - b.bytes || a.drop - b.drop);
  for (const choice of smaller) if (choice.drop < (front.at(-1)?.drop ?? Infinity)) front.push(choice);
  return [...front, { cell: undefined, bytes: dense, drop: Math.min(0, front.at(-1)?.drop ?? 0) }];
}

/** The place in a front of the smallest choice within a drop. */
export function strongestWithin(front: readonly Choice[], maxDrop: number): number {
  const place = front.findIndex(({ cell, drop }) => cell === undefined || drop <= maxDrop);
  return place < 0 ? front.length - 1 : place;
}

/**
 * The weight whose choice is to be eased where all together are too strong: the front whose next choice gives back most of the metric for the
 * bytes that it takes, by what each weight costs alone.
 * @param places of the choices in the fronts
 * @returns the index of the front; undefined where all weights are as they are
 */
export function nextToEase(fronts: readonly (readonly Choice[])[], places: readonly number[]): number | undefined {
  let best: { front: number; gain: number } | undefined;
  for (const [front, choices] of fronts.entries()) {
    if (places[front] === choices.length - 1) continue;
    const [now, next] = choices.slice(places[front], places[front] + 2);
    const gain = (now.drop - next.drop) / (next.bytes - now.bytes);
    if (!best || gain > best.gain) best = { front, gain };
  }
  return best?.front;
}
