/** @file Lines of `events.jsonl` as events: quickly, because a long run has a million of them. */
import { eventSchema } from '../../server/protocol/run/events.ts';
import type { RunEvent } from '../../server/protocol/run/events.ts';
import { METRICS_NUMBERS, scanMetricsLine } from './metricsLine.ts';

const NEWLINE = 0x0a;
const numbers = new Float64Array(METRICS_NUMBERS);

/**
 * Calls `take` with the events of the whole lines in `bytes`, which begin at a line. A line that is no event of this version
 * is passed over: a half-written line, a type that a later version added.
 * @returns bytes up to the end of the last whole line
 */
export function takeEvents(bytes: Buffer, take: (event: RunEvent) => void): number {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  for (let start = 0; start < end;) {
    const next = scanMetricsLine(bytes, start, numbers);
    if (next >= 0 && Number.isSafeInteger(numbers[0]) && numbers[0] >= 0) {
      take(metrics());
      start = next;
    } else {
      const newline = bytes.indexOf(NEWLINE, start);
      const event = parseEventLine(bytes.toString('utf8', start, newline));
      if (event) take(event);
      start = newline + 1;
    }
  }
  return end;
}

/** Indices, not destructuring: that would make an iterator for each line. */
function metrics(): RunEvent {
  return {
    type: 'metrics',
    step: numbers[0],
    loss: numbers[1],
    learningRate: numbers[2],
    stepsPerSecond: numbers[3],
    epoch: numbers[4],
    time: numbers[5],
  };
}

function parseEventLine(line: string): RunEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
