/** @file How a run ends: as an event in its log, and in run.json. Loads nothing that trains. */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EventOf, RunEvent, Untimed } from '../protocol/run/events.ts';
import { faultOf } from '../protocol/run/fault.ts';
import { explainSystemError } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';
import { deletedFolder } from '../runs/disk.ts';
import { ClosedLogError, EventLog } from '../runs/log/eventLog.ts';
import type { RunEnd } from '../runs/lockRun.ts';
import type { Run } from '../runs/run.ts';
import { resultOf } from '../runs/runResult.ts';

export type EndState = 'finished' | 'failed' | 'stopped';
export type TrainingEnd = RunEnd & { readonly state: EndState };

export interface EventObserver {
  /** Receives each event when it has been recorded. */
  onEvent: (event: RunEvent) => void;
  /** Receives the log when it is open, before the first event. */
  onLog?: (log: EventLog) => void;
}

/** What a failure is recorded as. The stack trace of what is no user's error goes to `error.log` in the run folder. */
export function failure(error: unknown, step: number, run: Run): Untimed<EventOf<'failed'>> {
  const told = existsSync(run.path) ? error : deletedFolder(run.path);
  const explained = explainSystemError(told);
  if (explained instanceof UserError) {
    const { message, remedy } = explained;
    const fault = faultOf(explained);
    return { type: 'failed', step, message, remedy, ...(fault && { fault }) };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const file = join(run.path, 'error.log');
  try {
    // After a run has ended, nothing is a failure of it.
    if (!(error instanceof ClosedLogError))
      appendFileSync(file, `${new Date().toISOString()} step ${step}\n${stack}\n`);
  } catch {
    // The message says enough where nothing can be written.
  }
  return { type: 'failed', step, message, remedy: `The details are in ${file}.` };
}

/** Records the end of a run that did not come to train, or cannot be waited for. */
export async function recordEnd(
  run: Run,
  untimed: Untimed<EventOf<'failed' | 'stopped'>>,
  { onEvent, onLog }: EventObserver,
): Promise<TrainingEnd> {
  const event = { ...untimed, time: Date.now() };
  try {
    const log = await EventLog.open(run);
    onLog?.(log);
    try {
      log.append(event);
    } finally {
      log.close();
    }
  } catch {
    // Nothing can be written there: whoever watches hears of it.
  }
  onEvent(event);
  return endOf(event);
}

/** What an event says of the end of its run. */
export function endOf(event: EventOf<'finished' | 'failed' | 'stopped'>): TrainingEnd;
export function endOf(event: RunEvent): TrainingEnd | undefined;
export function endOf(event: RunEvent): TrainingEnd | undefined {
  switch (event.type) {
    case 'finished':
      return { state: 'finished', result: resultOf(event.summary) };
    case 'failed': {
      const { message, remedy, fault } = event;
      return {
        state: 'failed',
        failure: { message, ...(remedy !== undefined && { remedy }), ...(fault && { fault }) },
      };
    }
    case 'stopped':
      return { state: 'stopped' };
    default:
      return undefined;
  }
}
