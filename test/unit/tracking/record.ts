/** @file The log of a run, without training. */
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { EventLog } from '../../../server/runs/log/eventLog.ts';
import type { Run } from '../../../server/runs/run.ts';

/** Adds events to the log of a run, which is cut before them where `cut` says so. @returns bytes of the log */
export async function record(run: Run, events: readonly RunEvent[], cut?: { cutAt: number }): Promise<number> {
  const log = await EventLog.open(run, cut);
  for (const event of events) log.append(event);
  log.close();
  return log.end;
}
