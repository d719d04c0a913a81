import { describe, expect, test } from 'vitest';
import { lastWords } from '../../../../extension/sidecar/lastWords.ts';

describe('the last words of a process', () => {
  const timed = '2026-11-24T11:29:45.558Z The run is queued.';

  test('are what it printed as it gave up', () => {
    const fatal = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';
    expect(lastWords(`${timed}\n\n<--- Last few GCs --->\n\n${fatal}\n 1: 0xb8ced1 node::Abort()\n`)).toBe(fatal);
    expect(lastWords(`${timed}\r\nTypeError: x is not a function\r\n    at file.js:1:1\r\n`)).toBe(
      'TypeError: x is not a function',
    );
  });

  test('are none where it was killed in the midst of its work, or has said nothing', () => {
    expect(lastWords(`Error: of long ago\n${timed}\n`)).toBeUndefined();
    expect(lastWords(`Error: of long ago\n${timed.replace('Z', '-03:30')}\n`)).toBeUndefined();
    expect(lastWords('')).toBeUndefined();
  });
});
