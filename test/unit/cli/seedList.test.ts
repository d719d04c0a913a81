import { expect, test } from 'vitest';
import { parseSeeds } from '../../../server/cli/seedList.ts';

test.each([
  ['1..5', [1, 2, 3, 4, 5]],
  ['1,3,7', [1, 3, 7]],
  ['7, 0 .. 2', [7, 0, 1, 2]],
  ['4', [4]],
])('%s are seeds', (text, seeds) => {
  expect(parseSeeds(text)).toEqual(seeds);
});

test.each([
  ['', "expected integers and ranges, such as 1..5 or 1,3,7, got ''"],
  ['a', 'expected integers and ranges'],
  ['-1', 'expected integers and ranges'],
  ['1.5', 'expected integers and ranges'],
  ['1...5', 'expected integers and ranges'],
  ['5..1', 'the range 5..1 has its ends in the wrong order'],
  ['1..3,2', 'the seed 2 is there twice'],
  ['1..100001', 'at most 100,000 seeds can be given'],
  ['0,1..100000', 'at most 100,000 seeds can be given'],
  ['9007199254740993', '9007199254740993 is too large'],
])('%j are none', (text, message) => {
  expect(() => parseSeeds(text)).toThrow(`deeptwist run: --seeds: ${message}`);
});
