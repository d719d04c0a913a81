/** @file How a run reads in a line: pure, without VS Code. Numbers and units are written as in the rest of the product. */
import { formatNumber } from '../../server/protocol/formatQuantity.ts';
import { formatMetric } from '../../server/protocol/run/resultText.ts';
import type { LiveState } from '../../server/protocol/wire/sidecar.ts';

/** Percent of the steps that are done, 0 to 100, and the last evaluation: `43% · accuracy 97.10%`. */
export function progressText(live: LiveState): string {
  const parts = [`${percentDone(live)}%`];
  const { evaluation, loss } = live;
  if (evaluation) parts.push(`${evaluation.metric} ${formatMetric(evaluation.metric, evaluation.value)}`);
  else if (loss !== undefined) parts.push(`loss ${formatNumber(loss)}`);
  return parts.join(' · ');
}

/** Whole percent; 100 only when all is done. */
export function percentDone({ step, steps }: LiveState): number {
  return steps === 0 ? 0 : Math.floor((100 * step) / steps);
}

/** Seconds that the rest takes at the present speed; undefined where that is unknown. */
export function secondsLeft({ step, steps, stepsPerSecond }: LiveState): number | undefined {
  return stepsPerSecond ? (steps - step) / stepsPerSecond : undefined;
}

/** The largest unit of a time span, with its count: `[3, 'minute']`. */
export function age(milliseconds: number): [count: number, unit: Intl.RelativeTimeFormatUnit] {
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ];
  for (const [unit, length] of units) if (milliseconds >= length) return [Math.floor(milliseconds / length), unit];
  return [0, 'minute'];
}

/**
 * When a run began, as short as it can be: the time of a run of today, else with the day, else with the year.
 * @param created milliseconds since the epoch
 */
export function startTime(created: number, now: number, locale?: string): string {
  const [begun, today] = [new Date(created), new Date(now)];
  const sameYear = begun.getFullYear() === today.getFullYear();
  const sameDay = sameYear && begun.getMonth() === today.getMonth() && begun.getDate() === today.getDate();
  return new Intl.DateTimeFormat(locale, {
    ...(!sameYear && { year: 'numeric' }),
    ...(!sameDay && { month: 'short', day: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(begun);
}
