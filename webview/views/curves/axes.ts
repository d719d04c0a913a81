/** @file The x axis of curves: step, epoch or the time since the run began. */
import * as l10n from '@vscode/l10n';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';
import type { Axis } from '../../charts/model/content.ts';
import { formatSeconds } from '../../charts/model/format.ts';
import { lowerBound } from '../../charts/model/search.ts';

export const xAxes = ['step', 'epoch', 'time'] as const;
export type XAxis = (typeof xAxes)[number];

export const axisOf: Readonly<Record<XAxis, Axis>> = {
  step: { label: l10n.t('step'), column: 'step' },
  epoch: { label: l10n.t('epoch'), column: 'epoch' },
  time: { label: l10n.t('time'), column: 'time', format: formatSeconds, unit: 'seconds' },
};

/** Places of a run's recordings on the axis. */
export interface RunAxis {
  /** Place of each of the metrics. */
  readonly metrics: Float64Array;
  /** Place of the last of all recordings that are drawn over the axis; 0 where there is none. */
  readonly end: number;
  /** Place of anything else, by its step and its time in milliseconds since the epoch. */
  at(step: number, time: number): number;
}

type Moment = readonly [step: number, time: number];

export function runAxis(snapshot: RunSnapshot, axis: XAxis): RunAxis {
  const { metrics } = snapshot;
  const column = (name: 'step' | 'epoch' | 'time'): Float64Array => metrics.columns[name].subarray(0, metrics.length);
  const withEnd = (places: Omit<RunAxis, 'end'>): RunAxis => {
    const ends = moments(snapshot, -1).map(([step, time]) => places.at(step, time));
    return { ...places, end: ends.reduce((last, end) => (end > last ? end : last), 0) };
  };
  switch (axis) {
    case 'step':
      return withEnd({ metrics: column('step'), at: (step) => step });
    case 'epoch':
      return withEnd({ metrics: column('epoch'), at: epochOf(column('step'), column('epoch')) });
    case 'time': {
      // With metrics every few steps, something else may be recorded first.
      const origin = Math.min(...moments(snapshot, 0).map(([, time]) => time));
      const seconds = (time: number): number => (time - origin) / 1000;
      return withEnd({ metrics: column('time').map(seconds), at: (_, time) => seconds(time) });
    }
  }
}

/** Epochs grow with the steps: a step without metrics has its place, too. NaN without any metrics. */
function epochOf(steps: Float64Array, epochs: Float64Array): (step: number) => number {
  const last = steps.length - 1;
  return (step) => {
    const index = lowerBound(steps, step);
    return steps[index] === step ? epochs[index] : (step * epochs[last]) / steps[last];
  };
}

/** When the first (0) or the last (-1) of each kind was recorded. */
function moments({ metrics, distortions, evaluations, changes, thinnings }: RunSnapshot, index: 0 | -1): Moment[] {
  return [
    ...[metrics, distortions].flatMap(({ columns, length }): Moment[] => {
      const row = index === 0 ? 0 : length - 1;
      return length === 0 ? [] : [[columns.step[row], columns.time[row]]];
    }),
    ...[evaluations, changes, thinnings].flatMap((events): Moment[] => {
      const event = events.at(index);
      return event ? [[event.step, event.time]] : [];
    }),
  ];
}
