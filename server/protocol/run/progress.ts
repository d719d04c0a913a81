/** @file How a run stands: made of its events alone, so that a live run and a recorded one are shown alike. */
import { parameterFacts } from '../experiment/methods/index.ts';
import { rangeText } from '../experiment/methods/settingText.ts';
import { formatCount, formatFixedPercent } from '../formatQuantity.ts';
import type { EventOf, RunEvent } from './events.ts';
import { shownMetric, shownSplit } from './testMetric.ts';

export interface Progress {
  /** With the settings that are in effect. */
  started?: EventOf<'started'>;
  /** The weights that it began with. */
  pretrained?: EventOf<'pretrained'>;
  /** Steps done. */
  step: number;
  metrics?: EventOf<'metrics'>;
  /** The newest recording of the weights as they are compressed. */
  distortion?: EventOf<'distortion' | 'observation'>;
  evaluations: EventOf<'evaluation'>[];
  /** The newest evaluation of each split. */
  latest: Partial<Record<EventOf<'evaluation'>['split'], EventOf<'evaluation'>>>;
  warnings: EventOf<'warning'>[];
  changes: EventOf<'changed'>[];
  thinnings: EventOf<'thinned'>[];
  /** How the run ended, if it has. */
  end?: EventOf<'finished'> | EventOf<'failed'> | EventOf<'stopped'>;
}

/** Before the first event. */
export function newProgress(): Progress {
  return { step: 0, evaluations: [], latest: {}, warnings: [], changes: [], thinnings: [] };
}

/** Takes in one more event. In place: a long run has hundreds of thousands of evaluations. */
export function advance(progress: Progress, event: RunEvent): Progress {
  progress.step = Math.max(progress.step, event.step);
  switch (event.type) {
    case 'started':
      restart(progress, event);
      break;
    case 'pretrained':
      progress.pretrained = event;
      break;
    case 'metrics':
      progress.metrics = event;
      break;
    case 'distortion':
      progress.distortion = event;
      break;
    case 'observation':
      if (event.scheduled) progress.distortion = event;
      break;
    case 'evaluation':
      progress.evaluations.push(event);
      progress.latest[event.split] = event;
      break;
    case 'warning':
      progress.warnings.push(event);
      break;
    case 'changed':
      progress.changes.push(event);
      if (progress.started) progress.started = { ...progress.started, config: event.config };
      break;
    case 'thinned':
      progress.thinnings.push(event);
      break;
    case 'finished':
    case 'failed':
    case 'stopped':
      progress.end = event;
      break;
    case 'checkpoint':
    case 'spectrum':
      break;
    default:
      event satisfies never;
  }
  return progress;
}

/** A run that begins, or goes on from a checkpoint: what was seen of later steps will be done again. */
function restart(progress: Progress, started: EventOf<'started'>): void {
  const from = started.resumedFrom ?? 0;
  progress.started = started;
  progress.step = from;
  progress.end = undefined;
  if (progress.metrics && progress.metrics.step > from) progress.metrics = undefined;
  if (progress.distortion && progress.distortion.step > from) progress.distortion = undefined;
  // Events are recorded in the order of their steps.
  for (const events of [progress.evaluations, progress.warnings, progress.changes, progress.thinnings])
    while (events.length > 0 && events[events.length - 1].step > from) events.pop();
  progress.latest = {};
  for (const split of ['test', 'validation'] as const)
    progress.latest[split] = progress.evaluations.findLast((event) => event.split === split);
}

/** The newest result on the test set, or on the validation set where there is no other. */
export function latestEvaluation({ latest }: Progress): EventOf<'evaluation'> | undefined {
  return latest.test ?? latest.validation;
}

/** The metric, its newest value and the split of it: the final one of a finished run, else that of {@link latestEvaluation}. */
export function latestMetric(
  progress: Progress,
): Pick<EventOf<'evaluation'>, 'metric' | 'value' | 'split'> | undefined {
  if (progress.end?.type !== 'finished') return latestEvaluation(progress);
  const { summary } = progress.end;
  return { metric: summary.metric, value: shownMetric(summary), split: shownSplit(summary) };
}

/** Training seconds left at the present speed; undefined while that is unknown. */
export function secondsLeft(progress: Progress): number | undefined {
  const { started, metrics, step } = progress;
  if (!started || !metrics || !(metrics.stepsPerSecond > 0)) return undefined;
  return Math.max(0, started.config.training.steps - step) / metrics.stepsPerSecond;
}

/**
 * How compressed the weights are since the last observed distortion: `sparsity 93.1%`, `3 bits`, `rank 32-64`, `120 of 300 units`. Undefined
 * before the first.
 */
export function compressionNow(progress: Progress): string | undefined {
  const weights = progress.distortion?.weights ?? [];
  const found = structureTexts(weights);
  if (found.length > 0) return found.join(', ');
  for (const [name, parameter] of Object.entries(parameterFacts)) {
    const values = weights.map(({ setting }) => setting[name]).filter((value) => value !== undefined);
    if (values.length === 0) continue;
    return parameter.setsZeros ? sparsityText(weights) : rangeText(parameter, least(values), greatest(values));
  }
  return undefined;
}

/** What training has left, where the method lets it find that: `rank 10-32`, `191 of 400 units`. */
function structureTexts(weights: EventOf<'distortion'>['weights']): string[] {
  const ranks = weights.flatMap(({ nuclearNorm }) => nuclearNorm?.rank ?? []);
  const units = weights.flatMap((weight) => weight.units ?? []);
  const [left, all] = [units.reduce((sum, own) => sum + own.left, 0), units.reduce((sum, own) => sum + own.all, 0)];
  return [
    ...(ranks.length > 0 ? [rangeText(parameterFacts.rank, least(ranks), greatest(ranks))] : []),
    ...(units.length > 0 ? [`${formatCount(left)} of ${formatCount(all)} units`] : []),
  ];
}

function sparsityText(weights: EventOf<'distortion'>['weights']): string | undefined {
  const zeros = weights.reduce((sum, weight) => sum + weight.histogram.zerosAfter, 0);
  const count = weights.reduce((sum, { histogram }) => sum + histogram.after.reduce((a, b) => a + b, 0), 0);
  return count === 0 ? undefined : `sparsity ${formatFixedPercent(zeros / count, 1)}`;
}

function least(values: readonly number[]): number {
  return values.reduce((lowest, value) => Math.min(lowest, value), Infinity);
}

function greatest(values: readonly number[]): number {
  return values.reduce((highest, value) => Math.max(highest, value), -Infinity);
}
