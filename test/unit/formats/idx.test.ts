import { expect, test } from 'vitest';
import { FormatError } from '../../../server/formats/formatError.ts';
import { decodeIdx } from '../../../server/formats/idx.ts';

const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);

test('shape and elements are read', () => {
  expect(decodeIdx(images, 3)).toEqual({ shape: [2, 1, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
});

test.each<[string, Uint8Array, number, RegExp]>([
  ['labels where images are expected', images, 1, /0x00000803; .* 1 axis starts with 0x00000801/],
  ['an empty file', new Uint8Array(0), 3, /magic number is missing/],
  ['a header that is cut off', images.subarray(0, 10), 3, /header is cut off/],
  ['data that are cut off', images.subarray(0, 20), 3, /2 x 1 x 3, which makes 22 bytes, but it has 20: it is cut off/],
  ['data that are too long', new Uint8Array([...images, 0]), 3, /but it has 23: it is too long/],
])('%s is refused', (_, file, axes, message) => {
  expect(() => decodeIdx(file, axes)).toThrow(FormatError);
  expect(() => decodeIdx(file, axes)).toThrow(message);
});
