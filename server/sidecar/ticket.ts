/**
 * @file The queue of a user's runs on this machine: a ticket per process, in the runtime folder. A process may train when fewer
 * than N live tickets come before its own. The order is that of Lamport's bakery (CACM 17(8), 1974): a process shows that it
 * is choosing, takes a number above all that it sees, and waits for those that are still choosing. Nobody holds the queue, so
 * a process that dies at any moment blocks nobody: whoever sees its ticket removes it.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isAlive } from '../runs/liveProcess.ts';
import { endpointOf, newName, runtimeFolder } from '../runs/runtimeFolder.ts';
import { SOCKET, TICKET, readTicket, removeTicket, writeTicket, type TicketContent } from '../runs/tickets.ts';

const POLL_MS = 300;
/** What cannot be read is being written; after this many milliseconds its writer died writing it. */
const WRITING_MS = 10_000;

export class Ticket {
  readonly #folder: string;
  readonly #name: string;
  readonly #number: number;

  /**
   * Takes the place at the end of the queue, and removes what dead processes left.
   * @param run absolute path of the run folder
   */
  constructor(run: string) {
    this.#folder = runtimeFolder();
    this.#name = newName();
    const content: TicketContent = { process: identify(process.pid), run };
    writeTicket(this.#folder, this.#name, content);
    this.#number = 1 + Math.max(0, ...this.#others().map(({ number = 0 }) => number));
    writeTicket(this.#folder, this.#name, { ...content, number: this.#number });
  }

  /** Where this process listens. */
  get endpoint(): string {
    return endpointOf(this.#folder, this.#name);
  }

  /**
   * Waits until fewer than `parallel` processes come before this one.
   * @param onWait receives how many must end before it is this one's turn
   * @throws what `signal` was aborted with
   */
  async turn(parallel: number, onWait: (runsAhead: number) => void, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const ahead = this.#others().filter((other) => this.#isAhead(other)).length;
      if (ahead < parallel) return;
      onWait(ahead - parallel + 1);
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Removes the ticket and the socket. Synchronous: also for a process that is ending. */
  remove(): void {
    removeTicket(this.#folder, this.#name);
  }

  #isAhead({ name, number }: { name: string; number?: number }): boolean {
    if (number === undefined || number < this.#number) return true;
    return number === this.#number && name < this.#name;
  }

  /** The tickets of the other live processes. */
  #others(): (TicketContent & { name: string })[] {
    const others: (TicketContent & { name: string })[] = [];
    for (const file of readdirSync(this.#folder)) {
      const [name] = file.split('.');
      if (name === this.#name) continue;
      if (file.endsWith(TICKET)) {
        const ticket = readTicket(this.#folder, file);
        if (ticket && isAlive(ticket.process) === true) others.push({ ...ticket, name });
        else if (ticket ? isAlive(ticket.process) === false : this.#isOld(file)) removeTicket(this.#folder, name);
      } else if (file.endsWith(SOCKET) ? !existsSync(join(this.#folder, name + TICKET)) : this.#isOld(file)) {
        // A ticket is there before its socket and goes after it.
        rmSync(join(this.#folder, file), { force: true });
      }
    }
    return others;
  }

  #isOld(file: string): boolean {
    const made = statSync(join(this.#folder, file), { throwIfNoEntry: false });
    return made !== undefined && Date.now() - made.mtimeMs > WRITING_MS;
  }
}
