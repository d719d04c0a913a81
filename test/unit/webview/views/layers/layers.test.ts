import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../../../server/protocol/run/events.ts';
import { createRunHistory } from '../../../../../server/protocol/run/runHistory.ts';
import { byteRatio, layerTable, sortRows } from '../../../../../webview/views/layers/layerRows.ts';
import type { LayerRow } from '../../../../../webview/views/layers/layerRows.ts';
import { parametersFor, targetSetting } from '../../../../../webview/views/layers/targetSetting.ts';

type Started = Extract<RunEvent, { type: 'started' }>;
type Finished = Extract<RunEvent, { type: 'finished' }>;

const started = {
  type: 'started',
  step: 0,
  time: 0,
  run: 'r',
  device: 'd',
  executor: 'e',
  layers: [
    { name: 'fc1/kernel', layer: 'fc1', shape: [10, 10], compressed: true },
    { name: 'fc1/bias', layer: 'fc1', shape: [10], compressed: false },
  ],
  config: { compression: { method: 'prune', layers: { 'fc*': { rate: 0.9 } } } },
} as unknown as Started;

const distortion: RunEvent = {
  type: 'distortion',
  step: 10,
  time: 0,
  weights: [
    {
      name: 'fc1/kernel',
      setting: { rate: 0.5 },
      relativeError: 0.1,
      histogram: {
        minimum: -1,
        maximum: 1,
        before: [100],
        after: [100],
        zerosBefore: 0,
        zerosAfter: 50,
        nearZerosBefore: 0,
        nearZerosAfter: 0,
      },
    },
  ],
};

const finished = {
  type: 'finished',
  step: 20,
  time: 0,
  summary: {
    layers: [
      { name: 'fc1/kernel', shape: [10, 10], weights: 100, weightsKept: 10, bytes: 400, bytesKept: 60 },
      { name: 'fc1/bias', shape: [10], weights: 10, weightsKept: 10, bytes: 40, bytesKept: 40 },
    ],
  },
} as unknown as Finished;

describe('the table of layers', () => {
  it('says before the first distortion what is asked for, and not what is kept', () => {
    const table = tableOf([started]);
    expect(table?.soFar).toBe(true);
    expect(table?.rows[0]).toMatchObject({ method: 'prune', target: { rate: 0.9 }, weights: 100, bytes: 400 });
    expect(table?.rows[0].now).toBeUndefined();
    expect(table?.totals).toEqual({ weights: 110, weightsKept: undefined, bytes: 440, bytesKept: undefined });
    expect(table?.rows.map(({ share }) => share)).toEqual([400 / 440, 40 / 440]);
  });

  it('counts the weights that are kept so far from the last distortion', () => {
    const table = tableOf([started, distortion, { ...distortion, type: 'observation', step: 12 }]);
    expect(table?.rows[0]).toMatchObject({ now: { rate: 0.5 }, weightsKept: 50 });
    expect(table?.totals.weightsKept).toBe(60);
    expect(table?.totals.bytesKept).toBeUndefined();
  });

  it('takes sizes from the summary of a finished run, and shares of the compressed model', () => {
    const table = tableOf([started, distortion, finished]);
    expect(table).toMatchObject({ soFar: false, shareOfCompressed: true });
    expect(table?.totals).toEqual({ weights: 110, weightsKept: 20, bytes: 440, bytesKept: 100 });
    expect(table?.rows.map(({ share }) => share)).toEqual([0.6, 0.4]);
    expect(byteRatio(table!.totals)).toBe(4.4);
  });

  it('leaves a weight that is not compressed as it is', () => {
    expect(tableOf([started])?.rows[1]).toMatchObject({ weightsKept: 10, bytesKept: 40 });
    expect(tableOf([started])?.rows[1].method).toBeUndefined();
  });

  it('is none before the run has begun', () => {
    expect(tableOf([])).toBeUndefined();
  });

  it('is sorted both ways, what is not known last', () => {
    const row = (name: string, bytesKept?: number): LayerRow => ({
      name,
      shape: [],
      weights: 1,
      bytes: 1,
      bytesKept,
      share: 0,
    });
    const names = (rows: readonly LayerRow[]) => rows.map(({ name }) => name).join(' ');
    const rows = [row('b10', 2), row('x'), row('b9', 1)];
    expect(names(sortRows(rows, { key: 'bytesKept', descending: true }))).toBe('b10 b9 x');
    expect(names(sortRows(rows, { key: 'bytesKept', descending: false }))).toBe('b9 b10 x');
    expect(names(sortRows(rows, { key: 'name', descending: false }))).toBe('b9 b10 x');
    expect(names(sortRows(rows, { key: 'model', descending: false }))).toBe('b10 x b9');
  });
});

describe('the target of a weight', () => {
  const weight = { name: 'lstm_1/recurrent_kernel', layer: 'lstm_1' };

  it.each([
    ['lstm_1/recurrent_kernel', true],
    ['lstm_1', true],
    ['lstm_*', true],
    ['lstm_?/recurrent*', true],
    ['{dense,lstm_1}', true],
    ['**/recurrent_kernel', true],
    ['lstm_[12]', true],
    ['lstm', false],
    ['*/kernel', false],
    ['lstm.1', false],
    ['lstm_[', false],
  ])('is found by the key %s: %s', (key, found) => {
    expect(parametersFor({ [key]: { rank: 3 } }, weight)).toEqual(found ? { rank: 3 } : undefined);
  });

  it('comes from the closest key', () => {
    const layers = { '*': 1, lstm_1: 2, 'lstm_1/recurrent_kernel': 3 };
    expect(parametersFor(layers, weight)).toBe(3);
    expect(parametersFor({ '*': 1, lstm_1: 2 }, weight)).toBe(2);
  });

  it('has what a distortion has as its setting, and nothing else', () => {
    const compression = { layers: { lstm_1: { rank: 8, sharedProjection: true } } };
    expect(targetSetting(compression as never, weight)).toEqual({ rank: 8 });
  });
});

function tableOf(events: readonly RunEvent[]) {
  const history = createRunHistory();
  for (const event of events) history.apply(event);
  return layerTable(history.snapshot());
}
