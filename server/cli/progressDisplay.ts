/** @file Showing a run while it goes on: results as lines that stay, and under them one status line; a failure apart. */
import type { Decoded } from '../data/dataset.ts';
import type { RunEvent } from '../protocol/run/events.ts';
import type { CommandContext } from './command.ts';
import { advance, newProgress } from '../protocol/run/progress.ts';
import { eventLines, statusLine, type ShownProgress } from './report.ts';
import { writeLines, type Terminal } from './terminal.ts';

/** Milliseconds between two writings of the status: rewritten in place, and as a new line where that cannot be. */
const REWRITE_MS = 100;
const LINE_MS = 5000;

export class ProgressDisplay {
  readonly #terminal: Terminal;
  readonly #errors: Terminal;
  readonly #now: () => number;
  readonly #progress: ShownProgress = newProgress();
  #statusShown = false;
  #lastStatus: number;

  constructor({ stdout, stderr, now }: Pick<CommandContext, 'stdout' | 'stderr' | 'now'>) {
    this.#terminal = stdout;
    this.#errors = stderr;
    this.#now = now;
    this.#lastStatus = now();
  }

  show(event: RunEvent): void {
    advance(this.#progress, event);
    const terminal = event.type === 'failed' ? this.#errors : this.#terminal;
    const lines = eventLines(event, terminal);
    if (lines.length > 0) this.print(lines, terminal);
    const { interactive } = this.#terminal;
    if (!this.#progress.end && (this.#isDue() || (interactive && lines.length > 0))) this.#writeStatus();
  }

  /** Images that are decoded before the run starts. */
  showDecoded(decoded: Decoded): void {
    this.#progress.decoded = decoded;
    if (this.#isDue()) this.#writeStatus();
  }

  /** Writes lines that stay. */
  print(lines: readonly string[], terminal = this.#terminal): void {
    this.#clearStatus();
    writeLines(terminal, lines);
  }

  /** Leaves the terminal as a program that follows expects it: the cursor at the beginning of a line. */
  end(): void {
    this.#clearStatus();
  }

  #isDue(): boolean {
    return this.#now() - this.#lastStatus >= (this.#terminal.interactive ? REWRITE_MS : LINE_MS);
  }

  #writeStatus(): void {
    const { interactive, columns } = this.#terminal;
    this.#lastStatus = this.#now();
    if (interactive) {
      // One column stays free: a full line makes some terminals wrap.
      this.#terminal.clearLine();
      this.#terminal.write(statusLine(this.#progress, columns - 1));
      this.#statusShown = true;
    } else this.#terminal.write(statusLine(this.#progress, columns) + '\n');
  }

  #clearStatus(): void {
    if (this.#statusShown) this.#terminal.clearLine();
    this.#statusShown = false;
  }
}
