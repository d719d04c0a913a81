/** @file HDF5 files: all that they say of their datasets, and all elements. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceOf } from '../../../../server/formats/byteSource.ts';
import { FormatError } from '../../../../server/formats/formatError.ts';
import { Hdf5File } from '../../../../server/formats/hdf5.ts';
import { notUsable, readUserFile } from '../../../../server/modules/readUserFile.ts';
import { bytes } from '../mutations.ts';
import type { Subject } from '../subject.ts';

const subject = (name: string, left: readonly string[]): Subject => ({
  name: `hdf5 ${name}`,
  cases: 300,
  files: async () => ({ 'x.h5': await readFile(new URL(`../../formats/fixtures/hdf5/${name}.h5`, import.meta.url)) }),
  mutations: { 'x.h5': bytes },
  async read(folder) {
    const path = join(folder, 'x.h5');
    try {
      const file = await Hdf5File.open(sourceOf(await readUserFile(path, (content) => content, '')));
      try {
        file.attributes('');
        for (const dataset of file.datasets) {
          file.attributes(dataset.path);
          if (left.includes(dataset.path)) continue;
          if (dataset.type === 'string') file.texts(dataset);
          else if (dataset.type !== undefined) for (const part of file.parts(dataset)) part.at(-1);
        }
      } finally {
        file.close();
      }
    } catch (error) {
      throw error instanceof FormatError ? notUsable(path, error, undefined, '') : error;
    }
  },
});

/** What is stored outside, and by a filter that is not there, cannot be read. */
export const hdf5 = [subject('layouts', ['lzf', 'outside']), subject('latest', []), subject('all-types', [])];
