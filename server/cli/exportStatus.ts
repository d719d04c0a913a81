/** @file How far an export, an evaluation or a measurement of files is, on a terminal. */
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import { progressJson } from './progressLines.ts';
import type { Terminal } from './terminal.ts';

/** One line that is rewritten while a file is made or measured, on a terminal; for a program, a line for each state. */
export class ExportStatus {
  readonly #terminal: Terminal;
  readonly #format: 'json' | undefined;
  #isShown = false;

  /** @param format that a program asks for */
  constructor(terminal: Terminal, format?: 'json') {
    this.#terminal = terminal;
    this.#format = format;
  }

  show(progress: ExportProgress): void {
    if (this.#format === 'json') return this.#terminal.write(`${progressJson(progress)}\n`);
    if (!this.#terminal.interactive) return;
    this.clear();
    this.#terminal.write(statusText(progress));
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) this.#terminal.clearLine();
    this.#isShown = false;
  }
}

function statusText({ phase, samples, settings, rounds, of }: ExportProgress): string {
  switch (phase) {
    case 'loading':
      return 'Loading the model…';
    case 'writing':
      return 'Writing the file…';
    case 'verifying':
      return `Evaluating the file: ${samples}/${of ?? '?'} samples`;
    case 'measuring':
      return `Measuring: round ${rounds} of ${of ?? '?'}`;
    case 'scanning':
      return `Measuring: setting ${settings} of ${of ?? '?'}`;
    case 'easing':
      return 'Measuring the suggested settings together…';
  }
}
