import { describe, expect, test } from 'vitest';
import { commandLineOf } from '../../../extension/commands/commandLine.ts';
import {
  age,
  formatMetric,
  percentDone,
  progressText,
  resultText,
  secondsLeft,
} from '../../../extension/experiments/labels.ts';
import { parseOverride } from '../../../server/protocol/overrides.ts';
import type { LiveState } from '../../../server/protocol/sidecar.ts';

const live = (state: Partial<LiveState>): LiveState => ({ phase: 'training', step: 0, steps: 100, ...state });

describe('a run in a line', () => {
  test('has an accuracy in percent, any other metric as it is', () => {
    expect(formatMetric('accuracy', 0.98219)).toBe('98.22%');
    expect(formatMetric('perplexity', 84.123)).toBe('84.12');
  });

  test('says its metric and ratio where it has a result', () => {
    const run = { key: '', id: '', name: '', experiment: '', overrides: [], state: 'finished', created: 0 } as const;
    expect(resultText(run)).toBeUndefined();
    const text = resultText({ ...run, result: { metric: 'accuracy', test: 0.982, byteRatio: 62.24 } });
    expect(text).toContain('98.20%');
    expect(text).toContain('62.2x');
  });

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

describe('the command line of a run', () => {
  test('names the file from the folder and every changed value', () => {
    expect(commandLineOf('/w/mnist/lenet.deeptwist.jsonc', ['training.seed=2'], '/w')).toBe(
      'npx deeptwist run mnist/lenet.deeptwist.jsonc --set training.seed=2',
    );
  });

  test('quotes what a shell would take apart', () => {
    const layers = 'compression.layers={"fc*":{"rate":0.9}}';
    expect(parseOverride(layers)).toBeDefined();
    expect(commandLineOf("/w/it's mine.deeptwist.jsonc", [layers], '/w')).toBe(
      `npx deeptwist run 'it'\\''s mine.deeptwist.jsonc' --set '${layers}'`,
    );
  });
});
