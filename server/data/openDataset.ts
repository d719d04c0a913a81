/** @file The data set that an experiment names. */
import { resolve } from 'node:path';
import type { DataConfig } from '../protocol/experiment/schema.ts';
import { openArrays } from './arrays/arraysDataset.ts';
import type { Dataset, OpenOptions, SampleForm } from './dataset.ts';
import { openMnist } from './mnist.ts';
import { openModuleDataset } from './module/moduleDataset.ts';
import { openTextCorpus } from './text/textCorpus.ts';

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
    case 'table': {
      const { openTable } = await import('./table/tableDataset.ts');
      return openTable(config, baseDirectory, options);
    }
    case 'module':
      return openModuleDataset(resolve(baseDirectory, config.path));
    case 'text':
      return openTextCorpus(config, baseDirectory, options);
  }
}

/**
 * As {@link openDataset}, of what is needed to make a model: images, which may take long to decode, are only found.
 * @throws UserError as {@link openDataset}
 */
export async function openSampleForm(config: DataConfig, baseDirectory: string): Promise<SampleForm> {
  if (config.type !== 'images') return openDataset(config, baseDirectory);
  const { describeImages } = await import('./images/imageDataset.ts');
  return describeImages(config, baseDirectory);
}
