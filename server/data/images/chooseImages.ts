/** @file The images that an experiment trains on and measures on: divided by its `split`, of each class as many as its `limit` says. */
import { Random } from '../../formats/random.ts';
import type { DataConfig } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
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
  const take = (name: SplitName, files: readonly ImageFile[]) => {
    for (const file of files.slice(0, limit[name])) chosen[name].push(file);
  };
  for (const label of classes.keys()) {
    const files = inOrderOfSeed(splits.train, label, seed);
    const test = Math.round((split.test ?? 0) * files.length);
    const validation = test + Math.round(split.validation * files.length);
    if (validation >= files.length)
      throw new SettingError(
        ['data', 'split'],
        `of the ${files.length} images of '${classes[label]}', none is left to train on`,
        {
          remedy: 'Keep smaller fractions, or add images.',
        },
      );
    take('test', files.slice(0, test));
    take('validation', files.slice(test, validation));
    take('train', files.slice(validation));
    for (const name of ['test', 'validation'] as const) take(name, inOrderOfSeed(splits[name] ?? [], label, seed));
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

function inOrderOfSeed(files: readonly ImageFile[], label: number, seed: number): ImageFile[] {
  const own = files.filter((file) => file.label === label);
  const order = Uint32Array.from(own.keys());
  new Random(seed, label).shuffle(order);
  return Array.from(order, (index) => own[index]);
}
