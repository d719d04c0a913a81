/** @file The data sets of a workspace. Files are looked at, nothing is executed. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { imagesBelow, splitFolders } from '../data/images/imageFolder.ts';
import { idxShape } from '../formats/idx.ts';
import { inflateHead, isGzip } from '../formats/inflate.ts';
import type { TargetKind } from '../protocol/experiment/firstLoss.ts';
import { TEST_FRACTION } from '../protocol/experiment/schema/table.ts';
import type { Tensor } from '../protocol/model/tensor.ts';
import type { FoundData, FoundFiles, TableFacts } from '../protocol/wire/proposals.ts';
import { readFirstBytesSync } from '../runs/workspaceFile.ts';
import { arraySplits } from './arrayNames.ts';
import { beginningOf } from './beginningOf.ts';
import { IMAGE_HEAD_BYTES, imageSize } from './imageSize.ts';
import { readTable } from './tableSource.ts';

/** Reads names, shapes and types of the tensors of a file; none where it cannot be read. */
type ReadTensors = (path: string) => Promise<readonly SeenTensor[]>;
type SeenTensor = Pick<Tensor, 'name' | 'shape' | 'dtype'>;

/** Images of a data set whose sizes are looked at. */
const LOOKED_AT = 12;
/** Bytes of a table that are read. */
const TABLE_BYTES = 64 * 1024;
/** Compressed bytes in which the header of an IDX file is found. */
const IDX_HEAD_BYTES = 1024;
/** Height and width of the images of MNIST, in pixels. */
const SIDES = [28, 28];
const { train: TRAIN, test: TEST, validation: VALIDATION } = splitFolders;

/** The data sets among some files, modules left out. */
export async function findData(
  { digits, images, arrays, tables, texts }: Omit<FoundFiles, 'sources' | 'models'>,
  readTensors: ReadTensors,
): Promise<FoundData[]> {
  const folders = (files: readonly string[]) => [...new Set(files.map((file) => dirname(file)))];
  return [
    ...folders(digits).map((path) => digitSet(path, digits)),
    ...imageSets(images),
    ...(await arraySets(arrays, readTensors)),
    ...tableSets(tables),
    ...folders(texts).map((path): FoundData => ({ type: 'text', path, targets: 'labels' })),
  ];
}

/** @param files of training images, that of the folder among them */
function digitSet(path: string, files: readonly string[]): FoundData {
  const shape = idxShapeOf(files.find((file) => dirname(file) === path)!);
  return {
    type: 'mnist',
    path,
    sample: [...(shape?.slice(1) ?? SIDES), 1],
    ...(shape && { samples: shape[0] }),
    classes: 10,
    targets: 'labels',
  };
}

/** Sizes of the images of an IDX file, raw or gzip; undefined where its beginning does not tell. */
function idxShapeOf(file: string): readonly number[] | undefined {
  try {
    const head = readFirstBytesSync(file, IDX_HEAD_BYTES);
    return idxShape(isGzip(head) ? inflateHead(head, 'gzip', false) : head, 3);
  } catch {
    return undefined;
  }
}

/** Sets of images in folders of classes. */
function imageSets(images: readonly string[]): FoundData[] {
  const found = new Map<string, FoundData>();
  for (const root of new Set(images.map((file) => dirname(dirname(file))))) {
    const set = imageSet(root, images);
    if (set && !found.has(set.path)) found.set(set.path, set);
  }
  return [...found.values()];
}

/** @param root of folders with images: those of the classes, or a split */
function imageSet(root: string, images: readonly string[]): FoundData | undefined {
  const name = basename(root).toLowerCase();
  if ([...TEST, ...VALIDATION].includes(name)) return undefined;
  const classes = foldersIn(root);
  if (classes.length < 2) return undefined;
  const beside = TRAIN.includes(name) ? foldersIn(dirname(root)) : [];
  const isWhole = !beside.some((folder) => TEST.includes(folder.toLowerCase()));
  const sizes = images
    .filter((file) => dirname(dirname(file)) === root)
    .filter((_, i, own) => i % Math.ceil(own.length / LOOKED_AT) === 0)
    .map(sizeOf);
  const [size] = sizes;
  const isOne = size && sizes.every((other) => other?.[0] === size[0] && other[1] === size[1]);
  return {
    type: 'images',
    path: isWhole ? root : dirname(root),
    isWhole,
    ...(isOne && { size }),
    ...trainingImages(root, classes, isWhole),
    classes: classes.length,
    targets: 'labels',
  };
}

/** Images to train on, of all classes. @param isWhole true where a part of each class is for the test */
function trainingImages(root: string, classes: readonly string[], isWhole: boolean): Pick<FoundData, 'samples'> {
  try {
    const counts = classes.map((name) => imagesBelow(join(root, name)).length);
    const trained = counts.map((count) => count - (isWhole ? Math.round(TEST_FRACTION * count) : 0));
    return { samples: trained.reduce((sum, count) => sum + count, 0) };
  } catch {
    return {}; // A run tells which folder cannot be read.
  }
}

