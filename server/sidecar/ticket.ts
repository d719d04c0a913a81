/**
 * @file The queue of a user's runs on this machine: a ticket per process, in the runtime folder. A process may train when fewer
 * than N live tickets come before its own. The order is that of Lamport's bakery (CACM 17(8), 1974): a process shows that it
 * is choosing, takes a number above all that it sees, and waits for those that are still choosing. Nobody holds the queue, so
 * a process that dies at any moment blocks nobody: whoever sees its ticket removes it.
 */
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { identify, isAlive } from '../runs/liveProcess.ts';
import { processIdentitySchema } from '../runs/runRecord.ts';
import { endpointOf, newName, runtimeFolder } from './runtimeFolder.ts';

const POLL_MS = 300;
/** What cannot be read is being written; after this many milliseconds its writer died writing it. */
const WRITING_MS = 10_000;
const TICKET = '.json';
const SOCKET = '.sock';

const ticketSchema = z.object({
  process: processIdentitySchema,
  run: z.string(),
  number: z.int().optional().describe('Absent while its process is choosing.'),
});
type Entry = z.output<typeof ticketSchema>;

export class Ticket {
  readonly #folder: string;
  readonly #name: string;
  readonly #number: number;

  /**
   * Takes the place at the end of the queue, and removes what dead processes left.
   * @param run path of the run folder, for whoever looks at the ticket
   */
  constructor(run: string) {
    this.#folder = runtimeFolder();
    this.#name = newName();
    const entry: Entry = { process: identify(process.pid), run };
    this.#write(entry);
    this.#number = 1 + Math.max(0, ...this.#others().map(({ number = 0 }) => number));
    this.#write({ ...entry, number: this.#number });
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
    rmSync(join(this.#folder, this.#name + SOCKET), { force: true });
    rmSync(join(this.#folder, this.#name + TICKET), { force: true });
  }

  #isAhead({ name, number }: { name: string; number?: number }): boolean {
    if (number === undefined || number < this.#number) return true;
    return number === this.#number && name < this.#name;
  }

  #write(entry: Entry): void {
    const path = join(this.#folder, this.#name + TICKET);
    writeFileSync(`${path}.tmp`, JSON.stringify(entry));
    renameSync(`${path}.tmp`, path);
  }

  /** The tickets of the other live processes. */
  #others(): (Entry & { name: string })[] {
    const others: (Entry & { name: string })[] = [];
    for (const file of readdirSync(this.#folder)) {
      const [name] = file.split('.');
      if (name === this.#name) continue;
      if (file.endsWith(TICKET)) {
        const entry = this.#read(file);
        if (entry && isAlive(entry.process) === true) others.push({ ...entry, name });
        else if (entry ? isAlive(entry.process) === false : this.#isOld(file)) this.#sweep(name);
      } else if (file.endsWith(SOCKET) ? !existsSync(join(this.#folder, name + TICKET)) : this.#isOld(file)) {
        // A ticket is there before its socket and goes after it.
        rmSync(join(this.#folder, file), { force: true });
      }
    }
    return others;
  }

  #sweep(name: string): void {
    rmSync(join(this.#folder, name + SOCKET), { force: true });
    rmSync(join(this.#folder, name + TICKET), { force: true });
  }

  #read(file: string): Entry | undefined {
    try {
      return ticketSchema.parse(JSON.parse(readFileSync(join(this.#folder, file), 'utf8')));
    } catch {
      return undefined;
    }
  }

  #isOld(file: string): boolean {
    const made = statSync(join(this.#folder, file), { throwIfNoEntry: false });
    return made !== undefined && Date.now() - made.mtimeMs > WRITING_MS;
  }
}
