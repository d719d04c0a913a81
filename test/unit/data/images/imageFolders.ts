/** @file Folders of images for tests. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Batch } from '../../../../server/data/dataset.ts';
import { openDataset } from '../../../../server/data/openDataset.ts';
import type { DataConfig } from '../../../../server/protocol/experiment/schema.ts';
import { data as dataSchema } from '../../../../server/protocol/experiment/schema/data.ts';
import { pngOf } from '../../formats/images/pngFile.ts';

export type ImagesConfig = Extract<DataConfig, { type: 'images' }>;

/** A gray image of 3 x 2 pixels, all of one value, that tells which one it is. */
export const flat = (value: number) => pngOf(3, 2, () => value);

/** Images by class, each of its own value: 10 times the class and the number of the image in it. */
export function classes(names: readonly string[], count: number, first = 0): Record<string, Buffer> {
  return Object.fromEntries(
    names.flatMap((name, label) =>
      Array.from({ length: count }, (_, i) => [`${name}/${i}.png`, flat(first + 10 * label + i)]),
    ),
  );
}

/** The files in a folder of that name. */
export function inFolder(folder: string, files: Record<string, Buffer>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]));
}

/** Two classes of four images to train on, values 0 to 3 and 10 to 13, and two to test on, 100, 101 and 110, 111. */
export const pets = {
  ...inFolder('train', classes(['cat', 'dog'], 4)),
  ...inFolder('test', classes(['cat', 'dog'], 2, 100)),
};

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'deeptwist-images-'));
}

export function writeFiles(folder: string, files: Record<string, Uint8Array | string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** With the defaults of the schema. */
export function imagesConfig(settings: Record<string, unknown> = {}): ImagesConfig {
  return dataSchema.parse({ type: 'images', path: 'data', color: 'gray', ...settings }) as ImagesConfig;
}

export function openImages(folder: string, settings: Record<string, unknown> = {}, options = {}) {
  return openDataset(imagesConfig(settings), folder, options);
}

/** [value, label] of images of one value each, in the order of the batches; values are 0 to 255 again. */
export function flatSamples(batches: Iterable<Batch>): [number, number][] {
  return Array.from(batches).flatMap(({ size, inputs, targets }) =>
    Array.from({ length: size }, (_, row): [number, number] => [
      Math.round(inputs[0][(row * inputs[0].length) / size] * 255),
      targets[0][row],
    ]),
  );
}
