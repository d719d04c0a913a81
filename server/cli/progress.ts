/** @file How a run stands: a function of its events alone, so that a live run and a recorded one are shown alike. */
import type { EventOf, RunEvent } from '../protocol/events.ts';

export interface Progress {
  /** With the settings that are in effect. */
  started?: EventOf<'started'>;
  /** Steps done. */
  step: number;
  metrics?: EventOf<'metrics'>;
  distortion?: EventOf<'distortion'>;
  evaluations: readonly EventOf<'evaluation'>[];
  warnings: readonly EventOf<'warning'>[];
  changes: readonly EventOf<'changed'>[];
  /** How the run ended, if it has. */
  end?: EventOf<'finished'> | EventOf<'failed'> | EventOf<'stopped'>;
}

export const noProgress: Progress = { step: 0, evaluations: [], warnings: [], changes: [] };

/** The progress after one more event. */
export function advance(progress: Progress, event: RunEvent): Progress {
  const step = Math.max(progress.step, event.step);
  switch (event.type) {
    case 'started':
      return restart(progress, event);
    case 'metrics':
      return { ...progress, step, metrics: event };
    case 'distortion':
      return { ...progress, step, distortion: event };
    case 'evaluation':
      return { ...progress, step, evaluations: [...progress.evaluations, event] };
    case 'warning':
      return { ...progress, step, warnings: [...progress.warnings, event] };
    case 'changed': {
      const started = progress.started && { ...progress.started, config: event.config };
      return { ...progress, step, started, changes: [...progress.changes, event] };
    }
    case 'finished':
    case 'failed':
    case 'stopped':
      return { ...progress, step, end: event };
    case 'checkpoint':
    case 'spectrum':
    case 'observation':
      return { ...progress, step };
    default:
      return event satisfies never;
  }
}

/** A run that begins, or goes on from a checkpoint: what was seen of later steps will be done again. */
function restart(progress: Progress, started: EventOf<'started'>): Progress {
  const from = started.resumedFrom ?? 0;
  const { metrics, distortion } = progress;
  return {
    started,
    step: from,
    metrics: metrics && metrics.step <= from ? metrics : undefined,
    distortion: distortion && distortion.step <= from ? distortion : undefined,
    evaluations: progress.evaluations.filter((event) => event.step <= from),
    warnings: progress.warnings.filter((event) => event.step <= from),
    changes: progress.changes.filter((event) => event.step <= from),
  };
}

/** The newest result on the test set, or on the validation set where there is no other. */
export function latestEvaluation(progress: Progress): EventOf<'evaluation'> | undefined {
  return (
    progress.evaluations.findLast((event) => event.split === 'test') ??
    progress.evaluations.findLast((event) => event.split === 'validation')
  );
}

/** The metric and its newest value: the final one of a finished run, else that of {@link latestEvaluation}. */
export function latestMetric(progress: Progress): { metric: string; value: number } | undefined {
  if (progress.end?.type !== 'finished') return latestEvaluation(progress);
  const { metric, test } = progress.end.summary;
  return { metric, value: test };
}

/** Training seconds left at the present speed; undefined while that is unknown. */
export function secondsLeft(progress: Progress): number | undefined {
  const { started, metrics, step } = progress;
  if (!started || !metrics || !(metrics.stepsPerSecond > 0)) return undefined;
  return Math.max(0, started.config.training.steps - step) / metrics.stepsPerSecond;
}

/**
 * How compressed the weights are since the last observed distortion: `sparsity 93.1%`, `3 bits`, `rank 32-64`. Undefined
 * before the first.
 */
export function compressionNow(progress: Progress): string | undefined {
  const weights = progress.distortion?.weights ?? [];
  const part = (values: (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined);
    const [lowest, highest] = [Math.min(...known), Math.max(...known)];
    if (known.length === 0) return undefined;
    return lowest === highest ? String(lowest) : `${lowest}-${highest}`;
  };
  const bits = part(weights.map((weight) => weight.setting.bits));
  if (bits !== undefined) return `${bits} bits`;
  const rank = part(weights.map((weight) => weight.setting.rank));
  if (rank !== undefined) return `rank ${rank}`;
  if (!weights.some((weight) => weight.setting.rate !== undefined)) return undefined;
  const zeros = weights.reduce((sum, weight) => sum + weight.histogram.zerosAfter, 0);
  const count = weights.reduce((sum, { histogram }) => sum + histogram.after.reduce((a, b) => a + b, 0), 0);
  return count === 0 ? undefined : `sparsity ${((100 * zeros) / count).toFixed(1)}%`;
}
