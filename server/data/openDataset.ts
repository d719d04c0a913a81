/** @file The data set that an experiment names. */
import { resolve } from 'node:path';
import type { DataConfig } from '../protocol/experiment/schema.ts';
import { openArrays } from './arrays.ts';
import type { Dataset } from './dataset.ts';
import { openMnist } from './mnist.ts';
import { openModuleDataset } from './module/moduleDataset.ts';
import { openTextCorpus } from './text/textCorpus.ts';

/**
 * @param baseDirectory folder of the experiment file, which relative paths start from
 * @throws UserError when the data are missing, damaged or do not fit together
 */
export function openDataset(config: DataConfig, baseDirectory: string): Promise<Dataset> {
  switch (config.type) {
    case 'mnist':
      return openMnist(resolve(baseDirectory, config.path), config.validation);
    case 'arrays':
      return openArrays(config, baseDirectory);
    case 'module':
      return openModuleDataset(resolve(baseDirectory, config.path));
    case 'text':
      return openTextCorpus(config, baseDirectory);
  }
}
