import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeImages } from '../../../../server/data/images/decodeImages.ts';
import type { ImageFile } from '../../../../server/data/images/imageFolder.ts';
import { fixtures } from '../../formats/images/fixtures.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { flat, newFolder, writeFiles } from './imageFolders.ts';

let folder: string;
beforeEach(() => void (folder = newFolder()));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const form = { width: 3, height: 2, channels: 1 } as const;
const { file: photograph } = fixtures.jpeg['4:2:0'];

function files(count: number, change: (i: number) => Uint8Array | string = flat): ImageFile[] {
  const names = Array.from({ length: count }, (_, i) => `${i}.png`);
  writeFiles(folder, Object.fromEntries(names.map((name, i) => [name, change(i)])));
  return names.map((path) => ({ path, label: 0, bytes: 100, modified: 0 }));
}

test('threads decode what one thread decodes, each image to its place', async () => {
  const images = files(200, (i) => (i % 7 === 0 ? photograph : flat(i)));
  const decoded = [0, 2].map((threads) => decodeImages(folder, images, form, { threads }));
  const [one, several] = (await Promise.all(decoded)).map(({ pixels }) => pixels);
  expect(one.subarray(6, 12)).toEqual(new Uint8Array(6).fill(1));
  expect(Buffer.from(several).equals(Buffer.from(one))).toBe(true);
});

test('progress comes to its end, whichever thread is first', async () => {
  const told: number[] = [];
  const onDecoded = ({ done, total }: { done: number; total: number }) => told.push(done / total);
  await decodeImages(folder, files(100), form, { threads: 2, onDecoded });
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(told.at(-1)).toBe(1);
});

test('images that cannot be used are told in their order, with what to do, also by threads', async () => {
  const images = files(90, (i) => (i % 40 === 30 ? photograph : flat(i)));
  const error = await userErrorOf(() => decodeImages(folder, images, { ...form, sizeOf: '0.png' }, { threads: 2 }));
  expect(error.message.split('\n').map((line) => line.slice(folder.length + 1))).toEqual([
    '30.png is not usable: it has 37 x 21 pixels, and 0.png has 3 x 2.',
    '70.png is not usable: it has 37 x 21 pixels, and 0.png has 3 x 2.',
  ]);
  expect(error.remedy).toContain('data.size');
});

test('behind many that cannot be used, the others are not looked at', async () => {
  const looked: number[] = [];
  const decode = (mostBroken: number) =>
    decodeImages(
      folder,
      files(500, () => 'none'),
      form,
      { mostBroken, onDecoded: ({ done }) => looked.push(done) },
    );
  const { message } = await userErrorOf(() => decode(0));
  expect(looked.splice(0)).toEqual([32]);
  expect(message.split('\n')).toHaveLength(21);
  await userErrorOf(() => decode(100));
  expect(looked.at(-1)).toBe(128);
});

test('an abort ends the threads', async () => {
  const stop = new AbortController();
  const decoding = decodeImages(folder, files(2000), form, {
    threads: 2,
    signal: stop.signal,
    onDecoded: () => stop.abort(),
  });
  await expect(decoding).rejects.toMatchObject({ name: 'AbortError' });
});
