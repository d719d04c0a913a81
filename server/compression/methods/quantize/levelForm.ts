/** @file A weight whose numbers are a few levels: what is known of it while it is trained, and the codes of its numbers. */
import { levelValue, type Levels, type LevelsParts } from '../../../formats/packed/levels.ts';
import type { RowView } from '../../../formats/packed/packedWeight.ts';
import { ordered } from './buckets.ts';

/**
 * A weight of a few levels: of code c in bucket b, {@link levelValue} with the scale and the offset of the bucket, rounded to float32.
 * The weight itself holds these numbers, so that their codes need no memory.
 */
export interface LevelForm {
  readonly form: 'levels';
  /** The levels before they are scaled, ascending; or their count where they are equally far apart from 0 to 1. */
  readonly table: Levels;
  /** The matrix in whose order the buckets follow one another. */
  readonly view: RowView;
  /** Numbers of a bucket; the last may have fewer. */
  readonly bucket: number;
  readonly scales?: Float32Array;
  readonly offsets?: Float32Array;
}

/** A form whose levels are a table. */
export type TableForm = LevelForm & { readonly table: Float32Array };

/** True for levels that are a table of numbers; else they are uniform. */
export function isTableForm(form: LevelForm): form is TableForm {
  return form.table instanceof Float32Array;
}

/** Number of levels in a bucket. */
export function levelCount({ table }: Pick<LevelForm, 'table'>): number {
  return table instanceof Float32Array ? table.length : table.uniform;
}

/** The levels of a bucket, ascending. */
export function levelsOfBucket(form: LevelForm, bucket: number): Float32Array {
  const { table, scales, offsets } = form;
  return Float32Array.from({ length: levelCount(form) }, (_, code) =>
    levelValue(table, code, scales?.[bucket] ?? 1, offsets?.[bucket]),
  );
}

/** The different levels of a weight, ascending; undefined where each bucket has its own. */
export function commonLevels(form: LevelForm): readonly number[] | undefined {
  return (form.scales?.length ?? 1) > 1 ? undefined : [...new Set(levelsOfBucket(form, 0))];
}

/** What a file holds of a weight. */
export function partsOf(values: Float32Array, form: LevelForm): LevelsParts {
  const { table, view, bucket, scales, offsets } = form;
  // Without scales, a reader takes levels as they are, and -0 is 0 in the weight.
  const levels = table instanceof Float32Array ? table.map((level) => level + 0) : table;
  return { levels, codes: codesOf(values, form), view, ...(scales && { bucket, scales, offsets }) };
}

/** The codes of a weight's numbers, in the order of the matrix of its form: those of the nearest levels. */
export function codesOf(values: Float32Array, form: LevelForm): Uint8Array {
  const codes = new Uint8Array(values.length);
  const numbers = ordered(values, form.view);
  for (let start = 0; start < numbers.length; start += form.bucket) {
    const levels = levelsOfBucket(form, start / form.bucket);
    const end = Math.min(start + form.bucket, numbers.length);
    for (let i = start; i < end; i++) codes[i] = codeOf(numbers[i], levels);
  }
  return codes;
}

/** @param levels ascending */
function codeOf(value: number, levels: Float32Array): number {
  let low = 0;
  let high = levels.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (levels[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low > 0 && value - levels[low - 1] < levels[low] - value ? low - 1 : low;
}
