import { describe, expect, test } from 'vitest';
import { age, percentDone, progressText, secondsLeft, startTime } from '../../../../extension/runs/runLabels.ts';
import type { LiveState } from '../../../../server/protocol/wire/sidecar.ts';

const live = (state: Partial<LiveState>): LiveState => ({ phase: 'training', step: 0, steps: 100, ...state });

describe('a run in a line', () => {
  test('says how much is done and the last evaluation, or the loss before the first one', () => {
    expect(progressText(live({ step: 43 }))).toBe('43%');
    expect(progressText(live({ step: 43, loss: 0.1234567 }))).toBe('43% · loss 0.1235');
    const evaluation = { metric: 'accuracy', value: 0.971, step: 40 };
    expect(progressText(live({ step: 43, loss: 0.1, evaluation }))).toBe('43% · accuracy 97.10%');
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
