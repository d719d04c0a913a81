/** @file The images that an experiment trains on and measures on: divided by its `split`, of each class as many as its `limit` says. */
import type { DataConfig } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { divide, inOrderOfSeed } from '../divide.ts';
import type { ImageFile, ImageFolder } from './imageFolder.ts';

export type ImagesConfig = Extract<DataConfig, { type: 'images' }>;

export interface ChosenImages {
  readonly train: readonly ImageFile[];
  readonly test: readonly ImageFile[];
  readonly validation?: readonly ImageFile[];
}

type SplitName = keyof ChosenImages;

/**
 * The images of a class, in an order that depends on `seed` alone: first those of the test, then those of the validation, then the rest, of
 * each part the first `limit` ones. What one experiment measures on is thus never trained on by another with the same `split`
 * and `seed`, whatever its `limit`.
 * @throws SettingError when a split is left without images
 */
export function chooseImages(
  { classes, splits }: ImageFolder,
  { split, limit = {}, seed }: Pick<ImagesConfig, 'split' | 'limit' | 'seed'>,
): ChosenImages {
  if (split.validation > 0 && splits.validation !== undefined)
    throw new SettingError(['data', 'split', 'validation'], 'there are validation images in a folder of their own', {
      remedy: 'Leave it out.',
    });
  const chosen: Record<SplitName, ImageFile[]> = { train: [], validation: [], test: [] };
  const take = (name: SplitName, files: readonly ImageFile[], indices: Uint32Array) => {
    for (const index of indices.subarray(0, limit[name])) chosen[name].push(files[index]);
  };
  for (const label of classes.keys()) {
    const files = ofClass(splits.train, label);
    const { test, validation, train } = divide(files.length, split, seed, label);
    if (train.length === 0)
      throw new SettingError(
        ['data', 'split'],
        `of the ${files.length} images of '${classes[label]}', none is left to train on`,
        {
          remedy: 'Keep smaller fractions, or add images.',
        },
      );
    take('test', files, test);
    take('validation', files, validation);
    take('train', files, train);
    for (const name of ['test', 'validation'] as const) {
      const own = ofClass(splits[name] ?? [], label);
      take(name, own, inOrderOfSeed(own.length, seed, label));
    }
  }
  for (const name of ['test', 'validation'] as const)
    if (chosen[name].length === 0 && (split[name] ?? 0) > 0)
      throw new SettingError(['data', 'split', name], `a fraction of ${split[name]} leaves it without an image`, {
        remedy: 'Keep a larger fraction, or add images.',
      });
  for (const files of Object.values(chosen)) files.sort((a, b) => a.label - b.label || (a.path < b.path ? -1 : 1));
  const { train, test, validation } = chosen;
  return { train, test, ...(validation.length > 0 && { validation }) };
}

function ofClass(files: readonly ImageFile[], label: number): ImageFile[] {
  return files.filter((file) => file.label === label);
}
