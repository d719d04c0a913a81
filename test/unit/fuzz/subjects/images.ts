import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { imagesConfig } from '../../data/images/imageFolders.ts';
import { openDataset } from '../../../../server/data/openDataset.ts';
import { fixtures } from '../../formats/images/fixtures.ts';
import { pngChunk, pngOf, rawPng } from '../../formats/images/pngFile.ts';
import { bytes, pick, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';

const photograph = fixtures.jpeg['4:2:0'].file;
const progressive = fixtures.jpeg.progressive.file;
const colours = fixtures.png['rgb, 8 bits, interlaced'].file;
const palette = fixtures.png['palette, 4 bits'].file;

/** A PNG that is made wrong, with checksums that are right all the same. */
const inside: readonly Mutation[] = bytes.map((mutation) => (content, random) => {
  const changed = mutation(content, random);
  return { ...changed, content: withChecksums(changed.content) };
});

function withChecksums(file: Buffer): Buffer {
  const result = Buffer.from(file);
  for (let at = 8; at + 12 <= result.length;) {
    const end = at + 8 + result.readUInt32BE(at);
    if (end + 4 > result.length) break;
    result.writeUInt32BE(crc32(result.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return result;
}

let zeros: Buffer | undefined;
const bombs: readonly Mutation[] = [
  () => ({ content: (zeros ??= rawPng(Buffer.alloc(400e6))), what: '400 MB of zeros' }),
  () => ({ content: rawPng(Buffer.alloc(1), { width: 60_000, height: 1000 }), what: 'a header of 60 megapixels' }),
  (content) => {
    const result = Buffer.from(content);
    const frame = result.indexOf(Buffer.from([0xff, 0xc0]));
    if (frame > 0) result.writeUInt32BE(0x1f00_1f00, frame + 5);
    return { content: result, what: 'a JPEG header of 63 megapixels' };
  },
  (content, random) => {
    const type = pick(['IHDR', 'PLTE', 'IEND', 'tRNS', 'iCCP', 'ABCD'], random);
    const chunk = pngChunk(type, Buffer.alloc(random.below(40), 7));
    return { content: Buffer.concat([content.subarray(0, 33), chunk, content.subarray(33)]), what: `one more ${type}` };
  },
];

async function read(folder: string): Promise<void> {
  const dataset = await openDataset(
    imagesConfig({ path: '.', color: 'rgb', size: [8, 8], crop: { padding: 1 } }),
    folder,
  );
  const stream = await dataset.openTraining({ batchSize: 2, seed: 1, step: 0 });
  await stream.next();
  for await (const batch of dataset.test.batches(2)) void batch;
}

export const imageFolders: Subject = {
  name: 'images',
  cases: 240,
  files: () =>
    Promise.resolve({
      'train/a/0.jpg': photograph,
      'train/a/1.jpg': progressive,
      'train/b/0.png': colours,
      'train/b/1.png': palette,
      'test/a/0.png': pngOf(5, 5, (x, y) => x * y),
    }),
  mutations: {
    'train/a/0.jpg': [...bytes, ...bytes, ...bombs],
    'train/a/1.jpg': bytes,
    'train/b/0.png': [...bytes, ...inside, ...bombs],
    'train/b/1.png': [...bytes, ...inside],
    'test/a/0.png': [...bytes, ...inside],
  },
  read,
};

/** Whatever is wrong with what was kept, the images are decoded again. */
export const imageCaches: Subject = {
  name: 'decoded images',
  cases: 60,
  files: () =>
    Promise.resolve({
      'train/a/0.png': colours,
      'train/b/0.png': colours,
      'test/a/0.png': colours,
      pixels: Buffer.alloc(12 + 3 * 8 * 8 * 3),
    }),
  mutations: { pixels: bytes },
  async read(folder) {
    await read(folder);
    const cache = join(folder, '.deeptwist', 'cache', 'images');
    const [name] = await readdir(cache);
    await rm(join(cache, name));
    const pixels = join(folder, 'pixels');
    if (existsSync(pixels)) await rename(pixels, join(cache, name));
    await read(folder);
  },
};
