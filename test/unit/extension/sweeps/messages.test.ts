import { expect, test } from 'vitest';
import { parseFromSweepPage } from '../../../../extension/sweeps/messages.ts';

test('what the page of a sweep says is taken where it is a message, and nothing else', () => {
  const note = { pinned: true, text: 'x' };
  for (const message of [{ type: 'ready' }, { type: 'use', run: '/a' }, { type: 'note', runs: ['/a'], note }])
    expect(parseFromSweepPage(message)).toEqual(message);
  for (const message of [
    ...[undefined, 1, {}, { type: 'run' }, { type: 'use' }, { type: 'open', runs: [] }],
    { type: 'note', runs: ['/a'], note: { pinned: true, text: 'x'.repeat(10_001) } },
  ])
    expect(parseFromSweepPage(message)).toBeUndefined();
});
