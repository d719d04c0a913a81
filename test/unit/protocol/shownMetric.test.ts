/** @file Runs that left the test split alone, as all runs of a search do, are shown with their metric on the validation split, under its name. */
import * as l10n from '@vscode/l10n';
import { expect, test } from 'vitest';
import { inOrder } from '../../../extension/experiments/runOrder.ts';
import { runTooltip } from '../../../extension/experiments/runTooltip.ts';
import { rowsInOrder } from '../../../extension/experiments/sweepRows.ts';
import { cardRun, modelCard } from '../../../server/cli/modelCard.ts';
import type { Summary } from '../../../server/protocol/run/events.ts';
import { advance, latestMetric, newProgress } from '../../../server/protocol/run/progress.ts';
import { createRunHistory } from '../../../server/protocol/run/runHistory.ts';
import { resultFacts } from '../../../server/protocol/run/resultText.ts';
import { selectionText } from '../../../server/protocol/run/selectionText.ts';
import type { RunSummary } from '../../../server/protocol/wire/dashboard.ts';
import { resultOf } from '../../../server/runs/runResult.ts';
import { renderReport } from '../../../webview/report/report.ts';
import { bestResults, groupResult, runResult } from '../../../webview/views/compare/results.ts';
import { sizeContent } from '../../../webview/views/compare/sizeContent.ts';
import { finished, started } from '../cli/sampleEvents.ts';

/** The summary of a run with `"testAtEnd": false`. */
const without = (validation: number): Summary => ({
  ...finished.summary,
  test: NaN,
  testBeforeLastDistortion: NaN,
  validation,
});
const summaryOf = (id: string, summary: Summary): RunSummary => ({
  ...{ key: `/w/runs/${id}`, id, name: 'lenet', experiment: 'lenet.deeptwist.jsonc', overrides: [] },
  ...{ state: 'finished', created: 0, result: resultOf(summary) },
});
const snapshotOf = (summary: Summary) => {
  const history = createRunHistory();
  for (const event of [started, { ...finished, summary }]) history.apply(event);
  return history.snapshot();
};
const reported = (id: string, summary: Summary) => ({
  ...{ id, state: 'finished' as const, created: 0, overrides: [], snapshot: snapshotOf(summary) },
  ...{ exports: [], experimentText: '{}', commands: ['npx deeptwist run x'] },
});

test('lists order and name it', () => {
  const [worse, better] = [summaryOf('worse', without(0.9)), summaryOf('better', without(0.95))];
  expect(inOrder([worse, better], 'metric').map(({ id }) => id)).toEqual(['better', 'worse']);
  const row = (line: number, validation: number) => ({
    ...{ line, id: `s.${line}`, key: `/runs/s.${line}`, vary: [], seed: 1, state: 'finished' as const },
    result: { metric: 'accuracy', test: null, validation, bytes: 100, bytesKept: 10, byteRatio: 10 },
  });
  expect(rowsInOrder([row(1, 0.9), row(2, 0.95)], 'metric').map(({ line }) => line)).toEqual([2, 1]);
  expect(resultFacts(better)[0]).toBe('accuracy 95.00%');
  const tooltip = runTooltip(
    l10n,
    { summary: better, liveState: undefined, lastEvaluation: undefined },
    { state: 'finished', locale: 'en' },
  );
  expect(tooltip.replaceAll('\\', '')).toContain('Validation accuracy: 95.00%');
  expect(tooltip).not.toContain('Test');
});

test('progress on the command line is of that split', () => {
  const progress = newProgress();
  for (const event of [started, { ...finished, summary: without(0.95) }]) advance(progress, event);
  expect(latestMetric(progress)).toEqual({ metric: 'accuracy', value: 0.95, split: 'validation' });
});

test('runs are compared on one split: there is no best of two, and no front', () => {
  const [tested, validated] = [runResult(snapshotOf(finished.summary)), runResult(snapshotOf(without(0.95)))];
  expect(tested).toMatchObject({ value: 0.98412, split: 'test' });
  expect(validated).toMatchObject({ value: 0.95, split: 'validation' });
  expect(bestResults([tested, validated], 'value')).toEqual([]);
  expect(bestResults([validated, runResult(snapshotOf(without(0.9)))], 'value')).toEqual([0]);
  expect(groupResult([tested, validated]).value).toBeUndefined();
  const compared = [validated, tested].map((result, i) => ({ run: { key: `${i}`, label: `${i}`, color: i }, result }));
  const { y, series, summary } = sizeContent(compared);
  expect(y).toMatchObject({ label: 'validation accuracy', column: 'validation accuracy' });
  expect(series.map(({ id }) => id)).toEqual(['0']);
  expect(summary).toBe('1 not shown: unfinished, or with a metric of another name or split.');
});

test('a report and a model card name the split, and say that the test split was not read', () => {
  const run = reported('one', without(0.95));
  expect(selectionText(run.snapshot)).toContain('The test split was not read.');
  expect(selectionText(snapshotOf(finished.summary))).toContain('The test split was read at the end alone.');
  const watching = { config: { training: { keepBest: false, learningRateSchedule: { type: 'plateau' } } } };
  const watched = { started: watching, evaluations: [{ split: 'test', moment: 'training' }], end: undefined };
  expect(selectionText(watched as unknown as typeof run.snapshot)).toContain(
    'The test split was evaluated once while it trained, and the learning rate followed it.',
  );
  const versions = { time: 0, versions: { deeptwist: '1', node: '20' }, title: 'x', seeds: undefined };
  const { body } = renderReport({ ...versions, runs: [run] });
  expect(body).toContain('validation accuracy');
  expect(body).not.toMatch(/NaN|test accuracy|before the last distortion/);
  const both = renderReport({ ...versions, runs: [run, reported('two', finished.summary)] }).body;
  expect(both).toContain('95.00% (validation)');
  const card = modelCard(cardRun(run)!);
  expect(card).toContain('| validation split, final model | 0.95 |');
  expect(card).not.toMatch(/NaN|test split, /);
});
