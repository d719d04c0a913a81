/** @file The end of what a process printed: pure. */

const LINES = 5;

export class LastLines {
  #text = '';

  add(text: string): void {
    this.#text = lastLines(this.#text + text);
  }

  /** The last lines, which are then forgotten. */
  take(): string {
    const text = lastLines(this.#text);
    this.#text = '';
    return text.trim();
  }
}

function lastLines(text: string): string {
  // The text may end within a line, which then goes on.
  return text
    .split('\n')
    .slice(-LINES - 1)
    .join('\n');
}
