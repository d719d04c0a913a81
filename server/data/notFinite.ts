/** @file Finds values that are no finite 32-bit numbers: nothing can be learnt from them, and every weight becomes NaN. */
import { elementCount } from '../protocol/shape.ts';
import type { StoredColumn } from './inMemoryDataset.ts';

/**
 * The first such value, in words: "sample 5 has NaN at [2]"; undefined where all are finite.
 * @param before samples that came before these
 */
export function firstNotFinite({ data, shape }: Pick<StoredColumn, 'data' | 'shape'>, before = 0): string | undefined {
  // Integers are finite: gigabytes of bytes need no look.
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return undefined;
  const index = data.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (index < 0) return undefined;
  const value = data[index];
  const what = Number.isFinite(value) ? `${value}, which is beyond float32,` : String(value);
  const size = elementCount(shape);
  const sample = before + Math.floor(index / size);
  const at = shape.map((axis, i) => Math.floor((index % size) / elementCount(shape.slice(i + 1))) % axis);
  return `sample ${sample} has ${what}${at.length === 0 ? '' : ` at [${at.join(', ')}]`}`.replace(/,$/, '');
}
