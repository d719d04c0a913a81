/** @file What tests of quantizers to levels have in common. */
import fc from 'fast-check';
import { ordered } from '../../../../../server/compression/methods/quantize/buckets.ts';
import { codesOf, levelCount, type LevelForm } from '../../../../../server/compression/methods/quantize/levelForm.ts';
import type { MatrixView } from '../../../../../server/compression/targets/matrixView.ts';

/** A vector as the matrix of one row. */
export function vector(length: number): MatrixView {
  return { outer: 1, rows: 1, inner: length, columns: length };
}

/** The numbers that codes, scales and levels give: in float64, rounded once. */
function rebuilt(codes: Uint8Array, { table, bucket, scales, offsets }: LevelForm): Float32Array {
  return Float32Array.from(codes, (code, i) => {
    const b = Math.floor(i / bucket);
    const [scale, offset] = [scales?.[b] ?? 1, offsets?.[b] ?? 0];
    return table instanceof Float32Array ? scale * table[code] + offset : (scale * code) / (table.uniform - 1) + offset;
  });
}

/** True where the numbers are exactly what a file of codes, levels, scales and offsets gives. */
export function holdsItsLevels(values: Float32Array, form: LevelForm): boolean {
  const codes = codesOf(values, form);
  return codes.every((code) => code < levelCount(form)) && isEqual(rebuilt(codes, form), ordered(values, form.view));
}

/** 0 and -0 are the same number. */
export function isEqual(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

export function squaredError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
}

/** Weights of any size and distribution: near one another, far apart, equal, zero. */
export const weights = fc
  .tuple(
    fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -1, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 40,
    }),
    fc.constantFrom(1, 1e-3, 1e6, 1e-20),
    fc.constantFrom(0, 1, -1000),
  )
  .map(([values, scale, offset]) => Float32Array.from(values, (value) => value * scale + offset * scale));
