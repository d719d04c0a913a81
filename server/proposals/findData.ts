/** @file The data sets of a workspace. Files are looked at, nothing is executed. */
import { readdirSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { TargetKind } from '../protocol/experiment/firstLoss.ts';
import type { Tensor } from '../protocol/model/tensor.ts';
import type { FoundData, FoundFiles } from '../protocol/wire/proposals.ts';
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
const MNIST = { sample: [28, 28, 1], classes: 10, targets: 'labels' } as const;
/** Names of folders with the splits of a set of images. */
const TRAIN = ['train', 'training'];
const TEST = ['test', 'testing'];
const VALIDATION = ['validation', 'valid', 'val'];

/** The data sets among some files, modules left out. */
export async function findData(
  { digits, images, arrays, tables, texts }: Omit<FoundFiles, 'sources' | 'models'>,
  readTensors: ReadTensors,
): Promise<FoundData[]> {
  const folders = (files: readonly string[]) => [...new Set(files.map((file) => dirname(file)))];
  return [
    ...folders(digits).map((path): FoundData => ({ type: 'mnist', path, ...MNIST })),
    ...imageSets(images),
    ...(await arraySets(arrays, readTensors)),
    ...tableSets(tables),
    ...folders(texts).map((path): FoundData => ({ type: 'text', path, targets: 'labels' })),
  ];
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
    classes: classes.length,
    targets: 'labels',
  };
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

/** Tables, those of two splits as one. None whose first line names no two columns. */
function tableSets(files: readonly string[]): FoundData[] {
  return files.flatMap((path): FoundData[] => {
    const name = basename(path).toLowerCase();
    const isPart = (words: readonly string[]) => words.some((word) => name.split(/[^a-z]+/).includes(word));
    if (isPart([...TEST, ...VALIDATION]) && files.some((other) => other !== path && dirname(other) === dirname(path)))
      return [];
    const table = readTable(beginningOf(path, TABLE_BYTES));
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
        targets: task === 'regression' ? 'numbers' : 'labels',
      },
    ];
  });
}
