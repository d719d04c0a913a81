import { expect, test } from 'vitest';
import { sweptGroups } from '../../../../server/protocol/run/sweptGroups.ts';
import { finished } from '../../cli/sampleEvents.ts';

test('rows with another metric than the first are not ranked with it', () => {
  const run = (rate: number, metric: string, value: number) => ({
    seed: 1,
    vary: [`training.optimizer.learningRate=${rate}`],
    summary: { ...finished.summary, metric, test: value, validation: value },
  });
  const runs = [run(0.1, 'accuracy', 0.7), run(0.2, 'loss', 0.1), run(0.3, 'accuracy', 0.9)];
  const { groups, metric, by } = sweptGroups(runs, ({ vary }) => vary);
  expect({ metric, by }).toEqual({ metric: 'accuracy', by: 'validation' });
  expect(groups.map(({ results, measures }) => [results[0].summary.test, measures.map(({ name }) => name)])).toEqual([
    [0.9, ['test', 'validation', 'bytes']],
    [0.7, ['test', 'validation', 'bytes']],
    [0.1, ['bytes']],
  ]);
});
