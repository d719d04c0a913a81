import { expect, test } from 'vitest';
import { parseFromSweepPage } from '../../../../extension/sweeps/messages.ts';

test('what the page of a sweep says is taken where it is a message, and nothing else', () => {
  const noteOf = (change: object) => ({ type: 'note', runs: ['/a'], change });
  const notes = [noteOf({ pinned: true }), noteOf({ text: 'x' }), noteOf({ pinned: false, text: '' })];
  for (const message of [{ type: 'ready' }, { type: 'use', run: '/a' }, ...notes])
    expect(parseFromSweepPage(message)).toEqual(message);
  for (const message of [
    ...[undefined, 1, {}, { type: 'run' }, { type: 'use' }, { type: 'open', runs: [] }],
    ...[noteOf({ text: 'x'.repeat(10_001) }), noteOf({ pinned: 'yes' }), { type: 'note', runs: ['/a'] }],
  ])
    expect(parseFromSweepPage(message)).toBeUndefined();
});

test('as many runs can be noted as a sweep has', () => {
  const runs = Array.from({ length: 5000 }, (_, i) => `/${i}`);
  const note = { type: 'note', runs, change: { pinned: true } };
  expect(parseFromSweepPage(note)).toEqual(note);
});
