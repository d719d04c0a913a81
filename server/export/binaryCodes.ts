/** @file Finds the scales and codes of a quantized weight in its floats. */
import type { QuantizedWeight } from '../compression/methods/unit.ts';
import { gatherRows, type MatrixView } from '../compression/targets/matrixView.ts';

type BinaryCodes = Pick<QuantizedWeight, 'form' | 'bits' | 'scales' | 'codes'>;

/** Largest difference of two numbers that were one before they were rounded to float32, as a part of the largest. */
const TOLERANCE = 1e-6;

/**
 * The codes of a weight that was quantized to `bits` bits: one set of scales where its numbers are few enough for that, else one
 * for each row.
 * @returns undefined where the weight has no such codes
 */
export function findBinaryCodes(values: Float32Array, view: MatrixView, bits: number): BinaryCodes | undefined {
  const shared = codesOf(values, bits);
  if (shared) return { form: 'binary-codes', bits, ...shared };
  const { rows, columns } = view;
  const scales = new Float32Array(rows * bits);
  const codes = new Uint8Array(values.length);
  const row = new Float32Array(columns);
  for (let r = 0; r < rows; r++) {
    gatherRows(values, view, r, 1, row);
    const found = codesOf(row, bits);
    if (!found) return undefined;
    scales.set(found.scales, r * bits);
    codes.set(found.codes, r * columns);
  }
  return { form: 'binary-codes', bits, scales, codes };
}

function codesOf(values: Float32Array, bits: number): { scales: Float32Array; codes: Uint8Array } | undefined {
  const distinct = new Set<number>();
  for (const value of values) if (distinct.add(value).size > 2 ** bits) return undefined;
  const levels = [...distinct];
  const scales = scalesOf(levels, bits);
  if (!scales) return undefined;
  const sums = Array.from({ length: 2 ** bits }, (_, code) =>
    scales.reduce((sum, scale, plane) => sum + ((code >> plane) & 1 ? scale : -scale), 0),
  );
  const codeOf = new Map(levels.map((level) => [level, nearest(level, sums)]));
  const allowed = TOLERANCE * Math.max(...levels.map(Math.abs));
  if ([...codeOf].some(([level, code]) => Math.abs(sums[code] - level) > allowed)) return undefined;
  return { scales, codes: Uint8Array.from(values, (value) => codeOf.get(value)!) };
}

/**
 * Scales, descending, whose sums with all signs have the levels among them. With `s` the sum of all scales, `(s - level) / 2` is the
 * sum of those scales that are subtracted: the smallest such sum that is not one of scales known so far is the next scale.
 */
function scalesOf(levels: readonly number[], bits: number): Float32Array | undefined {
  const largest = Math.max(...levels.map(Math.abs));
  const subtracted = levels.flatMap((level) => [(largest - level) / 2, (largest + level) / 2]).sort((a, b) => a - b);
  const scales: number[] = [];
  let sums = [0];
  for (const sum of subtracted) {
    if (sums.some((known) => Math.abs(known - sum) <= TOLERANCE * largest)) continue;
    if (scales.length === bits) return undefined;
    scales.push(sum);
    sums = sums.flatMap((known) => [known, known + sum]);
  }
  const padded = new Float32Array(bits);
  padded.set(scales.reverse());
  return padded;
}

function nearest(value: number, candidates: readonly number[]): number {
  let best = 0;
  candidates.forEach((candidate, i) => {
    if (Math.abs(candidate - value) < Math.abs(candidates[best] - value)) best = i;
  });
  return best;
}
