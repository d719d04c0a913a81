/** @file Rounding to the nearest of a few levels that may lie anywhere. */
import type { LevelForm } from './levelForm.ts';

/** A form whose levels are a table. */
export type TableForm = LevelForm & { readonly table: Float32Array };

export function isTableForm(form: LevelForm): form is TableForm {
  return form.table instanceof Float32Array;
}

/**
 * Replaces each number by the nearest level of its bucket, in place, by the upper one in the middle. Not-a-number stays, so that it
 * shows that training has diverged.
 *
 * @param values in the order of the form's matrix
 * @param codes where the code of each number goes, if it is wanted
 */
export function roundToTable(values: Float32Array, { table, bucket, scales, offsets }: TableForm, codes?: Uint8Array): void {
  const midpoints = midpointsOf(table);
  const first = (midpoints.length + 1) >> 1;
  for (let start = 0, b = 0; start < values.length; start += bucket, b++) {
    const scale = scales?.[b] ?? 1;
    const offset = offsets?.[b] ?? 0;
    // The numbers of a constant bucket are all 0 in the place of the offset: the first level, times 0, is as good as any.
    const factor = scale === 0 ? 0 : 1 / scale;
    const end = Math.min(start + bucket, values.length);
    for (let i = start; i < end; i++) {
      const place = (values[i] - offset) * factor;
      if (place !== place) continue;
      let code = 0;
      // A comparison as a number: which level is the nearest is random, and a branch would be mispredicted half of the time.
      for (let half = first; half > 0; half >>= 1) code += half * +(place >= midpoints[code + half - 1]);
      values[i] = scale * table[code] + offset;
      if (codes) codes[i] = code;
    }
  }
}

/** What lies in the middle of each two levels, filled up with infinities to one less than a power of two. */
function midpointsOf(table: Float32Array): Float64Array {
  const midpoints = new Float64Array(2 ** Math.ceil(Math.log2(table.length)) - 1).fill(Infinity);
  for (let i = 1; i < table.length; i++) midpoints[i - 1] = (table[i - 1] + table[i]) / 2;
  return midpoints;
}
