/** @file The data set that an experiment names. */
import { resolve } from 'node:path';
import type { DataConfig } from '../protocol/experiment/schema.ts';
import { openArrays } from './arrays.ts';
import type { Dataset, Split } from './dataset.ts';
import { openMnist } from './mnist.ts';
import { openModuleDataset } from './module/moduleDataset.ts';
import { openTextCorpus } from './text/textCorpus.ts';

export interface OpenOptions {
  /** When it aborts, what takes long ends at once. */
  readonly signal?: AbortSignal | undefined;
  /** Told of what takes long. */
  readonly onProgress?: ((progress: OpenProgress) => void) | undefined;
}

/** How far the opening of a data set is. */
export interface OpenProgress {
  readonly what: 'images';
  readonly done: number;
  readonly total: number;
}

/**
 * @param baseDirectory folder of the experiment file, which relative paths start from
 * @throws UserError when the data are missing, damaged or do not fit together
 */
export async function openDataset(
  config: DataConfig,
  baseDirectory: string,
  options: OpenOptions = {},
): Promise<Dataset> {
  switch (config.type) {
    case 'mnist':
      return openMnist(resolve(baseDirectory, config.path), config.validation);
    case 'arrays':
      return openArrays(config, baseDirectory);
    case 'images': {
      const { openImages } = await import('./images/imageDataset.ts');
      return openImages(config, baseDirectory, options);
    }
    case 'module':
      return openModuleDataset(resolve(baseDirectory, config.path));
    case 'text':
      return openTextCorpus(config, baseDirectory);
  }
}
