/** @file A small run, made of events, for tests of the page. */
import type { RunSummary } from '../../../server/protocol/dashboard.ts';
import type { RunEvent } from '../../../server/protocol/events.ts';
import { createRunHistory } from '../../../server/protocol/runHistory.ts';
import type { RunSnapshot } from '../../../server/protocol/runHistory.ts';

const BEGAN = 1_700_000_000_000;

export function metricsEvent(step: number, loss = 1 / step): RunEvent {
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
