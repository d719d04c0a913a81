import { expect, test } from 'vitest';
import { searchReportLines } from '../../../server/cli/searchReport.ts';
import type { SearchedRun, SearchReport } from '../../../server/search/index.ts';

function run(settings: Partial<SearchedRun>): SearchedRun {
  const drop = settings.drop ?? 0.03;
  return {
    ...{ line: 1, run: 'a.01', length: 1, seed: 1, way: 'energy', purpose: 'at the size' },
    ...{ value: 0.9 - drop, bytes: 1000, ratio: 40, ...settings, drop },
  };
}

function textOf(changes: Partial<SearchReport>, best: Partial<NonNullable<SearchReport['best']>> = {}): string {
  const full = changes.full ?? [run({})];
  const report: SearchReport = {
    ...{
      id: 'a',
      path: '/a',
      experiment: '/a.deeptwist.jsonc',
      target: { maxDrop: 0.01, split: 'validation' },
      metric: 'accuracy',
    },
    ...{ isMet: false, reference: { run: 'a.00', value: 0.9, test: 0.89, bytes: 40_000 } },
    best: {
      ...{ ...full[0], path: '/a/a.01', test: 0.86, weightRatio: 40, drops: [full[0].drop!] },
      ...{ compression: { method: 'prune' }, ...best },
    },
    ...{ short: [], full, runs: 12, fullRuns: 7, seconds: 700, secondsOfFullRun: 100, ...changes },
  };
  return searchReportLines(report, { columns: 200 }).join('\n');
}

test('a search whose full runs lose far more than its short ones says what these began with', () => {
  const short = [run({ length: 0.2, drop: 0.002 }), run({ length: 0.2, drop: 0.001, bytes: 1500 })];
  const hint = 'had a drop of 0.002: "start": "run:a.00" lets full runs begin with them, too.';
  expect(textOf({ short })).toContain(hint);
  for (const other of [{ short, start: 'run:dense' }, { short, isMet: true }, { short: [run({ length: 0.2 })] }])
    expect(textOf(other)).not.toContain('"start"');
});

test('a search tells what it cost in full runs, by the clock where one has ended', () => {
  expect(textOf({})).toContain('12 runs took 11 min 40 s: 7 full runs by their steps, 7 by their time.');
  const text = textOf({ secondsOfFullRun: 0 });
  expect(text).toContain('12 runs took 11 min 40 s: 7 full runs by their steps.\n');
});

test('a search that trained its best settings with several seeds tells their mean', () => {
  const full = [run({ drop: 0.1 + 0.2 }), run({ drop: 0.2, run: 'a.02', seed: 20261130 })];
  const text = textOf({ full, isMet: true }, { drops: [0.1 + 0.2, 0.2] });
  expect(text).toContain('with a drop of 0.3 on the validation split, and of 0.25 on average of 2 seeds.');
  expect(text).toMatch(/a\.02 +energy +20261130 /);
});
