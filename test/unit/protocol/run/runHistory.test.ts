import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventOf, RunEvent } from '../../../../server/protocol/run/events.ts';
import { packSnapshot, restoreSnapshot } from '../../../../server/protocol/wire/packSnapshot.ts';
import { createRunHistory, runHistoryFrom } from '../../../../server/protocol/run/runHistory.ts';
import type { RunSnapshot } from '../../../../server/protocol/run/runHistory.ts';

/** Small enough that a dozen distortions already thin out. */
const budget = { counts: 60, singularValues: 12 };

describe('a run history', () => {
  it('has every metric of a run in columns, in their order', () => {
    const { metrics } = fold([metric(1, 0.5), metric(2, NaN), metric(3, 0.25)]).snapshot();
    expect(metrics.length).toBe(3);
    expect([...metrics.columns.step]).toEqual([1, 2, 3]);
    expect([...metrics.columns.loss]).toEqual([0.5, NaN, 0.25]);
    expect([...metrics.columns.epoch]).toEqual([0.01, 0.02, 0.03]);
  });

  it('has the parts of the loss in columns beside the metrics, NaN where a row has none', () => {
    const withParts = (step: number, data: number): RunEvent => ({
      ...metric(step),
      losses: { data, regularization: 0.5 },
    });
    const history = fold([metric(1), withParts(2, 0.25), withParts(3, NaN), metric(4)]);
    const columnsOf = ({ losses }: RunSnapshot) =>
      losses && Object.entries(losses.columns).map(([name, column]) => [name, ...column]);
    expect(columnsOf(history.snapshot())).toEqual([
      ['data', NaN, 0.25, NaN, NaN],
      ['regularization', NaN, 0.5, 0.5, NaN],
    ]);
    // Sent to a page, which goes on with it, also back to the step from which the run is resumed.
    const page = runHistoryFrom(restoreSnapshot(packSnapshot(history.snapshot()).snapshot));
    for (const event of [started(2), withParts(3, 0.125)]) page.apply(event);
    expect(columnsOf(page.snapshot())).toEqual([
      ['data', NaN, 0.25, 0.125],
      ['regularization', NaN, 0.5, 0.5],
    ]);
    page.apply(started());
    page.apply(metric(1));
    expect(page.snapshot()).not.toHaveProperty('losses');
  });

  it('has the shares of the samples likewise, also sent to a page', () => {
    const asking = (step: number, asked: number): RunEvent => ({ ...metric(step), shares: { asked } });
    const history = fold([metric(1), asking(2, 0.25)]);
    const columnOf = ({ shares }: RunSnapshot) => shares && [...shares.columns.asked];
    expect(columnOf(history.snapshot())).toEqual([NaN, 0.25]);
    const page = runHistoryFrom(restoreSnapshot(packSnapshot(history.snapshot()).snapshot));
    page.apply(asking(3, 0.5));
    expect(columnOf(page.snapshot())).toEqual([NaN, 0.25, 0.5]);
    expect(fold([metric(1)]).snapshot()).not.toHaveProperty('shares');
  });

  it('has the losses around every distortion, NaN where they were not measured', () => {
    const { distortions } = fold([distortion(10, { lossBefore: 1, lossAfter: 2 }), distortion(20)]).snapshot();
    expect([...distortions.columns.lossBefore]).toEqual([1, NaN]);
    expect([...distortions.columns.lossAfter]).toEqual([2, NaN]);
  });

  it('tells an observation on demand from a distortion', () => {
    const observation: RunEvent = { ...distortion(15), type: 'observation' };
    const { weights, distortions } = fold([distortion(10), observation]).snapshot();
    expect(distortions.length).toBe(1);
    expect(weights['fc1/kernel']?.map(({ step, onDemand }) => [step, onDemand])).toEqual([
      [10, undefined],
      [15, true],
    ]);
  });

  it('takes what the model computes with for a distortion, with the levels between the ends of buckets', () => {
    const [weight] = distortion(15).weights;
    const scaledLevels = { levels: [0.2, 0.8], counts: [3, 4] };
    const observation: RunEvent = {
      ...distortion(15),
      type: 'observation',
      scheduled: true,
      weights: [{ ...weight, scaledLevels }],
    };
    const { weights, distortions } = fold([observation]).snapshot();
    expect(distortions.length).toBe(0);
    expect(weights[weight.name]).toMatchObject([
      { step: 15, scaledLevels: { levels: [0.2, 0.8], counts: Uint32Array.of(3, 4) } },
    ]);
    expect(weights[weight.name][0].onDemand).toBeUndefined();
  });

  it('drops what came after the step from which a run was resumed, and its end', () => {
    const events = [
      started(),
      metric(1),
      metric(2),
      distortion(2),
      spectrum(2),
      evaluation(2),
      metric(3),
      distortion(3),
    ];
    const resumed = fold([...events, stopped(3), started(2), metric(3, 9)]).snapshot();
    expect([...resumed.metrics.columns.step]).toEqual([1, 2, 3]);
    expect(resumed.metrics.columns.loss[2]).toBe(9);
    expect(resumed.weights['fc1/kernel']?.map(({ step }) => step)).toEqual([2]);
    expect(resumed.spectra['fc1/kernel']).toHaveLength(1);
    expect(resumed.evaluations).toHaveLength(1);
    expect(resumed.end).toBeUndefined();
  });

  it('has the settings in effect, and those that were changed up to the step from which a run was resumed', () => {
    const changed = (step: number, steps: number): EventOf<'changed'> => ({
      type: 'changed',
      step,
      time: 0,
      settings: [{ path: 'compression.distortEvery', from: 5, to: 10 }],
      config: { ...started().config, training: { ...started().config.training, steps } },
    });
    const history = fold([started(), metric(1), changed(2, 20), metric(3), changed(4, 30)]);
    expect(history.snapshot()).toMatchObject({
      changes: [changed(2, 20), changed(4, 30)],
      started: { step: 0, config: { training: { steps: 30 } } },
    });
    history.apply({ ...started(3), config: changed(2, 20).config });
    expect(history.snapshot()).toMatchObject({
      changes: [changed(2, 20)],
      started: { config: { training: { steps: 20 } } },
    });
  });

  it('has the settings that the weights end with, changed ones too; a change of an earlier version leaves them as they were', () => {
    const layer = { name: 'fc1/kernel', layer: 'fc1', shape: [10, 10], compressed: true, key: 'fc*' };
    const layersAt = (rate: number) => [{ ...layer, setting: { rate } }];
    const { config } = started();
    const changed: EventOf<'changed'> = { type: 'changed', step: 2, time: 0, settings: [], config };
    const history = fold([
      { ...started(), layers: layersAt(0.5) },
      { ...changed, layers: layersAt(0.7) },
    ]);
    expect(history.snapshot().started?.layers).toEqual(layersAt(0.7));
    history.apply(changed);
    expect(history.snapshot().started?.layers).toEqual(layersAt(0.7));
  });

  it('has the weights that thinnings have left, up to the step from which a run was resumed', () => {
    const layer = { name: 'fc1/kernel', layer: 'fc1', shape: [10, 10], compressed: true };
    const thinned = (step: number, units: number): EventOf<'thinned'> => ({
      type: 'thinned',
      step,
      time: 0,
      removed: [],
      parameters: { before: 100, after: 10 * units },
      multiplyAdds: { before: 100, after: 10 * units },
      lossBefore: 1,
      lossAfter: 1,
      layers: [{ ...layer, left: [10, units] }],
    });
    const history = fold([{ ...started(), layers: [layer] }, thinned(2, 7), thinned(4, 5)]);
    expect(history.snapshot()).toMatchObject({
      thinnings: [thinned(2, 7), thinned(4, 5)],
      started: { layers: [{ left: [10, 5] }] },
    });
    history.apply({ ...started(3), layers: thinned(2, 7).layers });
    expect(history.snapshot()).toMatchObject({ thinnings: [thinned(2, 7)], started: { layers: [{ left: [10, 7] }] } });
  });

  it('begins anew with a run that started again from its first step', () => {
    const { metrics, weights, thinning } = fold([started(), metric(1), distortion(1), started()]).snapshot();
    expect(metrics.length).toBe(0);
    expect(weights).toEqual({});
    expect(thinning.weights).toEqual({ recorded: 0, stride: 1 });
  });

  it('leaves a snapshot as it was, whatever comes after', () => {
    const history = fold([started(), metric(1, 1), metric(2, 2), distortion(2)]);
    const snapshot = history.snapshot();
    const copy = structuredClone(snapshot);
    for (const event of [metric(3, 3), distortion(3), started(1), metric(2, 20), distortion(4)]) history.apply(event);
    expect(snapshot).toEqual(copy);
  });

  it('gives the same object for a part that did not change', () => {
    const history = fold([distortion(1), evaluation(1)]);
    const first = history.snapshot();
    history.apply(metric(2));
    const second = history.snapshot();
    expect(second.weights).toBe(first.weights);
    expect(second.evaluations).toBe(first.evaluations);
  });

  it('keeps every n-th distortion, the first and the last, within its budget', () => {
    const events = Array.from({ length: 1000 }, (_, index) => distortion(index + 1));
    const { weights, thinning, distortions } = fold(events).snapshot();
    const kept = weights['fc1/kernel'] ?? [];
    expect(distortions.length).toBe(1000);
    expect(kept[0]?.step).toBe(1);
    expect(kept.at(-1)?.step).toBe(1000);
    expect(kept.slice(0, -1).every(({ index }) => index % thinning.weights.stride === 0)).toBe(true);
    expect(totalCounts({ weights })).toBeLessThanOrEqual(budget.counts);
    expect(totalCounts({ weights })).toBeGreaterThan(budget.counts / 4);
  });

  it('goes on from a snapshot as if it had seen every event, also after the way through a message', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), fc.nat(60), (events, split) => {
        const whole = fold(events);
        const prefix = fold(events.slice(0, split)).snapshot();
        const sent = restoreSnapshot(throughMessage(packSnapshot(prefix).snapshot));
        for (const start of [prefix, sent]) {
          const rest = runHistoryFrom(start, budget);
          for (const event of events.slice(split)) rest.apply(event);
          expect(rest.snapshot()).toEqual(whole.snapshot());
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is packed into a few buffers, whatever its size, that hold nothing else', () => {
    const history = fold([...Array(300).keys()].flatMap((step) => [metric(step), distortion(step), spectrum(step)]));
    const { snapshot, buffers } = packSnapshot(history.snapshot());
    expect(buffers.length).toBeLessThanOrEqual(16);
    const bytes = buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const values = Object.values(snapshot.spectra)
      .flat()
      .reduce((sum, item) => sum + item.singularValues.length, 0);
    const numbers = bytes - 4 * totalCounts(snapshot) - 4 * values;
    expect(numbers).toBeGreaterThanOrEqual(0);
    expect(numbers).toBeLessThanOrEqual(300 * 6 * 8 + 300 * 4 * 8);
    expect(restoreSnapshot(structuredClone(snapshot, { transfer: buffers }))).toEqual(history.snapshot());
  });
});

