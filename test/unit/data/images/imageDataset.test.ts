import { readFileSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Batch, Dataset } from '../../../../server/data/dataset.ts';
import { openSampleForm } from '../../../../server/data/openDataset.ts';
import { SettingError } from '../../../../server/protocol/experiment/settingError.ts';
import { fixtures } from '../../formats/images/fixtures.ts';
import { pngOf } from '../../formats/images/pngFile.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import {
  classes,
  flat,
  flatSamples,
  imagesConfig,
  inFolder,
  newFolder,
  openImages,
  pets,
  writeFiles,
} from './imageFolders.ts';

let folder: string;
beforeEach(() => void (folder = newFolder()));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(files: Record<string, Uint8Array | string>, settings = {}, options = {}) {
  writeFiles(join(folder, 'data'), files);
  return openImages(folder, settings, options);
}

const withCapitals = Object.fromEntries(
  Object.entries(pets).map(([name, content]) => [name.replace('t', 'T'), content]),
);

const inOrder = (split: Dataset['test'], batchSize = 3) => split.batches(batchSize) as Iterable<Batch>;

describe('what a data set of images is', () => {
  test('classes are the folders in the order of their names, labels their numbers, values 0 to 1', async () => {
    const data = await open(pets);
    expect(data.classes).toEqual(['cat', 'dog']);
    expect(data.inputs).toEqual([{ shape: [2, 3, 1], dtype: 'float32' }]);
    expect(data.targets).toEqual([{ shape: [], dtype: 'int32' }]);
    expect(data.description).toBe('Images of 2 classes: 8 training, 4 test samples');
    expect(data.validation).toBeUndefined();
    expect(flatSamples(inOrder(data.test))).toEqual([
      [100, 0],
      [101, 0],
      [110, 1],
      [111, 1],
    ]);
    const [first] = inOrder(data.test);
    expect(first.inputs[0][0]).toBe(Math.fround(100 / 255));
  });

  test('a split may lack a class, and its labels are those of the training classes', async () => {
    const { test: split } = await open({ ...inFolder('train', classes(['a', 'b', 'c'], 2)), 'test/c/x.png': flat(7) });
    expect(flatSamples(inOrder(split))).toEqual([[7, 2]]);
  });

  test('images may be in folders of a class, have any letters in their ends, and be links', async () => {
    writeFiles(folder, { 'elsewhere.png': flat(77) });
    writeFiles(join(folder, 'data'), { ...pets, 'train/cat/more/4.PNG': flat(4), 'train/cat/notes.txt': 'none' });
    symlinkSync(join(folder, 'elsewhere.png'), join(folder, 'data', 'train', 'cat', 'z.png'));
    const { train } = await openImages(folder);
    expect(flatSamples(inOrder(train)).filter(([, label]) => label === 0)).toEqual(
      [0, 1, 2, 3, 4, 77].map((v) => [v, 0]),
    );
  });

  test("hidden files and folders, which are other programs', are passed over", async () => {
    const hidden = { 'train/.ipynb_checkpoints/0.png': flat(9), 'train/cat/._0.png': 'AppleDouble', '.DS_Store': 'x' };
    const data = await open({ ...pets, ...hidden });
    expect(data.classes).toEqual(['cat', 'dog']);
    expect(data.train.samples).toBe(8);
  });

  test.each(['val', 'valid', 'validation'])('a folder %s is the validation split', async (name) => {
    const { validation } = await open({ ...pets, [`${name}/dog/0.png`]: flat(200) });
    expect(flatSamples(inOrder(validation!))).toEqual([[200, 1]]);
  });

  test('the folders of the splits may have capitals', async () => {
    const { test: split } = await open(withCapitals);
    expect(flatSamples(inOrder(split)).map(([value]) => value)).toEqual([100, 101, 110, 111]);
  });

  test('a class may have the name of a split', async () => {
    const data = await open(classes(['rocket', 'train'], 4), { split: { test: 0.5 } });
    expect(data.classes).toEqual(['rocket', 'train']);
  });

  test('an image is what its bytes are, whatever its name ends with', async () => {
    const { file, width, height, pixels } = fixtures.jpeg['4:2:0'];
    const image = pngOf(width, height, () => [1, 2, 3]);
    const files = { 'train/a/0.png': file, 'train/b/0.jpg': image, 'test/a/0.jpeg': file };
    const { test: split, inputs } = await open(files, { color: 'rgb' });
    expect(inputs[0].shape).toEqual([height, width, 3]);
    const [batch] = inOrder(split);
    expect(Buffer.from(Array.from(batch.inputs[0], (value) => Math.round(value * 255))).equals(pixels)).toBe(true);
  });

  test('with a size, images of any size become images of that one', async () => {
    const files = { ...pets, 'train/cat/big.png': pngOf(50, 40, () => 30) };
    const { inputs, train } = await open(files, { size: [5, 4] });
    expect(inputs[0].shape).toEqual([5, 4, 1]);
    expect(flatSamples(inOrder(train))).toContainEqual([30, 0]);
  });

  test('what a model is made for is told without opening more than one image', async () => {
    writeFiles(join(folder, 'data'), { ...pets, 'train/dog/0.png': 'no image' });
    const form = await openSampleForm(imagesConfig(), folder);
    expect(form).toMatchObject({ inputs: [{ shape: [2, 3, 1] }], classes: ['cat', 'dog'], train: { samples: 8 } });
  });
});

