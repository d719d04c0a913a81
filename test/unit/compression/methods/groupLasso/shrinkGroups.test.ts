import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shrinkGroups, type GroupMember } from '../../../../../server/compression/methods/groupLasso/shrinkGroups.ts';

/** A matrix whose rows are units, as it is written. */
const byRows = (rows: number, ...values: number[]): GroupMember => ({
  values: Float32Array.from(values),
  view: { outer: 1, rows, inner: values.length / rows },
});

/** The same matrix as a dense kernel is stored: its columns are units. */
function byColumns({ values, view }: GroupMember): GroupMember {
  const { rows, inner } = view;
  const turned = Float32Array.from(values, (_, i) => values[(i % rows) * inner + Math.floor(i / rows)]);
  return { values: turned, view: { outer: inner, rows, inner: 1 } };
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-6): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => expect(Math.abs(actual[i] - value)).toBeLessThan(tolerance));
}

/** The formula of the paper for one unit, in float64 and written out. */
function reference(unit: readonly number[], threshold: number, alpha: number): number[] {
  const z = unit.map((value) => Math.sign(value) * Math.max(Math.abs(value) - threshold * alpha, 0));
  const norm = Math.hypot(...z);
  const factor = norm === 0 ? 0 : Math.max(1 - (threshold * (1 - alpha) * Math.sqrt(unit.length)) / norm, 0);
  return z.map((value) => factor * value);
}

// Agrees with a numeric minimization of 1/2 ||x - w||^2 + t penalty(x) to 1e-4.
const PAPER = [0.5, -0.2, 0.05, 0.1, 0.02, -0.08, -1, 0.3, 0.4];
const SHRUNK = [0.35048, -0.13143, 0.021905, 0, 0, 0, -0.855162, 0.244332, 0.331593];

test('three units of three numbers, one of which goes', () => {
  const stored = byRows(3, ...PAPER);
  expect(shrinkGroups([stored], 3, { threshold: 0.1, alpha: 0.2 })).toBe(2);
  expectClose(stored.values, SHRUNK);
  const dense = byColumns(byRows(3, ...PAPER));
  expect(shrinkGroups([dense], 3, { threshold: 0.1, alpha: 0.2 })).toBe(2);
  expectClose(dense.values, [...byColumns(byRows(3, ...SHRUNK)).values]);
});

test('a number that is not finite stays so, and makes its unit NaN: a training that has diverged is seen', () => {
  const stored = byRows(3, 1, NaN, 2, Infinity, 3, 4);
  expect(shrinkGroups([stored], 3, { threshold: 0.1, alpha: 0.2 })).toBe(2);
  expect([...stored.values].slice(0, 3)).toEqual([NaN, NaN, expect.closeTo(1.98)]);
});

test('a bias is a number of its unit: it counts for the norm, for P, and goes with the rest', () => {
  // The last column of the example as a bias of its own.
  const kernel = byColumns(byRows(3, 0.5, -0.2, 0.1, 0.02, -1, 0.3));
  const bias: GroupMember = { values: Float32Array.of(0.05, -0.08, 0.4), view: { outer: 1, rows: 3, inner: 1 } };
  expect(shrinkGroups([kernel, bias], 3, { threshold: 0.1, alpha: 0.2 })).toBe(2);
  expectClose(bias.values, [0.021905, 0, 0.331593]);
  expectClose(kernel.values, [0.35048, 0, -0.855162, -0.13143, 0, 0.244332]);
});

test('a unit of an LSTM is its columns in all gates, of both kernels', () => {
  const units = 2;
  const gates = 4;
  const kernel = Array.from({ length: 3 * gates * units }, (_, i) => Math.sin(i + 1));
  const recurrent = Array.from({ length: units * gates * units }, (_, i) => 0.05 * Math.cos(i));
  const bias = Array.from({ length: gates * units }, (_, i) => (i % 2) / 10);
  const stored = [kernel, recurrent, bias].map((values): GroupMember => ({
    values: Float32Array.from(values),
    view: { outer: values.length / (gates * units), rows: gates * units, inner: 1 },
  }));
  shrinkGroups(stored, units, { threshold: 0.05, alpha: 0.3 });
  for (let unit = 0; unit < units; unit++) {
    const ofUnit = (_: unknown, i: number) => i % units === unit;
    const before = [kernel, recurrent, bias].flatMap((values) => values.filter(ofUnit));
    const after = stored.flatMap(({ values }) => Array.from(values).filter(ofUnit));
    expectClose(after, reference(before, 0.05, 0.3));
  }
});

