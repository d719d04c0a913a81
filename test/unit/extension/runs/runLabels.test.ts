import { describe, expect, test } from 'vitest';
import { shortValue, splitValues } from '../../../../extension/runs/overrideText.ts';
import { age, percentDone, progressText, secondsLeft, startTime } from '../../../../extension/runs/runLabels.ts';
import { lastWords } from '../../../../extension/sidecar/lastWords.ts';
import type { LiveState } from '../../../../server/protocol/wire/sidecar.ts';

const live = (state: Partial<LiveState>): LiveState => ({ phase: 'training', step: 0, steps: 100, ...state });

describe('a run in a line', () => {
  test('says how much is done and the last evaluation, or the loss before the first one', () => {
    expect(progressText(live({ step: 43 }))).toBe('43%');
    expect(progressText(live({ step: 43, loss: 0.1234567 }))).toBe('43% · loss 0.1235');
    const evaluation = { metric: 'accuracy', value: 0.971, step: 40 };
    expect(progressText(live({ step: 43, loss: 0.1, evaluation }))).toBe('43% · 97.10%');
  });

  test('is at 100% only when every step is done, and at 0% while the steps are not known', () => {
    expect(percentDone(live({ step: 19_999, steps: 20_000 }))).toBe(99);
    expect(percentDone(live({ step: 20_000, steps: 20_000 }))).toBe(100);
    expect(percentDone(live({ step: 0, steps: 0 }))).toBe(0);
  });

  test('knows the time left from its speed', () => {
    expect(secondsLeft(live({ step: 40, stepsPerSecond: 20 }))).toBe(3);
    expect(secondsLeft(live({ step: 40 }))).toBeUndefined();
  });

  test.each([
    [59_999, [0, 'minute']],
    [60_000, [1, 'minute']],
    [3 * 3_600_000 + 1, [3, 'hour']],
    [50 * 3_600_000, [2, 'day']],
  ])('is %d ms old: %j', (milliseconds, expected) => {
    expect(age(milliseconds)).toEqual(expected);
  });
});

describe('the time at which a run began', () => {
  const now = new Date(2026, 10, 24, 12, 0).getTime();

  test.each([
    [new Date(2026, 10, 24, 9, 5), '09:05'],
    [new Date(2026, 10, 23, 23, 59), 'Nov 23, 23:59'],
    [new Date(2025, 10, 24, 9, 5), 'Nov 24, 2025, 09:05'],
  ])('%s is %s', (begun, text) => {
    expect(startTime(begun.getTime(), now, 'en-US')).toBe(text);
  });
});

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
    expect(lastWords('')).toBeUndefined();
  });
});

describe('changed values in a line', () => {
  test.each([
    ['', []],
    ['  training.seed=2   training.steps=10 ', ['training.seed=2', 'training.steps=10']],
    [
      'compression.layers={"fc1": {"rate": 0.9}} training.seed=2',
      ['compression.layers={"fc1": {"rate": 0.9}}', 'training.seed=2'],
    ],
    ['model="my model.ts" training.seed=2', ['model="my model.ts"', 'training.seed=2']],
    ['model="a \\" b" x=1', ['model="a \\" b"', 'x=1']],
    ['broken="not closed x=1', ['broken="not closed x=1']],
  ])('%j are %j', (line, values) => {
    expect(splitValues(line)).toEqual(values);
  });

  test.each([
    ['training.seed=2', 'seed=2'],
    ['compression.layers.fc1.rate=0.9', 'fc1.rate=0.9'],
    ['compression.layers={}', 'layers={}'],
    ['model=./a.ts', 'model=./a.ts'],
  ])('%s is short: %s', (override, short) => {
    expect(shortValue(override)).toBe(short);
  });
});
