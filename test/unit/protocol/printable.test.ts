import { expect, it } from 'vitest';
import { printable, printableJson, printableLine } from '../../../server/protocol/printable.ts';

/** OSC 52 writes to the clipboard, OSC 0 the title; CSI as a C1 character; a name whose end is shown first. */
const hostile = '\u001b]52;c;cm0=\u0007\u009b31mred\r\u0000\u007f\u202egnp.exe\u2066';

it('what a terminal obeys or what hides the text is left out, and all else stays', () => {
  expect(printable(hostile)).toBe(']52;c;cm0=31mredgnp.exe');
  const text = 'Größe\t3 → 4\n日本語, עברית, 🧑‍🔬\n';
  expect(printable(text)).toBe(text);
  expect(printableLine('a\nerror: b\t\u001b[2Kc')).toBe('a error: b [2Kc');
});

it('JSON has it as escapes, and the same value in it', () => {
  const value = { id: hostile, text: 'ä"\\' };
  const json = printableJson(value);
  expect(printable(json)).toBe(json);
  expect(JSON.parse(json)).toEqual(value);
});
