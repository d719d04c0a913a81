import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../../../server/protocol/run/events.ts';
import type { ShownRun } from '../../../../../webview/state.ts';
import {
  dropContent,
  evaluatedMetrics,
  firstSettings as settings,
  learningRateContent,
  loadedRuns,
  lossContent,
  metricContent,
  metricTitle,
  recordedShares,
  shareContent,
  shareTitle,
} from '../../../../../webview/views/curves/contents.ts';
import type { CurveSettings } from '../../../../../webview/views/curves/contents.ts';
import { dropsOf, meanRises } from '../../../../../webview/views/curves/drop.ts';
import { metricsEvent, runEvents, snapshotOf } from '../../runFixture.ts';

function shown(key: string, steps: number, options: Parameters<typeof runEvents>[1] = {}): ShownRun {
  return { key, label: key, color: key === 'a' ? 0 : 1, snapshot: snapshotOf(runEvents(steps, options)) };
}

describe('the Curves view', () => {
  it('draws the loss over steps, epochs or seconds since the run began', () => {
    const runs = loadedRuns([shown('a', 100)]);
    const last = (axis: CurveSettings['axis']) =>
      Array.from(lossContent(runs, { ...settings, axis }).series[0].x).at(-1);
    expect(last('step')).toBe(100);
    expect(last('epoch')).toBe(1);
    // From the first step, 10 ms each.
    expect(last('time')).toBeCloseTo(0.99, 9);
  });

  it('draws the parts of the loss of a single run beside it, under names of their own', () => {
    const withParts = (key: string) => ({
      ...shown(key, 0),
      snapshot: snapshotOf(
        [1, 2].map((step) => ({
          ...metricsEvent(step, 3),
          losses: { labels: 1.75, distillation: 0.5, divergence: 0.25, regularization: 0.5 },
        })),
      ),
    });
    const { series } = lossContent(loadedRuns([withParts('a')]), settings);
    expect(series.map(({ label, x, y }) => [label, [...Array.from(x)], [...Array.from(y)]])).toEqual([
      ['training loss', [1, 2], [3, 3]],
      ['loss on the labels', [1, 2], [1.75, 1.75]],
      ['distillation', [1, 2], [0.5, 0.5]],
      ['divergence from the prior', [1, 2], [0.25, 0.25]],
      ['regularization', [1, 2], [0.5, 0.5]],
    ]);
    expect(new Set(series.map(({ id }) => id)).size).toBe(5);
    const several = lossContent(loadedRuns([withParts('a'), withParts('b')]), settings);
    expect(several.series.map(({ label }) => label)).toEqual(['a', 'b']);
  });

  it('has a chart for each share that a run tells, of the runs that tell it', () => {
    const asking = (key: string, share: number) => ({
      ...shown(key, 0),
      snapshot: snapshotOf([metricsEvent(1, 3), { ...metricsEvent(2, 3), shares: { asked: share } }]),
    });
    const runs = loadedRuns([asking('a', 0.25), shown('b', 2), asking('c', 0.5)]);
    expect(recordedShares(runs)).toEqual(['asked']);
    expect(recordedShares(loadedRuns([shown('b', 2)]))).toEqual([]);
    expect(shareTitle('asked')).toBe('Samples that ask the teacher');
    const { series, y } = shareContent('asked', runs, settings);
    expect(series.map(({ label, x, y: values }) => [label, [...Array.from(x)], [...Array.from(values)]])).toEqual([
      ['a', [1, 2], [NaN, 0.25]],
      ['c', [1, 2], [NaN, 0.5]],
    ]);
    expect(y.format!(0.25)).toBe('25%');
  });

  it('gives all charts the x axis of the longest run', () => {
    const runs = loadedRuns([shown('a', 100), shown('b', 200)]);
    for (const content of [
      lossContent(runs, settings),
      dropContent(runs, settings),
      metricContent('accuracy', runs, settings),
    ])
      expect(content.x).toMatchObject({ minimum: 0, maximum: 200 });
  });

  it('has a place within the axis for what was recorded before the first metrics and after the last', () => {
    const metrics = metricsEvent(1);
    const at = (step: number, time: number) => ({ step, time: metrics.time + time });
    const evaluation = { type: 'evaluation', split: 'test', metric: 'accuracy', value: 0.5, loss: 1 };
    const snapshot = snapshotOf([
      { type: 'distortion', ...at(5, 500), weights: [], lossBefore: 1, lossAfter: 2 },
      { ...metrics, ...at(10, 1000), epoch: 0.5 },
      { ...metrics, ...at(20, 2000), epoch: 1 },
      { ...evaluation, ...at(25, 3000), moment: 'before-last-distortion' } as RunEvent,
      { type: 'distortion', ...at(25, 4000), weights: [], lossBefore: 1, lossAfter: 2 },
      { ...evaluation, ...at(25, 5000), moment: 'final' } as RunEvent,
    ]);
    const runs = loadedRuns([{ ...shown('a', 0), snapshot }]);
    const placesOn = (axis: 'step' | 'epoch' | 'time') => {
      const { x, series } = metricContent('accuracy', runs, { ...settings, axis });
      const drops = dropContent(runs, { ...settings, axis });
      expect([drops.x, lossContent(runs, { ...settings, axis }).x]).toEqual([x, x]);
      return [x.minimum, x.maximum, ...[drops.series[0], ...series].map((one) => Array.from(one.x))];
    };
    expect(placesOn('step')).toEqual([0, 25, [5, 25], [25], [25]]);
    expect(placesOn('epoch')).toEqual([0, 1.25, [0.25, 1.25], [1.25], [1.25]]);
    expect(placesOn('time')).toEqual([0, 4.5, [0, 3.5], [2.5], [4.5]]);
  });

  it('has a chart for each metric, perplexity on a log axis where asked for', () => {
    const runs = loadedRuns([shown('a', 100), shown('b', 100, { metric: 'perplexity' })]);
    expect(evaluatedMetrics(runs)).toEqual(['accuracy', 'perplexity']);
    expect(metricContent('perplexity', runs, settings).y.scale).toBe('log');
    expect(metricContent('perplexity', runs, { ...settings, logPerplexity: false }).y.scale).toBe('linear');
    expect(metricContent('accuracy', runs, settings).series.map(({ label }) => label)).toEqual(['a']);
  });

  it('has a chart for each measure of a model of several outputs', () => {
    const evaluation = (step: number, measures?: Record<string, number>) =>
      ({
        ...{ type: 'evaluation', step, time: 10 * step, split: 'test', metric: 'loss', value: 3, loss: 3 },
        ...{ moment: 'training', ...(measures && { measures }) },
      }) as RunEvent;
    const measured = (step: number) =>
      evaluation(step, { 'size loss': step, 'kind loss': 2, 'kind accuracy': step / 10 });
    const run = { ...shown('a', 0), snapshot: snapshotOf([metricsEvent(1, 3), measured(1), measured(2)]) };
    const other = { ...shown('b', 0), snapshot: snapshotOf([metricsEvent(1, 3), evaluation(1)]) };
    const runs = loadedRuns([run, other]);
    expect(evaluatedMetrics(runs)).toEqual(['loss', 'size loss', 'kind loss', 'kind accuracy']);
    expect(metricTitle('size loss')).toBe('Size loss');
    const { series, y } = metricContent('kind accuracy', runs, settings);
    expect(series.map(({ label, x, y: values }) => [label, Array.from(x), Array.from(values)])).toEqual([
      ['a', [1, 2], [0.1, 0.2]],
    ]);
    expect(y.format!(0.2)).toBe('20.00%');
    expect(metricContent('loss', runs, settings).series).toHaveLength(2);
  });

  it('says whether the drop at a distortion shrinks as training goes on', () => {
    const shrinking = shown('a', 400, { cost: (step) => 1 / step });
    const growing = shown('b', 400, { cost: (step) => step / 1000 });
    expect(dropContent(loadedRuns([shrinking]), settings).summary).toMatch(
      /\+0\.0\d+ in the first quarter.*; it shrinks\.$/,
    );
    expect(dropContent(loadedRuns([growing]), settings).summary).toMatch(/it does not shrink yet\.$/);
    const without = shown('c', 400, { cost: () => 0 });
    expect(dropContent(loadedRuns([without]), settings).summary).toBe('No distortion has changed the loss.');
    const { first, last } = meanRises(dropsOf(shrinking.snapshot!))!;
    // 40 distortions: means of 1/10 … 1/100 and of 1/310 … 1/400.
    expect(first).toBeCloseTo([...Array(10).keys()].reduce((sum, i) => sum + 0.1 / (i + 1), 0) / 10, 9);
    expect(last).toBeCloseTo([...Array(10).keys()].reduce((sum, i) => sum + 0.1 / (i + 31), 0) / 10, 9);
  });

  it('shows the loss before and after each distortion as stems', () => {
    const { series } = dropContent(loadedRuns([shown('a', 100)]), { ...settings, drop: 'before-after' });
    expect(series[0].mark).toBe('stems');
    expect(Array.from(series[0].from!)).toEqual(Array(10).fill(1));
    expect(Array.from(series[0].y)[9]).toBeCloseTo(1.01, 12);
  });

  it('marks where settings were changed while the run trained', () => {
    const events = runEvents(40);
    const rate = { path: 'compression.layers.fc1.rate', from: 0.9, to: 0.95 };
    const step = { path: 'compression.distortEvery', from: 10, to: 20 };
    const changed = (at: number, changes: object[]) =>
      ({ ...events[0], type: 'changed', step: at, settings: changes, config: {} }) as RunEvent;
    const run = {
      ...shown('a', 40),
      snapshot: snapshotOf([...events, changed(20, [rate]), changed(30, [rate, step])]),
    };
    const expected = [
      { axis: 'x', value: 20, label: 'fc1.rate 0.9 → 0.95' },
      { axis: 'x', value: 30, label: 'fc1.rate 0.9 → 0.95 and 1 more' },
    ];
    expect(lossContent(loadedRuns([run]), settings).references).toEqual(expected);
    expect(learningRateContent(loadedRuns([run]), settings).references).toEqual(expected);
  });

  it('marks where units were removed while the run trained', () => {
    const events = runEvents(40);
    const thinned = (at: number, before: number, after: number) =>
      ({ ...events[0], type: 'thinned', step: at, parameters: { before, after }, layers: [] }) as unknown as RunEvent;
    const snapshot = snapshotOf([...events, thinned(20, 266_610, 170_012), thinned(30, 170_012, 170_012)]);
    expect(lossContent(loadedRuns([{ ...shown('a', 40), snapshot }]), settings).references).toEqual([
      { axis: 'x', value: 20, label: 'thinned: 266,610 → 170,012 weights' },
    ]);
  });

  it('leaves out distortions whose loss was not measured', () => {
    const events = runEvents(40).map((event) =>
      event.type === 'distortion' && event.step === 20
        ? { ...event, lossBefore: undefined, lossAfter: undefined }
        : event,
    );
    expect(Array.from(dropsOf(snapshotOf(events)).step)).toEqual([10, 30, 40]);
  });
});
