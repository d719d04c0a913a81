/** @file The process's own log: `sidecar.log` in the run folder is its standard error. */
import type { RunEvent } from '../protocol/run/events.ts';
import { formatCount } from '../protocol/formatQuantity.ts';
import { printable } from '../protocol/printable.ts';
import { formatMetric } from '../protocol/run/resultText.ts';
import { describeChange } from '../protocol/experiment/settingChanges.ts';

export function log(message: string): void {
  process.stderr.write(`${localTime(new Date())} ${printable(message).trimEnd()}\n`);
}

/** Logs what a reader of the log wants to know of the training; its events have the rest. */
export function logEvent(event: RunEvent): void {
  const line = eventLine(event);
  if (line !== undefined) log(line);
}

function eventLine(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'started': {
      const steps = formatCount(event.config.training.steps);
      if (event.resumedFrom !== undefined) return `Training goes on after step ${formatCount(event.step)} of ${steps}.`;
      return `Training begins: ${steps} steps on ${event.device} (${event.executor}).`;
    }
    case 'evaluation': {
      const { step, split, metric, value } = event;
      return `Step ${formatCount(step)}: ${split} ${metric} ${formatMetric(metric, value)}`;
    }
    case 'changed':
      return `Step ${formatCount(event.step)}: ${event.settings.map(describeChange).join(', ')}`;
    case 'warning':
      return `Warning: ${event.message}`;
    case 'checkpoint':
      return `Step ${formatCount(event.step)}: checkpoint`;
    default:
      return undefined;
  }
}

/** `2026-11-29T19:42:03.120+01:00` */
function localTime(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const pad = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const local = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, -1);
  return `${local}${offset < 0 ? '-' : '+'}${pad(Math.abs(offset) / 60)}:${pad(Math.abs(offset) % 60)}`;
}