const matrices = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 })).chain(([rows, columns]) =>
  fc.record({
    rows: fc.constant(rows),
    values: fc.array(fc.double({ min: -2, max: 2, noNaN: true }), {
      minLength: rows * columns,
      maxLength: rows * columns,
    }),
    others: fc.array(fc.double({ min: -2, max: 2, noNaN: true }), {
      minLength: rows * columns,
      maxLength: rows * columns,
    }),
  }),
);
interface Strength {
  readonly threshold: number;
  readonly alpha: number;
}
const strengths: fc.Arbitrary<Strength> = fc.record({
  threshold: fc.double({ min: 0, max: 1, noNaN: true }),
  alpha: fc.double({ min: 0, max: 1, noNaN: true }),
});

function shrunk(rows: number, values: readonly number[], shrinkage: Strength) {
  const member = byRows(rows, ...values);
  const left = shrinkGroups([member], rows, shrinkage);
  return { left, values: member.values };
}

test('any matrix becomes what the formula gives for each of its rows', () => {
  fc.assert(
    fc.property(matrices, strengths, ({ rows, values }, { threshold, alpha }) => {
      const { left, values: after } = shrunk(rows, values, { threshold, alpha });
      const columns = values.length / rows;
      const floats = Array.from(Float32Array.from(values));
      const rowOf = (of: ArrayLike<number>, row: number) => Array.from(of).slice(row * columns, (row + 1) * columns);
      const kept = Array.from({ length: rows }, (_, row) => {
        expectClose(rowOf(after, row), reference(rowOf(floats, row), threshold, alpha));
        return rowOf(after, row).some((value) => value !== 0);
      });
      expect(left).toBe(kept.filter(Boolean).length);
    }),
  );
});

test('two matrices come no farther from one another', () => {
  const distance = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    Math.hypot(...Array.from(x, (value, i) => value - y[i]));
  fc.assert(
    fc.property(matrices, strengths, ({ rows, values, others }, strength) => {
      const mapped = distance(shrunk(rows, values, strength).values, shrunk(rows, others, strength).values);
      expect(mapped).toBeLessThan(distance(values, others) + 1e-5);
    }),
  );
});

test('no other matrix has a smaller sum of 1/2 ||x - w||^2 and the penalty', () => {
  const objective = (rows: number, w: ArrayLike<number>, x: ArrayLike<number>, strength: Strength) => {
    const { threshold, alpha } = strength;
    const columns = w.length / rows;
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const own = Array.from(x).slice(row * columns, (row + 1) * columns);
      sum += threshold * (1 - alpha) * Math.sqrt(columns) * Math.hypot(...own);
      own.forEach((value, i) => (sum += threshold * alpha * Math.abs(value) + (value - w[row * columns + i]) ** 2 / 2));
    }
    return sum;
  };
  fc.assert(
    fc.property(
      matrices,
      strengths,
      fc.double({ min: 0.001, max: 1, noNaN: true }),
      ({ rows, values, others }, strength, part) => {
        const { values: left } = shrunk(rows, values, strength);
        const other = Array.from(left, (value, i) => (1 - part) * value + part * others[i]);
        // Float32 leaves 1e-7 of numbers up to 2.
        expect(objective(rows, values, left, strength)).toBeLessThan(objective(rows, values, other, strength) + 1e-5);
      },
    ),
  );
});

test('a strength of 0 leaves every number, and a unit of zeros stays one', () => {
  fc.assert(
    fc.property(matrices, strengths, ({ rows, values }, { threshold, alpha }) => {
      const floats = values.map((value) => Math.fround(value) + 0);
      expect([...shrunk(rows, values, { threshold: 0, alpha }).values]).toEqual(floats);
      const columns = values.length / rows;
      const first = shrunk(
        rows,
        values.map((value, i) => (i < columns ? 0 : value)),
        { threshold, alpha },
      ).values.subarray(0, columns);
      expect(first.every((value) => Object.is(value, 0))).toBe(true);
    }),
  );
});

test('with alpha 1, every number is thresholded for itself', () => {
  fc.assert(
    fc.property(matrices, ({ rows, values }) => {
      const soft = (value: number) => Math.sign(value) * Math.max(Math.abs(value) - 0.3, 0);
      expectClose(
        shrunk(rows, values, { threshold: 0.3, alpha: 1 }).values,
        values.map((value) => soft(Math.fround(value))),
      );
    }),
  );
});
