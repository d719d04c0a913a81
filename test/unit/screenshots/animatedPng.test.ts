import { expect, test } from 'vitest';
import { inflateSync } from 'node:zlib';
import { decodePng } from '../../../server/formats/images/png.ts';
import { animatedPng } from '../../screenshots/animatedPng.ts';
import { pngOf } from '../formats/images/pngFile.ts';

const [WIDTH, HEIGHT] = [5, 4];

/** The pictures that a player shows, one after the other: each frame lies over those before it. */
function played(file: Uint8Array): Uint8Array[] {
  const shown: Uint8Array[] = [];
  const bytes = Buffer.from(file);
  const canvas = new Uint8Array(WIDTH * HEIGHT * 3);
  let place = { width: 0, height: 0, x: 0, y: 0 };
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at));
    if (type === 'fcTL') {
      const [width, height, x, y] = [4, 8, 12, 16].map((offset) => data.readUInt32BE(offset));
      place = { width, height, x, y };
    }
    if (type !== 'IDAT' && type !== 'fdAT') continue;
    const rows = inflateSync(type === 'IDAT' ? data : data.subarray(4));
    for (let y = 0; y < place.height; y++)
      for (let x = 0; x < place.width; x++) {
        const from = y * (1 + 4 * place.width) + 1 + 4 * x;
        const to = 3 * ((place.y + y) * WIDTH + place.x + x);
        if (rows[from + 3] === 255) canvas.set(rows.subarray(from, from + 3), to);
      }
    shown.push(canvas.slice());
  }
  return shown;
}

test('an animated PNG shows its pictures one after the other, and the first where nothing plays', () => {
  const pictures = [
    pngOf(WIDTH, HEIGHT, (x, y) => [x * 10, y * 10, 7]),
    pngOf(WIDTH, HEIGHT, (x, y) => [x * 10, y * 10, x > 1 && y === 2 ? 99 : 7]),
    pngOf(WIDTH, HEIGHT, (x, y) => [x * 10, y * 10, x > 1 && y === 2 ? 99 : 7]),
    pngOf(WIDTH, HEIGHT, (x, y) => [x === 0 && y === 0 ? 255 : x * 10, y * 10, 7]),
  ];
  const file = animatedPng(pictures.map((png) => ({ png, milliseconds: 500 })));
  expect(played(file)).toEqual(pictures.map((png) => decodePng(png).data));
  expect(decodePng(file).data).toEqual(decodePng(pictures[0]).data);
});
