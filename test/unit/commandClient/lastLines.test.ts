import { expect, test } from 'vitest';
import { LastLines } from '../../../server/commandClient/lastLines.ts';

test('the last lines of what a process printed are kept, however it was cut', () => {
  const printed = new LastLines();
  for (const piece of ['one\ntwo\nth', 'ree\nfour\nfive\n', 'six\n', 'RangeError: out of ', 'memory\n'])
    printed.add(piece);
  expect(printed.take()).toBe('three\nfour\nfive\nsix\nRangeError: out of memory');
  expect(printed.take()).toBe('');
});
