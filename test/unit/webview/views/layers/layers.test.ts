import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../../../server/protocol/run/events.ts';
import { createRunHistory } from '../../../../../server/protocol/run/runHistory.ts';
import { byteRatio, layerTable, parted, sortRows, summed } from '../../../../../webview/views/layers/layerRows.ts';
import type { LayerRow } from '../../../../../webview/views/layers/layerRows.ts';

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
    { name: 'fc1/kernel', layer: 'fc1', shape: [10, 10], compressed: true, key: 'fc*', setting: { rate: 0.9 } },
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
      size: { weightsKept: 40, bytesKept: 173 },
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
  it('says before the first distortion what is asked for, and that all is kept', () => {
    const table = tableOf([started]);
    expect(table?.soFar).toBe(true);
    expect(table?.rows[0]).toMatchObject({
      method: 'prune',
      key: 'fc*',
      target: { rate: 0.9 },
      weights: 100,
      bytes: 400,
    });
    expect(table?.rows[0].now).toBeUndefined();
    expect(table?.totals).toEqual({ weights: 110, weightsKept: 110, bytes: 440, bytesKept: 440 });
    expect(table?.rows.map(({ share }) => share)).toEqual([400 / 440, 40 / 440]);
  });

  it('has what is left so far from the last distortion, as the log counts it', () => {
    const table = tableOf([started, distortion, { ...distortion, type: 'observation', step: 12 }]);
    expect(table?.rows[0]).toMatchObject({ now: { rate: 0.5 }, weightsKept: 40, bytesKept: 173 });
    expect(table?.totals).toEqual({ weights: 110, weightsKept: 50, bytes: 440, bytesKept: 213 });
    expect(table?.shareOfCompressed).toBe(true);
  });

  it('has the target that was changed while the run trained', () => {
    const [kernel, bias] = started.layers;
    const layers = [{ ...kernel, setting: { rate: 0.7 } }, bias];
    const { config } = started;
    const table = tableOf([started, { type: 'changed', step: 5, time: 0, settings: [], config, layers }]);
    expect(table?.rows[0].target).toEqual({ rate: 0.7 });
  });

  it('has the weights that thinning has left, also of those that are not compressed', () => {
    const [kernel, bias] = started.layers;
    const layers = [
      { ...kernel, left: [10, 4] },
      { ...bias, left: [4] },
    ];
    const parameters = { before: 110, after: 44 };
    const loss = { lossBefore: 1, lossAfter: 1 };
    const thinned = { step: 12, time: 0, removed: [], parameters, multiplyAdds: parameters, ...loss, layers };
    const table = tableOf([started, distortion, { type: 'thinned', ...thinned }]);
    expect(table?.rows).toMatchObject([
      { shape: [10, 10], left: [10, 4], weights: 100, weightsKept: 40 },
      { shape: [10], left: [4], weights: 10, weightsKept: 4, bytes: 40, bytesKept: 16 },
    ]);
  });

  it('takes sizes from the summary of a finished run, and shares of the compressed model', () => {
    const table = tableOf([started, distortion, finished]);
    expect(table).toMatchObject({ soFar: false, shareOfCompressed: true });
    expect(table?.totals).toEqual({ weights: 110, weightsKept: 20, bytes: 440, bytesKept: 100 });
    expect(table?.rows.map(({ share }) => share)).toEqual([0.6, 0.4]);
    expect(byteRatio(table!.totals)).toBe(4.4);
  });

  it('has the size of the file where the run has one', () => {
    const { summary } = finished;
    expect(tableOf([started, finished])?.fileBytes).toBeUndefined();
    expect(tableOf([started, { ...finished, summary: { ...summary, fileBytes: 130 } }])?.fileBytes).toBe(130);
  });

  it('leaves a weight that is not compressed as it is', () => {
    expect(tableOf([started])?.rows[1]).toMatchObject({ weightsKept: 10, bytesKept: 40 });
    expect(tableOf([started])?.rows[1].method).toBeUndefined();
  });

  it('has vectors apart that the experiment leaves alone, and sums of rows', () => {
    const { main, vectors } = parted(tableOf([started, distortion])!.rows);
    expect([main, vectors].map((rows) => rows.map(({ name }) => name))).toEqual([['fc1/kernel'], ['fc1/bias']]);
    expect(summed([...main, ...vectors])).toEqual({
      weights: 110,
      weightsKept: 50,
      bytes: 440,
      bytesKept: 213,
      share: 1,
    });
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

function tableOf(events: readonly RunEvent[]) {
  const history = createRunHistory();
  for (const event of events) history.apply(event);
  return layerTable(history.snapshot());
}
