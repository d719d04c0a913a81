/** @file A terminal that keeps what is written to it. */
import type { Terminal } from '../../../server/cli/terminal.ts';

export class MemoryTerminal implements Terminal {
  text = '';
  columns = Infinity;
  interactive = false;
  colors = false;

  write(text: string): void {
    this.text += text;
  }

  clearLine(): void {
    this.text += '\r\u001b[2K';
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}
