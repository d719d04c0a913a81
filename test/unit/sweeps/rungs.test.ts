import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { Ladder } from '../../../server/sweeps/asynchronousHalving.ts';
import { compareValues, keptAt, rungStep, valueAt } from '../../../server/sweeps/rungs.ts';
import { EventLog } from '../../../server/runs/log/eventLog.ts';
import { temporaryFolder, temporaryRun } from '../runs/temporaryRun.ts';

const evaluation = (step: number, value: number, metric = 'accuracy'): RunEvent => ({
  ...{ type: 'evaluation', step, time: 0, split: 'validation', metric, value, loss: 0, moment: 'training' },
}) as RunEvent; // prettier-ignore

const halving = { factor: 3, from: 100 };

test('the rungs are powers of the factor, and a third goes on, at least one', () => {
  expect([0, 1, 2].map((rung) => rungStep(halving, rung))).toEqual([100, 300, 900]);
  expect([1, 2, 3, 4, 9, 10].map((count) => keptAt(halving, count))).toEqual([1, 1, 1, 2, 3, 4]);
});

test('accuracies are better when greater, losses when smaller, and what is no number is worst', () => {
  const value = (metric: string, of: number) => ({ step: 1, metric, value: of });
  expect(compareValues(value('accuracy', 0.9), value('accuracy', 0.8))).toBe(-1);
  expect(compareValues(value('perplexity', 90), value('perplexity', 80))).toBe(1);
  expect(compareValues(value('perplexity', NaN), value('perplexity', 80))).toBe(1);
  expect(compareValues(undefined, value('accuracy', 0))).toBe(1);
  expect(compareValues(undefined, value('accuracy', NaN))).toBe(0);
});

test('a run is compared by its first evaluation at or after the step, those after it and before the last distortion do not count', async () => {
  const run = await temporaryRun();
  const log = await EventLog.open(run);
  for (const event of [evaluation(50, 0.1), evaluation(120, 0.2), evaluation(300, 0.3), { ...evaluation(900, 0.4), moment: 'final' } as RunEvent]) log.append(event); // prettier-ignore
  log.close();
  expect(await valueAt(run, 100)).toMatchObject({ step: 120, value: 0.2 });
  expect(await valueAt(run, 300)).toMatchObject({ step: 300, value: 0.3 });
  expect(await valueAt(run, 301)).toBeUndefined();
});

test('a run goes on while it is among the best third of those that have come so far', async () => {
  const path = await temporaryFolder();
  const at = (line: number, value: number) => new Ladder(path, line, halving).onEvent(evaluation(100, value));
  expect(at(1, 0.5)).toBeUndefined();
  expect(at(2, 0.4)).toEqual({ step: 100, place: 2, of: 2 });
  expect(at(3, 0.6)).toBeUndefined();
  expect(at(4, 0.55)).toBeUndefined(); // The second of four.
  expect(at(5, NaN)).toEqual({ step: 100, place: 5, of: 5 });
});

test('what a run was told stays when it comes to the rung once more, or is begun again', async () => {
  const path = await temporaryFolder();
  new Ladder(path, 1, halving).onEvent(evaluation(100, 0.5));
  const stopped = new Ladder(path, 2, halving).onEvent(evaluation(100, 0.4));
  rmSync(join(path, 'rungs', '100', '1.json'));
  expect(new Ladder(path, 2, halving).onEvent(evaluation(100, 0.4))).toEqual(stopped);
  expect(new Ladder(path, 2, halving).stoppedBefore()).toEqual(stopped);
  expect(new Ladder(path, 1, halving).stoppedBefore()).toBeUndefined();
});

test('a file of another line that is damaged is passed over, and one whose process died deciding counts', async () => {
  const path = await temporaryFolder();
  new Ladder(path, 1, halving).onEvent(evaluation(100, 0.5));
  writeFileSync(join(path, 'rungs', '100', '2.json'), '{"step": 100, "met');
  writeFileSync(join(path, 'rungs', '100', '3.json'), JSON.stringify({ step: 100, metric: 'accuracy', value: 0.9 }));
  expect(new Ladder(path, 4, halving).onEvent(evaluation(100, 0.7))).toEqual({ step: 100, place: 2, of: 3 });
});

test('an evaluation that passes several rungs counts at each, and nothing is decided before the first or by others', async () => {
  const path = await temporaryFolder();
  const ladder = new Ladder(path, 1, halving);
  expect(ladder.onEvent(evaluation(99, 0.1))).toBeUndefined();
  expect(ladder.onEvent({ ...evaluation(500, 0.1), moment: 'final' } as RunEvent)).toBeUndefined();
  expect(ladder.onEvent(evaluation(350, 0.1))).toBeUndefined();
  expect(readdirSync(join(path, 'rungs')).toSorted()).toEqual(['100', '300']);
});

test('whatever the order in which runs come, the best of all goes on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 12 }), async (values) => {
      const path = await temporaryFolder();
      const goesOn = values.map((value, i) => !new Ladder(path, i + 1, halving).onEvent(evaluation(100, value)));
      expect(goesOn[values.indexOf(Math.max(...values))]).toBe(true);
      expect(goesOn[0]).toBe(true);
    }),
    { numRuns: 20 },
  ); // prettier-ignore
});
