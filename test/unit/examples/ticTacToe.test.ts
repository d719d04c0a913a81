import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = new URL('../../../examples/table/', import.meta.url);

/** A script of the examples: JavaScript, so that it runs without a build, and therefore without types here. */
const { endgames } = (await import(new URL('prepare.js', folder).href)) as { endgames(): string };

test('the table is what its script writes, with the counts of Aha 1991', () => {
  const table = endgames();
  expect(readFileSync(new URL('tic-tac-toe.csv', folder), 'utf8').replaceAll('\r', '')).toBe(table);
  const outcomes = table
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',').at(-1));
  const count = (outcome: string) => outcomes.filter((one) => one === outcome).length;
  // "about 65.3% are positive (i.e., wins for x)": 626 of 958.
  expect([outcomes.length, count('x wins'), count('o wins'), count('draw')]).toEqual([958, 626, 316, 16]);
});
