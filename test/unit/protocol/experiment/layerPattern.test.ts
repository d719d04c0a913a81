import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import { shortest } from '../../../until.ts';
import { isPattern, LayerPattern } from '../../../../server/protocol/experiment/layerPattern.ts';

const names = [
  ...['fc', 'fc1', 'fc12', 'fcx', 'conv1', 'lstm1', 'lstm2', 'lstm_10', 'a.b', '.hidden', 'größe', 'naïve😀'],
  ...[
    'fc1/kernel',
    'fc1/bias',
    'lstm1/kernel',
    'lstm1/recurrent_kernel',
    'kernel',
    'encoder/fc1',
    'encoder/fc1/kernel',
  ],
];

/** What a glob of `compression.layers` can be, without names that are odd to one of the two matchers. */
const patterns = [
  ...['*', 'fc*', '*1', 'f*1', 'lstm?', 'lstm?/kernel', '*/kernel', '*/*', '**', 'encoder/**', '*.b'],
  ...['fc[12]', 'fc[0-9]', 'fc[^0-9]', 'lstm[1-2]/*', '{fc,conv}1', '{fc*,lstm1/*}', 'lstm{1,2}/{kernel,bias}'],
  ...['{a,b{c,d}}', 'fc1/{k,b}*', '?c1', '????', '*_*', 'encoder/*/kernel', '*fc1/*'],
];

/** In the usual matcher a star stops at a slash, so that it is shown none. */
const withoutSlash = (text: string) => text.replaceAll('/', ':');

test.each(patterns)('%s matches what the usual matcher of globs says', (pattern) => {
  const usual = picomatch(withoutSlash(pattern), { dot: true });
  const ours = new LayerPattern(pattern);
  expect(names.filter((name) => ours.matches(name))).toEqual(names.filter((name) => usual(withoutSlash(name))));
});

test.each(['**/kernel', '**/fc1/kernel', 'encoder/**/kernel'])(
  '%s stands for no part of a name, too, as usual',
  (pattern) => {
    const usual = picomatch(pattern, { dot: true });
    expect(names.filter((name) => new LayerPattern(pattern).matches(name))).toEqual(
      names.filter((name) => usual(name)),
    );
  },
);

// The one place that tells what a star stands for: change it here when that changes.
test.each([
  ['*', 'encoder/fc1'],
  ['*fc1', 'encoder/fc1'],
  ['encoder*', 'encoder/fc1'],
  ['*/kernel', 'encoder/fc1/kernel'],
  ['**', 'encoder/fc1'],
])('%s matches %s: a star stands for slashes, too, so that no wrapped or nested layer is left out', (pattern, name) => {
  expect(new LayerPattern(pattern).matches(name)).toBe(true);
});

test.each(['fc[1', 'fc{1', '{fc1,fc2', '[', '{'])('%s is not closed and matches nothing', (pattern) => {
  expect(names.filter((name) => new LayerPattern(pattern).matches(name))).toEqual([]);
});

// The usual matcher differs: there, the exclamation mark is one of the characters, and a backslash is lost.
test('a set can be negated as VS Code writes it, and a backslash makes a character stand for itself', () => {
  expect(names.filter((name) => new LayerPattern('fc[!0-9]').matches(name))).toEqual(['fcx']);
  expect(new LayerPattern('fc\\*').matches('fc*')).toBe(true);
  expect(new LayerPattern('fc\\*').matches('fc1')).toBe(false);
});

test('parentheses, plus, at and bar are characters of a name', () => {
  expect(['block(1)', 'a+b', 'a@b', 'a|b', '!a'].filter(isPattern)).toEqual([]);
  expect(new LayerPattern('block(*)').matches('block(1)')).toBe(true);
});

describe('a pattern that was made to take long', () => {
  test.each([
    ['many stars', '*a'.repeat(250), 'a'.repeat(1000) + 'b'],
    ['many double stars', '**a'.repeat(160), 'a'.repeat(1000) + 'b'],
    ['many braces', '{a,aa}'.repeat(80), 'a'.repeat(1000) + 'b'],
    ['braces in braces', `${'{a,'.repeat(160)}b${'}'.repeat(160)}`, 'a'.repeat(1000)],
    ['braces that are not closed', '{a,'.repeat(160), 'a'.repeat(1000)],
    ['a set for each character', '[a-z]'.repeat(100), 'a'.repeat(1000)],
  ])('%s: is answered in a moment', async (_, pattern, name) => {
    const took = await shortest(1000, () => {
      const start = performance.now();
      expect(new LayerPattern(pattern).matches(name)).toBe(false);
      return performance.now() - start;
    });
    expect(took).toBeLessThan(1000);
  });
});
