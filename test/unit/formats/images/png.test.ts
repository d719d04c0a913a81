import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../../server/formats/formatError.ts';
import { decodePng, isPng, pngSize } from '../../../../server/formats/images/png.ts';
import { fixtures } from './fixtures.ts';
import { pngChunk as chunk, rawPng as png } from './pngFile.ts';

describe('the pixels are those that another program wrote', () => {
  test.each(Object.entries(fixtures.png))('%s', (_, { file, width, height, channels, pixels }) => {
    expect(isPng(file)).toBe(true);
    expect(pngSize(file)).toMatchObject({ width, height });
    const image = decodePng(file);
    expect(image).toMatchObject({ width, height, channels });
    expect(Buffer.from(image.data).equals(pixels)).toBe(true);
  });
});

const rows = Buffer.from([0, 1, 2, 0, 3, 4]);

test('ancillary chunks are passed over, the compressed bombs of some among them', () => {
  const profile = chunk('iCCP', Buffer.concat([Buffer.from('p\0\0'), deflateSync(Buffer.alloc(100_000_000))]));
  expect([...decodePng(png(rows, { more: [profile] })).data]).toEqual([1, 2, 3, 4]);
});

test('image data may be in any number of chunks', () => {
  const compressed = deflateSync(rows);
  const parts = Array.from(compressed, (byte) => chunk('IDAT', Uint8Array.of(byte)));
  const whole = png(rows);
  const at = whole.indexOf('IDAT') - 4;
  const file = Buffer.concat([whole.subarray(0, at), ...parts, whole.subarray(whole.length - 12)]);
  expect([...decodePng(file).data]).toEqual([1, 2, 3, 4]);
});

describe('a damaged file is told as what it is', () => {
  const whole = png(rows);
  const flipped = Buffer.from(whole);
  flipped[whole.indexOf('IDAT') + 6] ^= 1;
  test.each([
    ['nothing behind the signature', whole.subarray(0, 8), 'it has no header (IHDR)'],
    [
      'no header first',
      Buffer.concat([whole.subarray(0, 8), chunk('IDAT', rows)]),
      'it does not begin with a header (IHDR)',
    ],
    ['cut off', whole.subarray(0, -20), 'it is cut off in the chunk at byte 33'],
    ['without its end', png(rows, { end: false }), 'it is cut off: its end (IEND) is missing'],
    ['a flipped bit', flipped, 'it is damaged: the checksum of its chunk IDAT at byte 33 is wrong'],
    ['no pixels', png(rows, { width: 0 }), 'its header tells of 0 x 2 pixels'],
    [
      'too many pixels',
      png(rows, { width: 2 ** 31 }),
      'its header tells of 2147483648 x 2 pixels; up to 67108864 can be read',
    ],
    [
      'more pixels than bytes',
      png(rows, { width: 8000, height: 8000 }),
      'its header tells of 8000 x 8000 pixels, which 14 bytes cannot hold',
    ],
    ['fewer rows', png(rows.subarray(3)), 'it holds 3 of the 6 bytes that its header tells of'],
    ['a bomb', png(Buffer.alloc(50_000_000)), 'it holds more pixels than its header tells of'],
    ['a depth of no kind', png(rows, { depth: 3 }), 'its header tells of colour type 0 of 3 bits'],
    ['a type of no kind', png(rows, { type: 5 }), 'its header tells of colour type 5 of 8 bits'],
    [
      'a compression of no kind',
      png(rows, { compression: 1 }),
      'its header tells of a compression, filter and interlacing (1, 0, 0) of no kind',
    ],
    ['a filter of no kind', png(Buffer.from([5, 1, 2, 0, 3, 4])), 'a row has the filter 5, which is none'],
    ['no palette', png(rows, { type: 3 }), 'its palette (PLTE) is missing'],
    [
      'a short palette',
      png(rows, { type: 3, more: [chunk('PLTE', Buffer.alloc(9))] }),
      'a pixel has colour 3 of a palette of 3',
    ],
    ['a critical chunk', png(rows, { more: [chunk('NEWS', rows)] }), 'its chunk at byte 33 is of no known type'],
  ])('%s', (_, file, message) => {
    expect(() => decodePng(file)).toThrow(FormatError);
    expect(() => decodePng(file)).toThrow(message);
  });
});
