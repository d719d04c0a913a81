import { describe, expect, it } from 'vitest';
import { styled, terminalOf } from '../../../server/cli/terminal.ts';

function stream(isTTY: boolean, columns?: number): NodeJS.WriteStream {
  return { isTTY, columns, write: () => true } as unknown as NodeJS.WriteStream;
}

describe('terminalOf', () => {
  it('uses colors and the width of a terminal', () => {
    const terminal = terminalOf(stream(true, 120), { TERM: 'xterm-256color' });
    expect(terminal).toMatchObject({ interactive: true, colors: true, columns: 120 });
    expect(styled(terminal, 'red', 'error')).toBe('\u001b[31merror\u001b[39m');
  });

  it.each([
    ['NO_COLOR is set', true, { NO_COLOR: '1' }],
    ['the terminal is dumb', true, { TERM: 'dumb' }],
    ['it is no terminal', false, { TERM: 'xterm-256color' }],
  ])('uses no colors when %s', (_, isTTY, environment) => {
    expect(styled(terminalOf(stream(isTTY, 80), environment), 'red', 'error')).toBe('error');
  });

  it('lets lines have any length in a file or a pipe', () => {
    expect(terminalOf(stream(false), {})).toMatchObject({ interactive: false, columns: Infinity });
  });

  it.each([true, false])(
    'writes its own styles and nothing else that a terminal would obey; a terminal: %s',
    (isTTY) => {
      const written: string[] = [];
      const out = { isTTY, columns: 80, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
      const terminal = terminalOf(out, { TERM: 'xterm' });
      terminal.write(`${styled(terminal, 'red', 'error:')} \u001b]0;title\u0007\u001b[2J\u009b1A\u202eok\n`);
      terminal.write('\u001b[1m');
      expect(written).toEqual([
        isTTY ? '\u001b[31merror:\u001b[39m ]0;title[2J1Aok\n' : 'error: ]0;title[2J1Aok\n',
        isTTY ? '\u001b[1m' : '[1m',
      ]);
    },
  );
});
