/** @file What the CLI writes to, and what that can show. */
import { printable } from '../protocol/printable.ts';

export interface Terminal {
  /** Writes a text as far as it is {@link printable}, and its styles. */
  write(text: string): void;
  /** Empties the line that was written last; where {@link interactive}. */
  clearLine(): void;
  /** Width in characters; Infinity where lines may have any length. */
  readonly columns: number;
  /** True where a written line can be replaced. */
  readonly interactive: boolean;
  readonly colors: boolean;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

const codes: Record<Style, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

const CLEAR_LINE = '\r\u001b[2K';
/** The sequences that {@link styled} makes. */
const STYLES = new RegExp(`(\u001b\\[(?:${Object.values(codes).flat().join('|')})m)`);

/** The terminal behind a stream of this process. https://no-color.org is respected. */
export function terminalOf(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Terminal {
  return {
    write(text) {
      // Every second part is a style.
      const parts = this.colors ? text.split(STYLES) : [text];
      stream.write(parts.map((part, i) => (i % 2 === 1 ? part : printable(part))).join(''));
    },
    clearLine: () => void stream.write(CLEAR_LINE),
    get columns() {
      return stream.isTTY ? stream.columns || 80 : Infinity;
    },
    interactive: stream.isTTY && environment.TERM !== 'dumb',
    colors: stream.isTTY && environment.TERM !== 'dumb' && !environment.NO_COLOR,
  };
}

/** Writes texts as lines, with an end behind each. */
export function writeLines(terminal: Pick<Terminal, 'write'>, lines: readonly string[]): void {
  terminal.write(lines.map((line) => `${line}\n`).join(''));
}

/** `text` in a style, where the terminal has styles. */
export function styled(terminal: Terminal, style: Style, text: string): string {
  const [on, off] = codes[style];
  return terminal.colors ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}
