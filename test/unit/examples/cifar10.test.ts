import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodePng } from '../../../server/formats/images/png.ts';
import { pngOf } from '../formats/images/pngFile.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const script = new URL('../../../examples/cifar-10/prepare.js', import.meta.url);

/** A script of the examples: JavaScript, so that it runs without a build, and therefore without types here. */
const { prepare } = (await import(script.href)) as { prepare(source: string, target: string): number };

/** A tar archive, as GNU tar and bsdtar write it. */
function tarOf(files: Record<string, Buffer>): Buffer {
  const parts = Object.entries(files).flatMap(([name, content]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(content.length.toString(8).padStart(11, '0'), 124);
    header.write(name.endsWith('/') ? '5' : '0', 156);
    header.write('ustar', 257);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

const image = pngOf(32, 32, (x, y) => [x, y, 0]);
const files = {
  'cifar/train/cat/': Buffer.alloc(0),
  'cifar/train/cat/0001.png': image,
  'cifar/test/dog/0002.jpg': Buffer.from('photograph'),
  'cifar/test/dog/notes.txt': Buffer.from('passed over'),
};
const expected = { 'train/cat': ['0001.png'], 'test/dog': ['0002.jpg'] };

function expectImages(target: string): void {
  for (const [folder, names] of Object.entries(expected)) expect(readdirSync(join(target, folder))).toEqual(names);
  expect(readFileSync(join(target, 'train/cat/0001.png')).equals(image)).toBe(true);
}

test.each<[string, (tar: Buffer) => Buffer]>([
  ['tar', (tar) => tar],
  ['tar.gz', gzipSync],
])('an archive %s of image folders is unpacked, and nothing else of it', async (type, pack) => {
  const folder = await temporaryFolder();
  const archive = join(folder, `cifar-10-images.${type}`);
  writeFileSync(archive, pack(tarOf({ ...files, 'cifar/train/cat/../../../../out.png': image })));
  expect(prepare(archive, join(folder, 'data'))).toBe(2);
  expectImages(join(folder, 'data'));
  expect(readdirSync(folder).sort()).toEqual(['cifar-10-images.' + type, 'data']);
});

test('a folder that was unpacked is copied', async () => {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    if (name.endsWith('/')) mkdirSync(path, { recursive: true });
    else {
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, content);
    }
  }
  expect(prepare(folder, join(folder, 'data'))).toBe(2);
  expectImages(join(folder, 'data'));
});

test('the binary version becomes PNG files of the same pixels', async () => {
  const folder = await temporaryFolder();
  const archive = join(folder, 'cifar-10-binary.tar.gz');
  const pixels = Buffer.from(Array.from({ length: 3072 }, (_, i) => (i * 7) % 256));
  const batch = Buffer.concat([Buffer.of(3), pixels, Buffer.of(9), pixels.map((value) => 255 - value)]);
  writeFileSync(
    archive,
    gzipSync(
      tarOf({
        'cifar-10-batches-bin/data_batch_1.bin': batch,
        'cifar-10-batches-bin/test_batch.bin': batch.subarray(3073),
        'cifar-10-batches-bin/batches.meta.txt': Buffer.from('airplane'),
      }),
    ),
  );
  expect(prepare(archive, join(folder, 'data'))).toBe(3);
  expect(readdirSync(join(folder, 'data', 'train')).sort()).toEqual(['cat', 'truck']);
  const { width, height, channels, data } = decodePng(
    readFileSync(join(folder, 'data', 'train', 'cat', 'data_batch_1-0.png')),
  );
  expect({ width, height, channels }).toEqual({ width: 32, height: 32, channels: 3 });
  const planes = [0, 1, 2].flatMap((channel) => Array.from({ length: 1024 }, (_, pixel) => data[3 * pixel + channel]));
  expect(Buffer.from(planes).equals(pixels)).toBe(true);
  expect(readdirSync(join(folder, 'data', 'test', 'truck'))).toEqual(['test_batch-0.png']);
});

test('what is no copy of it is told', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'x.tar');
  writeFileSync(file, tarOf({ 'readme.txt': Buffer.from('x') }));
  expect(() => prepare(file, folder)).toThrow(/has neither train\/CLASS\/ and test\/CLASS\/ with images nor/);
  writeFileSync(file, tarOf(files).subarray(0, 1600));
  expect(() => prepare(file, folder)).toThrow('The archive is cut off.');
  writeFileSync(file, tarOf({ 'test_batch.bin': Buffer.alloc(100) }));
  expect(() => prepare(file, folder)).toThrow('test_batch.bin is no batch of the binary version: 100 bytes.');
});
