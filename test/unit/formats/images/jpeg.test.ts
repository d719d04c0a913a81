import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../../server/formats/formatError.ts';
import { JpegDecoder } from '../../../../server/formats/images/jpeg.ts';
import { isJpeg, jpegSize } from '../../../../server/formats/images/jpegHeader.ts';
import { fixtures } from './fixtures.ts';

const { CMYK: cmyk, ...readable } = fixtures.jpeg;
const decoder = new JpegDecoder();

describe("the pixels are those of Pillow's decoder, to the bit", () => {
  test.each(Object.entries(readable))('%s', async (_, { file, width, height, pixels }) => {
    expect(isJpeg(file)).toBe(true);
    expect(jpegSize(file)).toEqual({ width, height });
    const image = await decoder.decode(file);
    expect(image).toMatchObject({ width, height, channels: 3 });
    expect(Buffer.from(image.data).equals(pixels)).toBe(true);
  });
});

const { file: good, pixels } = readable['4:2:0'];
/** The frame header: marker, length, precision, height, width. */
const frame = good.indexOf(Buffer.from([0xff, 0xc0]));
const scan = good.indexOf(Buffer.from([0xff, 0xda]));

function changed(change: (file: Buffer) => void): Buffer {
  const file = Buffer.from(good);
  change(file);
  return file;
}

describe('a file that is not usable is told as what it is, and the next one is decoded', () => {
  test.each([
    ['cut off in its pixels', good.subarray(0, -100), 'it is damaged (Premature end of JPEG file)'],
    ['cut off in its header', good.subarray(0, frame), 'it is cut off: its header tells of no size'],
    ['a header alone', good.subarray(0, scan), 'it is damaged ('],
    ['damaged in its pixels', changed((file) => file.fill(0xff, scan + 20, scan + 60)), 'it is damaged ('],
    ['damaged in its header', changed((file) => file.fill(7, 2, 20)), 'it is damaged: there is no marker at byte 2'],
    ['no pixels', changed((file) => file.writeUInt32BE(0, frame + 5)), 'its header tells of 0 x 0 pixels'],
    [
      'more pixels than bytes',
      changed((file) => file.writeUInt32BE(0x2000_2000, frame + 5)),
      'its header tells of 8192 x 8192 pixels, which',
    ],
    ['CMYK', cmyk.file, 'it is in CMYK, not in RGB'],
  ])('%s', async (_, file, message) => {
    const error: unknown = await decoder.decode(file).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toContain(message);
    expect(Buffer.from((await decoder.decode(good)).data).equals(pixels)).toBe(true);
  });
});

test('bytes before a marker that libjpeg passes over do no harm', async () => {
  const file = Buffer.concat([good.subarray(0, -2), Buffer.from([1, 2, 3]), good.subarray(-2)]);
  expect(Buffer.from((await decoder.decode(file)).data).equals(pixels)).toBe(true);
});
