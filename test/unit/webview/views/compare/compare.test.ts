import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resultText } from '../../../../../server/protocol/run/resultText.ts';
import { resultWords } from '../../../../../webview/frame/words.ts';
import { paretoFront } from '../../../../../webview/views/compare/pareto.ts';
import type { Outcome } from '../../../../../webview/views/compare/pareto.ts';
import { bestResults } from '../../../../../webview/views/compare/results.ts';
import type { RunResult } from '../../../../../webview/views/compare/results.ts';
import { sizeContent } from '../../../../../webview/views/compare/sizeContent.ts';
import type { ComparedRun } from '../../../../../webview/views/compare/sizeContent.ts';
import { differingSettings, flatten } from '../../../../../webview/views/compare/settings.ts';
import { runSummary } from '../../runFixture.ts';

const outcomes = fc.array(fc.record({ size: fc.integer({ min: 1, max: 8 }), metric: fc.integer({ min: 0, max: 8 }) }), {
  maxLength: 12,
});

describe('the Pareto front', () => {
  it('is what no other outcome beats, for metrics of either direction', () => {
    fc.assert(
      fc.property(outcomes, fc.boolean(), (all, greater) => {
        const front = paretoFront(all, greater);
        const expected = all.flatMap((one, index) => (all.some((other) => beats(other, one, greater)) ? [] : [index]));
        expect([...front].sort((a, b) => a - b)).toEqual(expected);
        expect(front.every((index, i) => i === 0 || all[index].size >= all[front[i - 1]].size)).toBe(true);
      }),
    );
  });

  it('leaves out what diverged', () => {
    expect(
      paretoFront(
        [
          { size: 1, metric: NaN },
          { size: 2, metric: 1 },
        ],
        false,
      ),
    ).toEqual([1]);
  });
});

describe('differing settings', () => {
  const experiment = (rate: number, rest: object = {}) => ({
    model: 'builtin:lenet-300-100',
    training: { steps: 100, optimizer: { type: 'adam' } },
    compression: { method: 'prune', layers: { fc1: { rate }, 'a.b': { rate: 0.5 } } },
    ...rest,
  });

  it('are those that are not the same in all runs, and absent ones', () => {
    const [rate, extra, ...others] = differingSettings([
      flatten(experiment(0.9)),
      flatten(experiment(0.5, { start: 'run:base' })),
    ]);
    expect(others).toEqual([]);
    expect(rate.path).toBe('compression.layers.fc1.rate');
    expect(rate.values).toEqual(['0.9', '0.5']);
    expect(extra.path).toBe('start');
    expect(extra.values).toEqual([undefined, 'run:base']);
  });

  it('are none of equal experiments', () => {
    const run = flatten(experiment(0.9));
    expect(differingSettings([run, run])).toEqual([]);
  });

  it('keep the order of the file, with what one run has more in its place', () => {
    const paths = differingSettings([flatten({ a: 1, c: 1 }), flatten({ a: 2, b: 2, c: 2 })]).map(({ path }) => path);
    expect(paths).toEqual(['a', 'b', 'c']);
  });

  it('are found at the leaves, empty lists and objects among them', () => {
    expect([...flatten({ a: { b: [1, { c: 'x' }] }, d: {}, e: null, f: undefined })]).toEqual([
      ['a.b[0]', '1'],
      ['a.b[1].c', 'x'],
      ['d', '{}'],
      ['e', 'null'],
    ]);
  });
});

describe('the best result', () => {
  const result = (value: number, bytes: number, rest: Partial<RunResult> = {}): RunResult => ({
    metric: 'accuracy',
    value,
    bytes,
    byteRatio: 1000 / bytes,
    final: true,
    steps: 10,
    ...rest,
  });

  it('is the greatest accuracy, the least perplexity, the least size', () => {
    const results = [result(0.9, 20), result(0.8, 10)];
    expect(bestResults(results, 'value')).toEqual([0]);
    expect(bestResults(results, 'bytes')).toEqual([1]);
    expect(bestResults(results, 'byteRatio')).toEqual([1]);
    expect(
      bestResults(
        results.map((r) => ({ ...r, metric: 'perplexity' })),
        'value',
      ),
    ).toEqual([1]);
  });

  it('is none of runs that have different metrics, are equal, or have not finished', () => {
    expect(bestResults([result(0.9, 1), result(0.8, 1, { metric: 'loss' })], 'value')).toEqual([]);
    expect(bestResults([result(0.9, 1), result(0.9, 1)], 'value')).toEqual([]);
    expect(bestResults([result(0.9, 1), result(0.8, 1, { final: false })], 'value')).toEqual([]);
    expect(bestResults([result(0.9, 1), result(0.8, 2)], 'steps')).toEqual([]);
  });
});

function beats(a: Outcome, b: Outcome, greater: boolean): boolean {
  const gain = greater ? a.metric - b.metric : b.metric - a.metric;
  return a.size <= b.size && gain >= 0 && (a.size < b.size || gain > 0);
}

describe('size against metric', () => {
  const compared = (sizes: number[]): ComparedRun[] =>
    sizes.map((bytes, color) => ({
      run: { key: `run ${color}`, label: `run ${color}`, color },
      result: { final: true, value: 0.9, bytes, metric: 'accuracy' } as RunResult,
    }));

  it.each([
    ['the sizes themselves where they differ', [1000, 2000], {}],
    ['a logarithm over a decade', [1000, 11_000], { scale: 'log' }],
    ['a tenth to either side where they are nearly the same', [999, 1001], { minimum: 900, maximum: 1100 }],
    ['no bounds where there is none', [], {}],
  ])('has on its axis %s', (_, sizes, bounds) => {
    const { scale, minimum, maximum } = sizeContent(compared(sizes)).x;
    expect({ scale, minimum, maximum }).toEqual({
      scale: undefined,
      minimum: undefined,
      maximum: undefined,
      ...bounds,
    });
  });

  it('tells sizes of files from sizes that a file would take', () => {
    const [file, other] = compared([1000, 2000]);
    const inFile = { ...file, result: { ...file.result, hasFile: true } };
    const without = { ...other, result: { ...other.result, hasFile: false } };
    const { x, series } = sizeContent([inFile, without]);
    expect(x.label).toBe('size, or what it would take');
    expect(sizeContent([inFile]).x.label).toBe('size');
    expect(series.slice(0, 2).map(({ describe: text }) => text?.(0))).toEqual([
      '90.00%, 1.00 kB',
      '90.00%, would take 2.00 kB',
    ]);
  });
});

it('the page says what a run came to as the tree does', () => {
  const result = { metric: 'accuracy', test: 0.983, byteRatio: 46.12 };
  expect(resultWords(runSummary('a', { result }))).toEqual(['accuracy 98.30%', 'would be 46.1x smaller']);
  expect(resultText({ result })).toBe('accuracy 98.30% · would be 46.1x smaller');
  const inFile = { ...result, fileRatio: 45.8 };
  expect(resultWords(runSummary('a', { result: inFile }))).toEqual(['accuracy 98.30%', '45.8x smaller']);
  expect(resultText({ result: inFile })).toBe('accuracy 98.30% · 45.8x smaller');
  expect(resultWords(runSummary('a', { result: { ...result, byteRatio: 1.001 } }))).toEqual(['accuracy 98.30%']);
});
