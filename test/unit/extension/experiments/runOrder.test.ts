import { describe, expect, test } from 'vitest';
import { inOrder, matchesFilter } from '../../../../extension/experiments/runOrder.ts';
import type { RunSummary } from '../../../../server/protocol/wire/dashboard.ts';

type Changes = Partial<RunSummary> & { readonly id: string };

function summary(changes: Changes): RunSummary {
  return {
    key: `/w/.deeptwist/runs/${changes.id}`,
    name: 'lenet',
    experiment: 'lenet.deeptwist.jsonc',
    overrides: [],
    state: 'finished',
    created: 0,
    ...changes,
  };
}

const ids = (runs: readonly RunSummary[]) => runs.map(({ id }) => id);
const accuracy = (test: number, byteRatio: number) => ({ result: { metric: 'accuracy', test, byteRatio } });

describe('the order of runs', () => {
  test('is newest first; of two of the same moment, the one with the later id', () => {
    const runs = [summary({ id: 'a', created: 1 }), summary({ id: 'c', created: 2 }), summary({ id: 'd', created: 2 })];
    expect(ids(inOrder(runs, 'newest'))).toEqual(['d', 'c', 'a']);
  });

  test('by metric has the highest accuracy first, and what has no result last', () => {
    const runs = [
      summary({ id: 'failed', created: 9, state: 'failed' }),
      summary({ id: 'good', ...accuracy(0.98, 10) }),
      summary({ id: 'diverged', created: 8, ...accuracy(NaN, 10) }),
      summary({ id: 'better', ...accuracy(0.99, 5) }),
    ];
    expect(ids(inOrder(runs, 'metric'))).toEqual(['better', 'good', 'failed', 'diverged']);
  });

  test.each(['perplexity', 'mse'])('by metric has the lowest %s first', (metric) => {
    const withMetric = (id: string, test: number) => summary({ id, result: { metric, test, byteRatio: 1 } });
    expect(ids(inOrder([withMetric('worse', 120), withMetric('better', 80)], 'metric'))).toEqual(['better', 'worse']);
  });

  test('by ratio has the smallest model first', () => {
    const runs = [summary({ id: 'large', ...accuracy(0.99, 2) }), summary({ id: 'small', ...accuracy(0.9, 60) })];
    expect(ids(inOrder(runs, 'ratio'))).toEqual(['small', 'large']);
  });

  test.each(['metric', 'ratio'] as const)('by %s has those first that are under way', (order) => {
    const runs = [
      summary({ id: 'good', created: 3, ...accuracy(0.98, 10) }),
      summary({ id: 'stopped', created: 4, state: 'stopped' }),
      summary({ id: 'training', created: 1, state: 'running' }),
      summary({ id: 'waiting', created: 2, state: 'queued' }),
    ];
    expect(ids(inOrder(runs, order))).toEqual(['waiting', 'training', 'good', 'stopped']);
  });
});

describe('the filter of runs', () => {
  const run = summary({ id: '20261124-101500-lenet', overrides: ['compression.distortEvery=100'] });

  test.each([
    ['', true],
    ['  ', true],
    ['LeNet', true],
    ['finished distortevery=100', true],
    ['lenet failed', false],
  ])('%j matches: %s', (filter, matches) => {
    expect(matchesFilter(run, filter)).toBe(matches);
  });
});
