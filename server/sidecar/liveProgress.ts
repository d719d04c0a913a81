/** @file How far a run is: what its events add up to for {@link LiveState}. */
import type { RunEvent } from '../protocol/run/events.ts';
import type { LiveState } from '../protocol/wire/sidecar.ts';

export type LiveProgress = Omit<LiveState, 'phase' | 'runsAhead' | 'decoded'>;

export const noProgress: LiveProgress = { step: 0, steps: 0 };

/** The progress after one more event of this process. */
export function advance(progress: LiveProgress, event: RunEvent): LiveProgress {
  const { step } = event;
  switch (event.type) {
    case 'started':
      return { step, steps: event.config.training.steps ?? 0 };
    case 'metrics':
      return { ...progress, step, stepsPerSecond: event.stepsPerSecond, loss: event.loss };
    case 'evaluation':
      return { ...progress, step, evaluation: { metric: event.metric, value: event.value, step } };
    case 'pretrained':
    case 'distortion':
    case 'spectrum':
    case 'observation':
    case 'checkpoint':
    case 'warning':
    case 'changed':
    case 'thinned':
    case 'finished':
    case 'failed':
    case 'stopped':
      return { ...progress, step: Math.max(progress.step, step) };
    default:
      return event satisfies never;
  }
}