function fold(events: readonly RunEvent[]) {
  const history = createRunHistory(budget);
  for (const event of events) history.apply(event);
  return history;
}

function totalCounts({ weights }: Pick<RunSnapshot, 'weights'>): number {
  return Object.values(weights)
    .flat()
    .reduce((sum, { before, after }) => sum + before.length + after.length, 0);
}

function metric(step: number, loss = 1): EventOf<'metrics'> {
  return { type: 'metrics', step, time: 1000 + step, loss, learningRate: 0.1, stepsPerSecond: 50, epoch: step / 100 };
}

function distortion(step: number, losses: { lossBefore?: number; lossAfter?: number } = {}): EventOf<'distortion'> {
  const histogram = {
    minimum: -1,
    maximum: 1,
    before: [step, 2, 1],
    after: [0, 3 + step, 0],
    zerosBefore: 0,
    zerosAfter: 2,
    nearZerosBefore: 1,
    nearZerosAfter: 0,
  };
  const size = { weightsKept: 2, bytesKept: 9 };
  const relativeError = step === 4 ? NaN : 0.1;
  const weights: EventOf<'distortion'>['weights'] = [
    { name: 'fc1/kernel', setting: { rate: 0.5 }, histogram, relativeError, size },
  ];
  if (step % 3 === 0) weights.push({ name: 'fc2/kernel', setting: { rate: 0.9 }, histogram, relativeError: 0.2 });
  return { type: 'distortion', step, time: 1000 + step, weights, ...losses };
}

