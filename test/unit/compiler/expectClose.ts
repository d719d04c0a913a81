import { expect } from 'vitest';

/**
 * Relative to the largest magnitude of the tensor. Two float32 computations of the same value differ by the order of their
 * sums and the last bits of their transcendental functions: a few units in the last place (6e-8) times the root of the
 * number of operations behind an element.
 */
export const TOLERANCE = 2e-5;
/** Absolute, for tensors that are zero but for what is left of terms that cancel. */
const FLOOR = 1e-6;

/** @throws when an element differs by more than `tolerance` times the largest expected magnitude */
export function expectClose(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = TOLERANCE,
): void {
  expect(actual.length, `${name}: number of elements`).toBe(expected.length);
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) magnitude = Math.max(magnitude, Math.abs(expected[i]));
  const allowed = tolerance * magnitude + FLOOR;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || Math.abs(actual[i] - expected[i]) <= allowed) continue;
    expect.fail(`${name}[${i}] is ${actual[i]}, expected ${expected[i]} (within ${allowed}).`);
  }
}
