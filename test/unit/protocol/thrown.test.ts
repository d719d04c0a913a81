import { expect, test } from 'vitest';
import { messageOf, stackOf } from '../../../server/protocol/thrown.ts';

function thrownBy(fails: () => void): unknown {
  try {
    fails();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('an error is told by its message, and logged with the place where it was thrown', () => {
  const error = thrownBy(function divide() {
    throw new RangeError('by zero');
  });
  expect(messageOf(error)).toBe('by zero');
  expect(stackOf(error)).toMatch(/^RangeError: by zero\n\s+at divide .*thrown\.test\.ts/);
});

test('an error without a stack is logged with its name', () => {
  const error = new TypeError('no stack');
  delete error.stack;
  expect(stackOf(error)).toBe('TypeError: no stack');
});

test.each([
  ['a text', 'a text'],
  [7, '7'],
  [undefined, 'undefined'],
  [{ toString: () => 'an object' }, 'an object'],
])('whatever else is thrown is told as text: %s', (value, text) => {
  expect([messageOf(value), stackOf(value)]).toEqual([text, text]);
});
