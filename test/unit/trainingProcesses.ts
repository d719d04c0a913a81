/** @file The processes that train runs, by their tickets in the queue of `TMPDIR`. */
import { readdirSync } from 'node:fs';
import { isAlive } from '../../server/runs/liveProcess.ts';
import { runtimeFolder } from '../../server/runs/runtimeFolder.ts';
import { readTicket, TICKET } from '../../server/runs/tickets.ts';

/** The numbers (pid) of the processes that train. A ticket that has just gone names none. */
export function trainingProcesses(): number[] {
  return readdirSync(runtimeFolder())
    .filter((name) => name.endsWith(TICKET))
    .flatMap((name) => {
      const identity = readTicket(runtimeFolder(), name)?.process;
      return identity && isAlive(identity) === true ? [identity.pid] : [];
    });
}
