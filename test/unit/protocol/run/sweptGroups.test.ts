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

test('of rows that are equally good, the smallest comes first', () => {
  const run = (rate: number, seed: number, value: number, bytes: number) => {
    const summary = { ...finished.summary, test: value, validation: value, fileBytes: bytes };
    return { seed, vary: [`compression.layers.fc1.rate=${rate}`, `training.seed=${seed}`], summary };
  };
  // 0.1 + 0.3 + 0.2 is less than 0.1 + 0.2 + 0.3 by its rounding.
  const runs = [
    ...[0.1, 0.3, 0.2].map((value, i) => run(0.5, i + 1, value, 4000)),
    ...[0.1, 0.2, 0.3].map((value, i) => run(0.8, i + 1, value, 2000)),
    ...[0.1, 0.3, 0.2].map((value, i) => run(0.9, i + 1, value, 1000)),
  ];
  const { groups } = sweptGroups(runs, ({ vary }) => vary);
  expect(groups.map(({ settings }) => [...settings.values()])).toEqual([['0.9'], ['0.8'], ['0.5']]);
});
