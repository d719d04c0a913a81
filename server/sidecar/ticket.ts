/**
 * @file The queue of a user's runs on this machine: a ticket per process, in the runtime folder. A process may train when fewer
 * than N live tickets come before its own. The order is that of Lamport's bakery (CACM 17(8), 1974): a process shows that it
 * is choosing, takes a number above all that it sees, and waits for those that are still choosing. Nobody holds the queue, so
 * a process that dies at any moment blocks nobody: whoever sees its ticket removes it.
 */
import { existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../protocol/userError.ts';
import { explainDiskError } from '../runs/disk.ts';
import { identify, isAlive } from '../runs/liveProcess.ts';
import { endpointOf, newName, runtimeFolder } from '../runs/runtimeFolder.ts';
import { SOCKET, TICKET, readTicket, removeTicket, writeTicket, type TicketContent } from '../runs/tickets.ts';

/** The first in the queue looks this often; a later one as many times more seldom, up to {@link SELDOM}, as runs are before it. */
const POLL_MS = 300;
const SELDOM = 7;
/** How often a process looks whether its ticket is still there. */
const KEEP_MS = 2000;
/** More than a ticket has. */
const TICKET_BYTES = 4096;
/** What cannot be read is being written; after this many milliseconds its writer died writing it. */
const WRITING_MS = 10_000;

export class Ticket {
  readonly #folder: string;
  readonly #name: string;
  readonly #content: TicketContent;
  readonly #number: number;
  /** What a ticket says does not change once it has its number. */
  #known = new Map<string, TicketContent>();

  /**
   * Takes the place at the end of the queue, and removes what dead processes left.
   * @param run absolute path of the run folder
   * @throws UserError where the folder for temporary files is full, or cannot be written
   */
  constructor(run: string) {
    try {
      this.#folder = runtimeFolder();
      this.#name = newName();
      const content: TicketContent = { process: identify(process.pid), run };
      writeTicket(this.#folder, this.#name, content);
      this.#number = 1 + Math.max(0, ...this.#others().map(({ number = 0 }) => number));
      this.#content = { ...content, number: this.#number };
      writeTicket(this.#folder, this.#name, this.#content);
    } catch (error) {
      throw explainError(error);
    }
  }

  /** Address at which this process listens. */
  get endpoint(): string {
    return endpointOf(this.#folder, this.#name);
  }

  /**
   * Waits until fewer than `parallel` processes come before this one.
   * @param onWait receives how many must end before it is this one's turn
   * @throws what `signal` was aborted with
   */
  async turn(parallel: number, onWait: (runsAhead: number) => void, signal: AbortSignal): Promise<void> {
    let countsFrom = 0;
    for (;;) {
      signal.throwIfAborted();
      // The others need a while to put their tickets back in a folder that was cleaned.
      if (this.#putBack()) countsFrom = Date.now() + 2 * KEEP_MS;
      const ahead = this.#others().filter((other) => this.#isAhead(other)).length;
      if (ahead < parallel && Date.now() >= countsFrom) return;
      const runsAhead = Math.max(1, ahead - parallel + 1);
      onWait(runsAhead);
      await sleep(POLL_MS * Math.min(runsAhead, SELDOM), undefined, { signal }).catch(() => undefined);
    }
  }

  /**
   * From now on puts the ticket back where a cleaner of the folder for temporary files removes it.
   * @param onSocketLost called when the socket was removed, too: it is to be made again
   */
  keep(onSocketLost: () => void): void {
    const timer = setInterval(() => {
      try {
        this.#putBack();
        if (process.platform !== 'win32' && !existsSync(this.endpoint)) onSocketLost();
      } catch {
        // The folder is somebody else's now: the run goes on, and is reached again when that has changed.
      }
    }, KEEP_MS);
    timer.unref();
  }

  /** Removes the ticket and the socket. Synchronous: also for a process that is ending. */
  remove(): void {
    removeTicket(this.#folder, this.#name);
  }

  #isAhead({ name, number }: { name: string; number?: number }): boolean {
    if (number === undefined || number < this.#number) return true;
    return number === this.#number && name < this.#name;
  }

  /** @returns whether the ticket was gone @throws UserError where the folder is somebody else's */
  #putBack(): boolean {
    const now = new Date();
    try {
      // A cleaner takes what has not changed for a while.
      utimesSync(join(this.#folder, this.#name + TICKET), now, now);
      return false;
    } catch {
      runtimeFolder();
    }
    try {
      writeTicket(this.#folder, this.#name, this.#content);
    } catch {
      // The disk is full: it is tried again.
    }
    return true;
  }

  /** The tickets of the other live processes. */
  #others(): (TicketContent & { name: string })[] {
    const others: (TicketContent & { name: string })[] = [];
    const known = new Map<string, TicketContent>();
    for (const file of filesIn(this.#folder)) {
      const [name] = file.split('.');
      if (name === this.#name) continue;
      if (file.endsWith(TICKET)) {
        const ticket = this.#known.get(file) ?? readTicket(this.#folder, file);
        if (ticket?.number !== undefined) known.set(file, ticket);
        if (ticket && isAlive(ticket.process) === true) others.push({ ...ticket, name });
        else if (ticket ? isAlive(ticket.process) === false : this.#isOld(file)) removeTicket(this.#folder, name);
      } else if (file.endsWith(SOCKET) ? !existsSync(join(this.#folder, name + TICKET)) : this.#isOld(file)) {
        // A ticket is there before its socket and goes after it.
        rmSync(join(this.#folder, file), { force: true });
      }
    }
    this.#known = known;
    return others;
  }

  #isOld(file: string): boolean {
    const made = statSync(join(this.#folder, file), { throwIfNoEntry: false });
    return made !== undefined && Date.now() - made.mtimeMs > WRITING_MS;
  }
}

/** Empty where the folder has just been removed. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function explainError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') return explainDiskError(error, tmpdir(), TICKET_BYTES);
  return new UserError(`The folder for temporary files, ${tmpdir()}, cannot be used: ${(error as Error).message}.`, {
    remedy: 'Set TMPDIR to a folder that can be written.',
    cause: error,
  });
}
