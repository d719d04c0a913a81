/**
 * @file Tickets: one small file for each process that trains a run of this user on this machine, in a folder that only this
 * user can write. A run folder may come with somebody else's project. What its `run.json` says of a process is therefore
 * acted on only where that process's own ticket says the same: see {@link findRunProcess}.
 */
import { readFileSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Run } from './run.ts';
import { processIdentitySchema, type ProcessIdentity } from './runRecord.ts';
import { endpointOf, runtimeFolder } from './runtimeFolder.ts';

export const TICKET = '.json';
export const SOCKET = '.sock';

const ticketSchema = z.object({
  process: processIdentitySchema,
  run: z.string().describe('Absolute path of the run folder.'),
  number: z.int().optional().describe('Place in the queue; absent while the process is choosing.'),
});
export type TicketContent = z.output<typeof ticketSchema>;

/** The process that trains a run, as its ticket tells. */
export interface RunProcess {
  readonly process: ProcessIdentity;
  /** Socket or named pipe at which it listens. */
  readonly endpoint: string;
  /** Removes its ticket and its socket: for a process that was killed. */
  removeTicket(): void;
}

/**
 * The process that `run.json` names, where it runs or ran on this machine, belongs to this user and has a ticket for this very
 * run folder; undefined for any other, and for a run that a terminal trains, which has no ticket.
 */
export function findRunProcess({ path, record }: Pick<Run, 'path' | 'record'>): RunProcess | undefined {
  const { process } = record;
  if (!process) return undefined;
  try {
    const folder = runtimeFolder();
    for (const file of readdirSync(folder).filter((name) => name.endsWith(TICKET))) {
      const ticket = readTicket(folder, file);
      if (!ticket || !isSame(ticket.process, process) || !isSameFolder(ticket.run, path)) continue;
      const name = file.slice(0, -TICKET.length);
      return {
        process: ticket.process,
        endpoint: endpointOf(folder, name),
        removeTicket: () => removeTicket(folder, name),
      };
    }
  } catch {
    // The runtime folder cannot be made, or is somebody else's: then no process of this user has a ticket there.
  }
  return undefined;
}

/** Undefined where it is gone, or is not (wholly) written. */
export function readTicket(folder: string, file: string): TicketContent | undefined {
  try {
    return ticketSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
  } catch {
    return undefined;
  }
}

export function writeTicket(folder: string, name: string, content: TicketContent): void {
  const path = join(folder, name + TICKET);
  writeFileSync(`${path}.tmp`, JSON.stringify(content));
  renameSync(`${path}.tmp`, path);
}

/** Removes a ticket and its socket. */
export function removeTicket(folder: string, name: string): void {
  rmSync(join(folder, name + SOCKET), { force: true });
  rmSync(join(folder, name + TICKET), { force: true });
}

function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime && a.host === b.host;
}

/** The same folder may be reached through links. */
function isSameFolder(a: string, b: string): boolean {
  return a === b || realpathSync.native(a) === realpathSync.native(b);
}
