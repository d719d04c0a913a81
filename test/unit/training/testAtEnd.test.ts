import { expect, test } from 'vitest';
import { shownMetric } from '../../../server/protocol/run/testMetric.ts';
import { resultText } from '../../../server/protocol/run/resultText.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, experiment, finalWeights, workspace } from './workspace.ts';

const data = { ...experiment.data, split: { validation: 0.25 } };
const compression = { method: 'prune', distortEvery: 10, layers: { fc1: { rate: 0.5 } } };

test('a run that leaves the test split alone trains to the same model, and is judged by the validation split', async () => {
  const { run } = await workspace({ data, compression });
  const [whole, without] = [await run(), await run({ overrides: ['training.testAtEnd=false'] })];
  expect(finalWeights(without.run)).toEqual(finalWeights(whole.run));
  const splits = (events: typeof whole.events) => new Set(eventsOf(events, 'evaluation').map(({ split }) => split));
  expect(splits(whole.events)).toEqual(new Set(['validation', 'test']));
  expect(splits(without.events)).toEqual(new Set(['validation']));
  const [{ summary }] = eventsOf(without.events, 'finished');
  expect(summary.test).toBeNaN();
  expect(summary.validation).toBe(eventsOf(whole.events, 'finished')[0].summary.validation);
  const { result } = without.run.record;
  expect(result).toMatchObject({ test: null, validation: summary.validation });
  expect(resultText(without.run.record)).toContain(`${(100 * summary.validation!).toFixed(2)}%`);
});

test('without a validation split there is nothing else to judge it by', async () => {
  const { run } = await workspace({ compression });
  const error = await userErrorOf(() => run({ overrides: ['training.testAtEnd=false'] }));
  expect(error.message).toContain(
    '--set training.testAtEnd=false training.testAtEnd: without the test split, the validation split tells how good the model is, and the data have none',
  );
});

test('what diverged is no run that left the test split alone', () => {
  expect(shownMetric({ test: null, validation: null })).toBeNaN();
  expect(shownMetric({ test: NaN })).toBeNaN();
  expect(shownMetric({ test: 0.5, validation: 0.6 })).toBe(0.5);
});
