/**
 * @file Every reader of the product on files that are wrong: bits flipped, cut off, lengths that lie, values of other types,
 * paths that lead elsewhere, devices in the place of files. The cases are the same each time; see limits.ts for what a
 * reader may take. `npx vitest run test/unit/fuzz` tells each case that is wrong by its number and its change.
 *
 * It takes a third of the cases; with `FUZZ=all` in the environment it takes all, which a change to a reader calls for.
 */
import { afterAll, expect, test } from 'vitest';
import { Fuzzing } from './fuzzing.ts';
import { subjects } from './subjects/index.ts';

const SHARE = process.env.FUZZ === 'all' ? 1 : 1 / 3;
const chosen = subjects.map(({ name, cases }) => [name, Math.ceil(SHARE * cases)] as const);

const fuzzing = new Fuzzing();
afterAll(() => fuzzing.dispose());

test.each(chosen)(
  '%s: %i wrong files are refused by an error that a user can read, or taken, soon and in little memory',
  async (name, cases) => {
    const failures = await fuzzing.failures(name, cases);
    expect(failures.map(({ index, what, failure }) => `${index}: ${what} -> ${failure}`)).toEqual([]);
  },
  300_000,
);

test('there are enough cases', () => {
  expect(chosen.reduce((sum, [, cases]) => sum + cases, 0)).toBeGreaterThanOrEqual(1500);
});
