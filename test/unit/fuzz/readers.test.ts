/**
 * @file Every reader of the product on files that are wrong: bits flipped, cut off, lengths that lie, values of other types,
 * paths that lead elsewhere, devices in the place of files. The cases are the same each time; see limits.ts for what a
 * reader may take. `npx vitest run --project unit test/unit/fuzz` tells each case that is wrong by its number and its change.
 */
import { afterAll, expect, test } from 'vitest';
import { Fuzzing } from './fuzzing.ts';
import { subjects } from './subjects/index.ts';

const fuzzing = new Fuzzing();
afterAll(() => fuzzing.dispose());

test.each(subjects.map(({ name, cases }) => [name, cases] as const))(
  '%s: %i wrong files are refused by an error that a user can read, or taken, soon and in little memory',
  async (name, cases) => {
    const failures = await fuzzing.failures(name, cases);
    expect(failures.map(({ index, what, failure }) => `${index}: ${what} -> ${failure}`)).toEqual([]);
  },
  300_000,
);

test('there are enough cases', () => {
  expect(subjects.reduce((sum, { cases }) => sum + cases, 0)).toBeGreaterThanOrEqual(1500);
});
