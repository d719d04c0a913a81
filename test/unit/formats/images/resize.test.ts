import { describe, expect, test } from 'vitest';
import { withChannels } from '../../../../server/formats/images/raster.ts';
import { resized } from '../../../../server/formats/images/resize.ts';
import { fixtures } from './fixtures.ts';

describe("resizing is Pillow's bilinear one, to the bit", () => {
  test.each(Object.entries(fixtures.resize))(
    '%s',
    (_, { width, height, channels, pixels, size, resized: expected }) => {
      const [wanted, high] = size;
      const result = resized({ width, height, channels, data: pixels }, { width: wanted, height: high });
      expect(result).toMatchObject({ width: wanted, height: high, channels });
      expect(Buffer.from(result.data).equals(expected)).toBe(true);
    },
  );
});

test("gray is Pillow's luma, and as many channels as are wanted come of it", () => {
  const { rgb, gray } = fixtures.luma;
  const size = { width: 23, height: 17 };
  const luma = withChannels({ ...size, channels: 3, data: rgb }, 1);
  expect(Buffer.from(luma.data).equals(gray)).toBe(true);
  const again = withChannels(luma, 3);
  expect(Buffer.from(again.data).equals(Buffer.from([...gray].flatMap((value) => [value, value, value])))).toBe(true);
  expect(withChannels(again, 1).data).toEqual(luma.data);
});
