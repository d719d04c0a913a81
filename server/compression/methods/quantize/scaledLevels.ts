/** @file Levels between the ends of buckets, with the numbers of all buckets that lie there: what a run records of them. */
import type { ScaledLevels } from '../../../protocol/run/events.ts';
import { countBins } from '../../kernels.ts';
import type { CompressedWeight } from '../unit.ts';
import { ordered, scaleBuckets } from './buckets.ts';
import { levelCount, type LevelForm } from './levelForm.ts';

const ENDS = { minimum: 0, maximum: 1 };

/**
 * @param full the weight before it was compressed
 * @param bins over the range of a bucket
 * @returns undefined for a weight whose buckets do not have scales of their own and levels in common
 */
export function scaledLevels(full: Float32Array, compressed: CompressedWeight, bins: number): ScaledLevels | undefined {
  const kept = compressed.form === 'sparse' ? compressed.kept : undefined;
  const form = kept ? kept.numbers : compressed;
  if (form.form !== 'levels' || (form.scales?.length ?? 1) < 2) return undefined;
  const numbers = kept ? Float32Array.from(kept.positions, (position) => full[position]) : ordered(full, form.view);
  const scaled = scaleBuckets(numbers, form);
  // A number that an earlier compression has changed can have left its bucket.
  scaled.forEach((number, i) => (scaled[i] = Math.max(0, Math.min(1, number))));
  return { levels: tableOf(form), counts: countBins(scaled, ENDS, bins, 0).counts };
}

function tableOf(form: LevelForm): number[] {
  const { table } = form;
  if (table instanceof Float32Array) return [...table];
  return Array.from({ length: levelCount(form) }, (_, code) => code / (levelCount(form) - 1));
}
