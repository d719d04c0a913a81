/** @file How far an export or an evaluation of a file is, on a terminal. */
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import type { Terminal } from './terminal.ts';

/** One line that is rewritten while a file is made, on a terminal. */
export class ExportStatus {
  readonly #terminal: Terminal;
  #isShown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show({ phase, samples, of }: ExportProgress): void {
    if (!this.#terminal.interactive) return;
    this.clear();
    this.#terminal.write(
      phase === 'verifying' ? `Evaluating the file: ${samples}/${of ?? '?'} samples` : PHASES[phase],
    );
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) this.#terminal.clearLine();
    this.#isShown = false;
  }
}

const PHASES = { loading: 'Loading the model…', writing: 'Writing the file…' } as const;
