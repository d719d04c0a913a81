/** @file A small run, made of events, for tests of the page. */
import type { RunSummary } from '../../../server/protocol/wire/dashboard.ts';
import type { EventOf, RunEvent } from '../../../server/protocol/run/events.ts';
import { createRunHistory } from '../../../server/protocol/run/runHistory.ts';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';

const BEGAN = 1_700_000_000_000;

export function metricsEvent(step: number, loss = 1 / step): EventOf<'metrics'> {
  const time = BEGAN + 10 * step;
  return { type: 'metrics', step, time, loss, learningRate: 0.01, stepsPerSecond: 100, epoch: step / 100 };
}

/** A distortion every 10 steps that costs `cost(step)`; an evaluation every 50. */
export function runEvents(steps: number, { metric = 'accuracy', cost = (step: number) => 1 / step } = {}): RunEvent[] {
  const events: RunEvent[] = [];
  for (let step = 1; step <= steps; step++) {
    const time = BEGAN + 10 * step;
    events.push(metricsEvent(step));
    if (step % 10 === 0)
      events.push({ type: 'distortion', step, time, weights: [], lossBefore: 1, lossAfter: 1 + cost(step) });
    if (step % 50 === 0)
      events.push({
        type: 'evaluation',
        step,
        time,
        split: 'test',
        metric,
        value: 1 - 1 / step,
        loss: 1 / step,
        moment: 'training',
      });
  }
  return events;
}

/** A run of `length` steps that prunes two weights, with their spectra, at each of `steps`. */
export function compressedEvents(steps: readonly number[], length: number): RunEvent[] {
  const singularValues = (step: number) => [3 + step, 2, 1];
  return [
    started(length),
    ...steps.flatMap((step): RunEvent[] => [
      {
        type: 'spectrum',
        step,
        time: step,
        weights: PRUNED.map((name) => ({ name, singularValues: singularValues(step), rank: 1 })),
      },
      distortion(step),
    ]),
  ];
}

const PRUNED = ['fc1/kernel', 'fc2/kernel'];

function started(steps: number): EventOf<'started'> {
  return {
    type: 'started',
    step: 0,
    time: 0,
    run: 'a',
    device: 'a processor',
    executor: 'compiled',
    layers: PRUNED.map((name) => ({
      name,
      layer: name.split('/')[0],
      shape: [10, 10],
      compressed: true,
      key: 'fc*',
      setting: { rate: 0.9 },
    })),
    config: {
      training: { steps },
      observe: { bins: 3, spectrum: true },
      compression: { method: 'prune', policy: 'deeptwist', distortEvery: 10, layers: { 'fc*': { rate: 0.9 } } },
    } as unknown as EventOf<'started'>['config'],
  };
}

/** At step n, n of 100 weights become zero. */
export function distortion(step: number): RunEvent {
  const weight = (name: string) => ({
    name,
    setting: { rate: step / 100 },
    relativeError: step / 100,
    size: { weightsKept: 100 - step, bytesKept: 4 * (100 - step) + 13 },
    histogram: {
      minimum: -1,
      maximum: 1,
      before: [40, 20, 40],
      after: [50 - step / 2, step, 50 - step / 2],
      zerosBefore: 0,
      zerosAfter: step,
      nearZerosBefore: 3,
      nearZerosAfter: 0,
    },
  });
  return { type: 'distortion', step, time: step, weights: PRUNED.map(weight) };
}

export function snapshotOf(events: readonly RunEvent[]): RunSnapshot {
  const history = createRunHistory();
  for (const event of events) history.apply(event);
  return history.snapshot();
}

export function runSummary(key: string, changes: Partial<RunSummary> = {}): RunSummary {
  return {
    key,
    id: key,
    name: 'lenet',
    experiment: 'lenet.deeptwist.jsonc',
    overrides: [],
    state: 'running',
    created: BEGAN,
    ...changes,
  };
}