/** Names of the folders of a folder, hidden ones left out. */
function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()))
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function sizeOf(file: string): ReturnType<typeof imageSize> {
  try {
    return imageSize(readFirstBytesSync(file, IMAGE_HEAD_BYTES));
  } catch {
    return undefined; // It is gone, or is no file.
  }
}

/** An array as an experiment names it. */
interface NamedArray {
  readonly reference: string;
  readonly read: () => Promise<Pick<SeenTensor, 'shape' | 'dtype'> | undefined>;
}

/** Sets of arrays: `.npy` files of a folder, and archives with several arrays. */
async function arraySets(files: readonly string[], readTensors: ReadTensors): Promise<FoundData[]> {
  const found: FoundData[] = [];
  const single = files.filter((file) => extname(file) === '.npy');
  for (const folder of new Set(single.map((file) => dirname(file)))) {
    const own = single.filter((file) => dirname(file) === folder);
    const named = own.map((file): [string, NamedArray] => [
      basename(file, '.npy'),
      { reference: file, read: async () => (await readTensors(file)).at(0) },
    ]);
    found.push(...(await arraySet(folder, named)));
  }
  for (const file of files.filter((name) => extname(name) !== '.npy')) {
    const tensors = await readTensors(file);
    const named = tensors.map((tensor): [string, NamedArray] => [
      tensor.name,
      { reference: `${file}:${tensor.name}`, read: () => Promise.resolve(tensor) },
    ]);
    found.push(...(await arraySet(file, named)));
  }
  return found;
}

async function arraySet(path: string, named: readonly (readonly [string, NamedArray])[]): Promise<FoundData[]> {
  const splits = arraySplits(new Map(named));
  if (!splits) return [];
  const { inputs, targets } = splits.train;
  const [sample, target] = [await inputs.read(), await targets.read()];
  const names = Object.entries(splits).map(([split, arrays]) => [
    split,
    { inputs: arrays.inputs.reference, targets: arrays.targets.reference },
  ]);
  return [
    {
      type: 'arrays',
      path,
      arrays: Object.fromEntries(names) as (FoundData & { type: 'arrays' })['arrays'],
      ...(sample && { sample: sample.shape.slice(1), samples: sample.shape[0] }),
      ...(target && { targets: targetKind(target) }),
    },
  ];
}

/** Integers are labels; floats of several columns may be probabilities. */
function targetKind({ shape, dtype }: Pick<SeenTensor, 'shape' | 'dtype'>): TargetKind {
  const isColumn = shape.length === 1 || shape.slice(1).every((size) => size === 1);
  if (/int|bool/.test(dtype)) return isColumn ? 'labels' : 'one-hot';
  return isColumn ? 'numbers' : 'one-hot';
}

/**
 * Rows to train on: about as many as a file of its size has.
 * @param text the beginning of the file
 * @param isWhole true where a part of the rows is for the test
 */
function trainingRows(
  path: string,
  { text, table, isWhole }: { text: string; table: TableFacts; isWhole: boolean },
): Pick<FoundData, 'samples'> {
  const parts = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) / Buffer.byteLength(text);
  const rows = Math.round(table.rows * Math.max(1, parts));
  // The part of each class is rounded.
  const samples = isWhole ? Math.floor(rows * (1 - TEST_FRACTION) - (table.classes ?? 0) / 2) : rows;
  return samples > 0 ? { samples } : {};
}

/** Tables, those of two splits as one. None whose first line names no two columns. */
function tableSets(files: readonly string[]): FoundData[] {
  return files.flatMap((path): FoundData[] => {
    const name = basename(path).toLowerCase();
    const isPart = (words: readonly string[]) => words.some((word) => name.split(/[^a-z]+/).includes(word));
    if (isPart([...TEST, ...VALIDATION]) && files.some((other) => other !== path && dirname(other) === dirname(path)))
      return [];
    const text = beginningOf(path, TABLE_BYTES);
    const table = readTable(text);
    if (!table) return [];
    const test = isPart(TRAIN)
      ? files.find((other) => other === join(dirname(path), basename(path).replace(/train(ing)?/i, 'test')))
      : undefined;
    const { classes, inputs, task } = table;
    return [
      {
        type: 'table',
        path,
        table,
        ...(test !== undefined && { test }),
        ...(classes !== undefined && { classes }),
        ...(inputs !== undefined && { sample: [inputs] }),
        ...trainingRows(path, { text, table, isWhole: test === undefined }),
        targets: task === 'regression' ? 'numbers' : 'labels',
      },
    ];
  });
}
