import { expect, test } from 'vitest';
import { parameterFacts } from '../../../../../server/protocol/experiment/methods/index.ts';
import { rangeText, settingTexts } from '../../../../../server/protocol/experiment/methods/settingText.ts';

test.each([
  [{ rate: 0.98 }, ['rate 0.98']],
  [{ bits: 1 }, ['1 bit']],
  [{ bits: 3 }, ['3 bits']],
  [{ rank: 1 }, ['rank 1']],
  [{ rate: 0.5, bits: 2 }, ['rate 0.5', '2 bits']],
  [{}, []],
])('a setting %j is %j in words', (setting, words) => {
  expect(settingTexts(setting)).toEqual(words);
});

test('parameters that this version does not know are left out', () => {
  expect(settingTexts({ threshold: 0.1, rank: 20, toString: 1 })).toEqual(['rank 20']);
});

test('texts are translated by their English form, with the number that the caller writes', () => {
  const texts = settingTexts(
    { rate: 0.987, rank: 8 },
    {
      length: 'full',
      translate: (text, number) => `${text} = ${number}`,
      number: (value, { unit }) => (unit === 'fraction' ? `${100 * value}%` : String(value)),
    },
  );
  expect(texts).toEqual(['pruning rate {0} = 98.7%', 'rank {0} = 8']);
});

test('several weights have a range', () => {
  expect(rangeText(parameterFacts.rank, 32, 64)).toBe('rank 32-64');
  expect(rangeText(parameterFacts.bits, 1, 1)).toBe('1 bit');
});