describe('images are divided and limited by their seed, class by class', () => {
  const many = {
    ...inFolder('train', classes(['a', 'b'], 10)),
    ...inFolder('test', classes(['a', 'b'], 10, 100)),
  };
  const values = (split: Dataset['test'] | undefined) => flatSamples(inOrder(split!)).map(([value]) => value);

  test('a fraction for validation is as much of each class, and not trained on', async () => {
    const data = await open(many, { split: { validation: 0.2 } });
    const [train, validation] = [values(data.train), values(data.validation)];
    expect(validation.filter((value) => value < 10)).toHaveLength(2);
    expect(validation.filter((value) => value >= 10)).toHaveLength(2);
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test('a fraction for the test divides folders of classes', async () => {
    writeFiles(join(folder, 'data'), classes(['a', 'b'], 10));
    const data = await openImages(folder, { split: { validation: 0.1, test: 0.3 } });
    const parts = [data.train, data.validation, data.test].map(values);
    expect(parts.map(({ length }) => length)).toEqual([12, 2, 6]);
    expect(parts.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test('a larger limit has the images of a smaller one, and the validation images stay apart from both', async () => {
    const [small, large] = await Promise.all(
      [3, 6].map((train) => open(many, { split: { validation: 0.2 }, limit: { train, validation: 1, test: 4 } })),
    );
    expect(values(large.train)).toEqual(expect.arrayContaining(values(small.train)));
    expect([small, large].map(({ train }) => train.samples)).toEqual([6, 12]);
    expect(small.validation!.samples).toBe(2);
    expect(small.test.samples).toBe(8);
    const all = await open(many, { split: { validation: 0.2 } });
    expect(values(all.validation)).toEqual(expect.arrayContaining(values(small.validation)));
    expect(values(all.train)).toEqual(expect.arrayContaining(values(large.train)));
  });

  test('another seed chooses others, the same seed the same', async () => {
    const chosen = async (seed: number) => values((await open(many, { limit: { train: 5 }, seed })).train);
    expect(await chosen(1)).toEqual(await chosen(1));
    expect(await chosen(2)).not.toEqual(await chosen(1));
  });
});

describe('values are standardized', () => {
  const colours = (red: number, green: number, blue: number) => pngOf(2, 1, () => [red, green, blue]);
  const files = {
    'train/a/0.png': colours(0, 51, 7),
    'train/b/0.png': colours(255, 102, 7),
    'test/a/0.png': colours(51, 153, 8),
  };
  async function firstPixel(standardize: unknown): Promise<number[]> {
    const { test: split } = await open(files, { color: 'rgb', standardize });
    const [batch] = inOrder(split);
    return [...batch.inputs[0].subarray(0, 3)];
  }

  test('by the mean and the deviation of the training images, channel by channel', async () => {
    // Red: 0 and 1, mean 0.5, deviation 0.5. Green: 0.2 and 0.4, mean 0.3, deviation 0.1. Blue is constant: deviation 1.
    const pixel = await firstPixel('training');
    [(0.2 - 0.5) / 0.5, (0.6 - 0.3) / 0.1, 1 / 255].forEach((expected, i) => expect(pixel[i]).toBeCloseTo(expected, 6));
    const { images } = await open(files, { color: 'rgb', standardize: 'training' });
    expect(images!.deviation[0]).toBeCloseTo(0.5, 12);
    expect(images).toMatchObject({ height: 1, width: 2, color: 'rgb' });
  });

  test('a channel that never changes has deviation 1, whatever the rounding of its sum', async () => {
    // 12 * (11 / 255) / 12 is not 11 / 255.
    const equal = Object.fromEntries(['train/a', 'train/b', 'test/a'].map((name) => [`${name}/0.png`, flat(11)]));
    const { images } = await open(equal, { standardize: 'training' });
    expect(images).toMatchObject({ mean: [11 / 255], deviation: [1] });
  });

  test('to -1 and 1', async () => {
    expect(await firstPixel('symmetric')).toEqual([51, 153, 8].map((value) => Math.fround((value / 255 - 0.5) / 0.5)));
  });

  test('by numbers', async () => {
    const given = { mean: [0.1, 0.2, 0.3], deviation: [1, 2, 4] };
    expect(await firstPixel(given)).toEqual(
      [51, 153, 8].map((value, i) => Math.fround((value / 255 - given.mean[i]) / given.deviation[i])),
    );
  });
});

describe('training images are changed at random', () => {
  /** Every pixel is its own value. */
  const numbered = pngOf(4, 3, (x, y) => 1 + x + 4 * y);
  const files = { 'train/a/0.png': numbered, 'train/b/0.png': numbered, 'test/a/0.png': numbered };
  const settings = { crop: { padding: 2 }, flip: true };

  async function steps(from: number, count: number, more: { seed?: number } & Record<string, unknown> = {}) {
    const { seed = 1, ...others } = more;
    const data = await open(files, { ...settings, ...others });
    const stream = await data.openTraining({ batchSize: 2, seed, step: from });
    const images: number[][] = [];
    for (let step = 0; step < count; step++) {
      const { inputs } = await stream.next();
      const pixels = Array.from(inputs[0], (value) => Math.round(value * 255));
      images.push(pixels.slice(0, 12), pixels.slice(12));
    }
    return images;
  }

  /** The image moved so far down and to the right, black around it, and then mirrored. */
  function moved(down: number, right: number, mirrored: boolean): number[] {
    return Array.from({ length: 12 }, (_, i) => {
      const [x, y] = [mirrored ? 3 - (i % 4) : i % 4, Math.floor(i / 4)];
      const [column, row] = [x - right, y - down];
      return column >= 0 && column < 4 && row >= 0 && row < 3 ? 1 + column + 4 * row : 0;
    });
  }

  test('each is moved by the padding at most, and mirrored every second time', async () => {
    const possible = new Map<string, boolean>();
    for (let down = -2; down <= 2; down++)
      for (let right = -2; right <= 2; right++)
        for (const mirrored of [false, true]) possible.set(moved(down, right, mirrored).join(), mirrored);
    const images = (await steps(0, 400)).map((image) => image.join());
    expect(images.every((image) => possible.has(image))).toBe(true);
    expect(new Set(images).size).toBe(possible.size);
    // 800 images, each mirrored with probability 1/2: 5 standard deviations are 71.
    const mirrored = images.filter((image) => possible.get(image)).length;
    expect(Math.abs(mirrored - 400)).toBeLessThan(71);
  });

  test('a padding larger than the image leaves some of them black', async () => {
    const images = (await steps(0, 100, { crop: { padding: 8 }, flip: false })).map((image) => image.join());
    const possible = new Set<string>();
    for (let down = -8; down <= 8; down++)
      for (let right = -8; right <= 8; right++) possible.add(moved(down, right, false).join());
    expect(images.every((image) => possible.has(image))).toBe(true);
    expect(images).toContain(new Array(12).fill(0).join());
  });

  test('a run that goes on sees the very images that it would have seen', async () => {
    const all = await steps(0, 9);
    expect(await steps(5, 4)).toEqual(all.slice(10));
    expect(await steps(0, 9, { seed: 2 })).not.toEqual(all);
  });

  test('without crop and flip they stay as they are, and so do images to measure on', async () => {
    for (const image of await steps(0, 5, { crop: undefined, flip: false })) expect(image).toEqual(moved(0, 0, false));
    const data = await open(files, settings);
    for (const split of [data.train, data.test])
      for (const { inputs } of inOrder(split, 1))
        expect(Array.from(inputs[0], (value) => Math.round(value * 255))).toEqual(moved(0, 0, false));
  });

  test('only mirrored, only moved', async () => {
    const onlyMirrored = new Set((await steps(0, 60, { crop: undefined })).map((image) => image.join()));
    expect(onlyMirrored).toEqual(new Set([moved(0, 0, false).join(), moved(0, 0, true).join()]));
    const onlyMoved = await steps(0, 60, { flip: false });
    expect(onlyMoved.map((image) => image.join())).not.toContain(moved(0, 0, true).join());
  });
});

describe('what keeps a folder from being a data set is told, with the place of its setting', () => {
  const train = inFolder('train', classes(['cat', 'dog'], 2));
  const trainAndVal = { ...train, ...inFolder('val', classes(['cat', 'dog'], 2)) };
  test.each<[string, Record<string, Uint8Array | string>, Record<string, unknown>, string, string]>([
    ['no folder', {}, { path: 'nowhere' }, 'data.path', 'nowhere does not exist'],
    ['a file', { x: 'x' }, { path: 'data/x' }, 'data.path', 'x is no folder'],
    ['no split', { 'pictures/x/a.png': flat(1) }, {}, 'data.path', 'data has no folder train, but pictures'],
    ['no test', train, {}, 'data.path', 'data has no folder test, but train'],
    ['no test, but a validation', trainAndVal, {}, 'data.path', 'data has no folder test, but train, val'],
    [
      'no classes',
      { 'train/a.png': flat(1), 'test/a/a.png': flat(1) },
      {},
      'data.path',
      'train has no folders, of which each is a class',
    ],
    [
      'a single class',
      { 'train/images/a.png': flat(1), 'test/a/a.png': flat(1) },
      {},
      'data.path',
      'train has a single folder, images: a model tells classes apart',
    ],
    ['an empty class', { ...pets, 'train/fox/readme.txt': 'soon' }, {}, 'data.path', 'fox has no JPEG or PNG file'],
    [
      'an unknown class',
      { ...pets, 'test/fox/a.png': flat(1), 'test/owl/a.png': flat(1) },
      {},
      'data.path',
      'test has fox, owl, and the training images have no such class',
    ],
    ['divided already', pets, { split: { test: 0.1 } }, 'data.split.test', 'the images are divided already'],
    [
      'divided already, with a validation and no test',
      trainAndVal,
      { split: { test: 0.1 } },
      'data.split.test',
      'data has the folders train and val: the images are divided already',
    ],
    [
      'divided already, with capitals',
      withCapitals,
      { split: { test: 0.1 } },
      'data.split.test',
      'data has the folders Train and Test: the images are divided already',
    ],
    [
      'two validations',
      { ...pets, 'val/cat/a.png': flat(1) },
      { split: { validation: 0.1 } },
      'data.split.validation',
      'there are validation images in a folder of their own',
    ],
    [
      'nothing left',
      pets,
      { split: { validation: 0.9 } },
      'data.split',
      "of the 4 images of 'cat', none is left to train on",
    ],
    [
      'no validation',
      pets,
      { split: { validation: 0.01 } },
      'data.split.validation',
      'a fraction of 0.01 leaves it without an image',
    ],
  ])('%s', async (_, files, settings, setting, message) => {
    const error = await userErrorOf(() => open(files, settings));
    expect(error).toBeInstanceOf(SettingError);
    expect(error.message).toMatch(new RegExp(`^${setting.replaceAll('.', '\\.')}: `));
    expect(error.message).toContain(message);
    expect(error.remedy).not.toBe(undefined);
  });

  test('folders for training and validation alone: each remedy makes a data set of them', async () => {
    for (const split of [{}, { test: 0.5 }]) {
      const { remedy } = await userErrorOf(() => open(trainAndVal, { split }));
      expect(remedy).toContain('Rename val to test');
      expect(remedy).toContain(`set data.path to ${join(folder, 'data', 'train')}`);
    }
    const divided = await openImages(folder, { path: join(folder, 'data', 'train'), split: { test: 0.5 } });
    expect(divided).toMatchObject({ classes: ['cat', 'dog'], train: { samples: 2 }, test: { samples: 2 } });
    renameSync(join(folder, 'data', 'val'), join(folder, 'data', 'test'));
    expect(await openImages(folder)).toMatchObject({ classes: ['cat', 'dog'], test: { samples: 4 } });
  });

  test.each<[string, Record<string, Uint8Array | string>, string]>([
    [
      'broken images, all of them',
      { 'train/cat/1.png': flat(1).subarray(0, 50), 'train/dog/2.png': 'none' },
      `train/cat/1.png is not usable: it is cut off`,
    ],
    [
      'an image of another size',
      { 'train/dog/0.png': pngOf(4, 4, () => 1) },
      `train/dog/0.png is not usable: it has 4 x 4 pixels, and train/cat/0.png has 3 x 2`,
    ],
    [
      'an image of another kind',
      { 'train/dog/0.webp': 'RIFF' },
      'train/dog/0.webp is an image of a kind that is not read',
    ],
    ['an empty file', { 'train/dog/0.png': '' }, 'train/dog/0.png is not usable: it is empty'],
  ])('%s', async (_, files, message) => {
    const error = await userErrorOf(() => open({ ...pets, ...files }));
    expect(error.message).toContain(message);
    for (const name of Object.keys(files)) expect(error.message).toContain(name);
    expect(error.remedy).not.toBe(undefined);
  });

  test('broken images, up to a share: they are left out and named, also when the others are kept', async () => {
    const files = { ...pets, 'train/cat/0.png': 'none', 'test/dog/1.png': flat(1).subarray(0, 50) };
    const expected = flatSamples(inOrder((await open({ ...pets, 'train/cat/0.png': flat(9) })).train)).slice(1);
    for (const round of ['decoded', 'kept']) {
      const data = await open(files, { skipBroken: 0.2 });
      expect(flatSamples(inOrder(data.train)), round).toEqual(expected);
      expect(data.test.samples).toBe(3);
      expect(data.countLabels?.(2, 0)).toEqual([3, 4]);
      expect(data.warnings).toHaveLength(1);
      expect(data.warnings![0]).toMatch(
        /^2 of 12 images cannot be used and are left out \(data\.skipBroken\): .*test.dog.1\.png is not usable: .*train.cat.0\.png is not usable/,
      );
    }
    const { message } = await userErrorOf(() => openImages(folder, { skipBroken: 0.1 }));
    expect(message).toContain('train/cat/0.png is not usable');
    const without = await userErrorOf(() => openImages(folder));
    expect(without.message).toContain('train/cat/0.png is not usable');
  });

  test('a class of broken images alone', async () => {
    const broken = Object.fromEntries([0, 1, 2, 3].map((i) => [`train/dog/${i}.png`, 'none']));
    const { message } = await userErrorOf(() => open({ ...pets, ...broken }, { skipBroken: 0.5 }));
    expect(message).toBe("data.skipBroken: without the broken images, the class 'dog' has none");
  });

  test('a link that leads nowhere', async () => {
    writeFiles(join(folder, 'data'), pets);
    symlinkSync('nowhere', join(folder, 'data', 'train', 'cat', 'z.png'));
    const { message } = await userErrorOf(() => openImages(folder));
    expect(message).toContain('z.png cannot be read: there is no such file.');
  });

  test('images that are more than memory', async () => {
    const { message, remedy } = await userErrorOf(() => open(pets, { size: [100_000, 100_000] }));
    expect(message).toContain('12 images of 100000 x 100000 x 1 take 120 GB of memory');
    expect(remedy).toContain('data.limit');
  });
});

describe('decoded images are kept', () => {
  const cached = () => readdirSync(join(folder, '.deeptwist', 'cache', 'images'));
  /** Decodes and tells how many images it had to. */
  async function decodedBy(settings = {}): Promise<number> {
    let count = 0;
    await openImages(folder, settings, { onDecoded: ({ done }: { done: number }) => (count = done) });
    return count;
  }

  test('the second time, nothing is decoded, whatever the split', async () => {
    writeFiles(join(folder, 'data'), pets);
    expect(await decodedBy()).toBe(12);
    expect(await decodedBy()).toBe(0);
    expect(await decodedBy({ split: { validation: 0.25 }, flip: true, standardize: 'training' })).toBe(0);
    expect(cached()).toHaveLength(1);
  });

  test('what is read from the disk is what was decoded', async () => {
    const [before, after] = [await open(pets), await openImages(folder)];
    expect(flatSamples(inOrder(after.train))).toEqual(flatSamples(inOrder(before.train)));
  });

  test.each<[string, () => void]>([
    [
      'changes',
      () =>
        writeFileSync(
          join(folder, 'data', 'train/cat/0.png'),
          pngOf(3, 2, (x) => x),
        ),
    ],
    ['has another time', () => utimesSync(join(folder, 'data', 'train/cat/0.png'), 1, 1)],
    ['comes', () => writeFileSync(join(folder, 'data', 'train/cat/9.png'), flat(9))],
    ['goes', () => rmSync(join(folder, 'data', 'train/cat/0.png'))],
    [
      'has another name',
      () => renameSync(join(folder, 'data', 'train/cat/0.png'), join(folder, 'data', 'train/cat/x.png')),
    ],
  ])('all are decoded anew when an image %s', async (_, change) => {
    writeFiles(join(folder, 'data'), pets);
    await decodedBy();
    change();
    expect(await decodedBy()).toBeGreaterThan(10);
  });

  test('another size or colour is another file, and the oldest of many are removed', async () => {
    writeFiles(join(folder, 'data'), pets);
    for (const width of [4, 5, 6, 7, 8, 9]) expect(await decodedBy({ size: [2, width] })).toBe(12);
    expect(cached()).toHaveLength(4);
    expect(await decodedBy({ size: [2, 9] })).toBe(0);
    expect(await decodedBy({ size: [2, 9], color: 'rgb' })).toBe(12);
  });

  test.each<[string, (content: Buffer) => Buffer]>([
    ['cut off', (content) => content.subarray(0, -1)],
    ['longer', (content) => Buffer.concat([content, Buffer.of(0)])],
    ['of another kind', (content) => Buffer.concat([Buffer.from('NOPIXELS'), content.subarray(8)])],
    ['another by one bit', (content) => Buffer.from(content.map((byte, i) => (i === 20 ? byte ^ 1 : byte)))],
  ])('a file that is %s is made anew', async (_, change) => {
    writeFiles(join(folder, 'data'), pets);
    await decodedBy();
    const file = join(folder, '.deeptwist', 'cache', 'images', cached()[0]);
    writeFileSync(file, change(readFileSync(file)));
    expect(await decodedBy()).toBe(12);
    expect(await decodedBy()).toBe(0);
  });

  test('several at once do not disturb one another', async () => {
    writeFiles(join(folder, 'data'), pets);
    const all = await Promise.all(Array.from({ length: 5 }, () => openImages(folder)));
    for (const data of all) expect(flatSamples(inOrder(data.train))).toEqual(flatSamples(inOrder(all[0].train)));
    expect(cached()).toHaveLength(1);
  });

  test('where they cannot be kept, a warning says so', async () => {
    writeFiles(folder, { '.deeptwist': 'a file where the folder should be' });
    const { warnings } = await open(pets);
    expect(warnings).toEqual([
      expect.stringMatching(/^The decoded images cannot be kept in .*, so that each run decodes them: /),
    ]);
  });
});

test('an abort ends decoding, and nothing is kept', async () => {
  const stop = new AbortController();
  const many = inFolder('train', classes(['cat', 'dog'], 40));
  const opening = open({ ...pets, ...many }, {}, { signal: stop.signal, onDecoded: () => stop.abort() });
  await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
  expect(readdirSync(folder)).toEqual(['data']);
});
