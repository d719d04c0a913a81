import { expect, test } from 'vitest';
import { decodeText, encodeText } from '../../../server/formats/text.ts';

test.each([
  ['UTF-8', [0x7b, 0xc3, 0xbc, 0x7d]],
  ['UTF-8 with its mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
  ['UTF-16, little-endian', [0xff, 0xfe, 0x7b, 0x00, 0xfc, 0x00]],
  ['UTF-16, big-endian', [0xfe, 0xff, 0x00, 0x7b, 0x00, 0xfc]],
  ['nothing', []],
])('a text is written back in the encoding that it had: %s', (_, numbers) => {
  const bytes = Uint8Array.from(numbers);
  const text = decodeText(bytes);
  expect([...encodeText(text, bytes)]).toEqual(numbers);
  expect(decodeText(encodeText(`${text}ü`, bytes))).toBe(`${text}ü`);
});
