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
  /** Place of anything else, by its step and its time in milliseconds since the epoch. */
  at(step: number, time: number): number;
}

export function runAxis({ metrics }: RunSnapshot, axis: XAxis): RunAxis {
  const column = (name: 'step' | 'epoch' | 'time'): Float64Array => metrics.columns[name].subarray(0, metrics.length);
  switch (axis) {
    case 'step':
      return { metrics: column('step'), at: (step) => step };
    case 'epoch': {
      const steps = column('step');
      const epochs = column('epoch');
      return {
        metrics: epochs,
        at: (step) => (steps.length === 0 ? NaN : epochs[Math.min(lowerBound(steps, step), steps.length - 1)]),
      };
    }
    case 'time': {
      const times = column('time');
      const origin = times[0] ?? 0;
      const seconds = (time: number): number => (time - origin) / 1000;
      return { metrics: times.map(seconds), at: (_, time) => (times.length === 0 ? 0 : seconds(time)) };
    }
  }
}