function spectrum(step: number): EventOf<'spectrum'> {
  return { type: 'spectrum', step, time: 0, weights: [{ name: 'fc1/kernel', singularValues: [3, 2, 1], rank: 2 }] };
}

function evaluation(step: number): EventOf<'evaluation'> {
  const value = step % 2 === 0 ? 0.5 : NaN;
  return { type: 'evaluation', step, time: 0, split: 'test', metric: 'accuracy', value, loss: 1, moment: 'training' };
}

function stopped(step: number): EventOf<'stopped'> {
  return { type: 'stopped', step, time: 0 };
}

function started(resumedFrom?: number): EventOf<'started'> {
  return {
    type: 'started',
    step: resumedFrom ?? 0,
    time: 0,
    run: 'a-run',
    config: {} as EventOf<'started'>['config'],
    layers: [],
    device: 'a processor',
    executor: 'compiled',
    ...(resumedFrom !== undefined && { resumedFrom }),
  };
}

/** Events of any kind; the steps of a run ascend, so they are numbered when they are folded. */
const anyEvent: fc.Arbitrary<RunEvent> = fc.tuple(fc.nat(40), fc.nat(99)).map(([step, kind]) => {
  if (kind < 30) return metric(step, kind === 0 ? NaN : kind);
  if (kind < 60) return distortion(step, kind % 2 === 0 ? { lossBefore: 1, lossAfter: NaN } : {});
  if (kind < 75) return spectrum(step);
  if (kind < 80) return { ...distortion(step), type: 'observation' };
  if (kind < 88) return evaluation(step);
  if (kind < 92) return { type: 'warning', step, time: 0, message: 'Look here.' };
  if (kind < 93) return { type: 'changed', step, time: 0, settings: [], config: started().config };
  if (kind < 94) return { type: 'checkpoint', step, time: 0, path: 'c', afterDistortion: false };
  if (kind < 96) return stopped(step);
  return started(kind === 99 ? undefined : step);
});

/** What VS Code does to a message: JSON, with typed arrays carried beside it. */
function throughMessage<T>(message: T): T {
  const arrays: ArrayBufferView[] = [];
  const json = JSON.stringify(message, (_key, value: unknown) =>
    ArrayBuffer.isView(value) ? { $array: arrays.push(structuredClone(value)) - 1 } : value,
  );
  return JSON.parse(json, (_key, value: unknown) => {
    const place = value !== null && typeof value === 'object' && '$array' in value ? value.$array : undefined;
    return typeof place === 'number' ? arrays[place] : value;
  }) as T;
}
