/** @file Data sets of image files in folders, one for each class. docs/data.md is their contract. */
import { constants } from 'node:buffer';
import { join, resolve } from 'node:path';
import { memoryOfMachine } from '../../memory/machineMemory.ts';
import { formatBytes } from '../../protocol/formatQuantity.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import type { RasterSize } from '../../formats/images/raster.ts';
import { reasonOf } from '../../protocol/systemError.ts';
import { UserError } from '../../protocol/userError.ts';
import type { Dataset, OpenOptions, SampleForm, TensorSpec } from '../dataset.ts';
import { inMemoryDataset, type Table } from '../inMemoryDataset.ts';
import { chooseImages, type ChosenImages, type ImagesConfig } from './chooseImages.ts';
import { decodedImages, decodeImages, type DecodedImages } from './decodeImages.ts';
import { decodeInto } from './decodeInto.ts';
import { ImageCache } from './imageCache.ts';
import { readImageFolder, type ImageFile } from './imageFolder.ts';
import { readImageLabels } from './imageLabels.ts';
import { ImageReader, pixelsOf, type ImageForm } from './imageReader.ts';
import { ImageRows, standardizationOf, type Standardization } from './imageRows.ts';

/** Raised when the same files give other pixels. */
const CACHE_VERSION = 2;
/** Broken images that a warning names. */
const NAMED = 5;

/** Images that are found and chosen, and the form that they will have. */
interface FoundImages {
  /** Absolute. */
  readonly folder: string;
  readonly classes: readonly string[];
  readonly chosen: ChosenImages;
  readonly form: ImageForm;
}

/**
 * Opens them with their pixels in memory, a byte a number; batches are made of these.
 * @throws SettingError or UserError when images are missing, damaged or do not fit together
 */
export async function openImages(
  config: ImagesConfig,
  baseDirectory: string,
  options: OpenOptions = {},
): Promise<Dataset> {
  const { folder, classes, chosen: found, form } = await findImages(config, baseDirectory);
  // In an order that no division changes, so that experiments with different ones share what is decoded.
  const files = (Object.values(found).flat() as ImageFile[]).sort((a, b) => (a.path < b.path ? -1 : 1));
  checkMemory(files.length, form);
  const mostBroken = Math.floor(config.skipBroken * files.length);
  const { pixels, broken, warnings } = await pixelsOfFiles({ folder, files, form }, baseDirectory, {
    ...options,
    mostBroken,
  });
  const left = files.filter((_, index) => broken[index] === 1);
  const chosen = left.length === 0 ? found : withoutBroken(found, new Set(left), classes);
  if (left.length > 0) warnings.push(await brokenWarning(folder, left, files.length, form));

  const rows = new Map(files.map((file, row) => [file, row]));
  const rowsOf = (split: readonly ImageFile[]) => Uint32Array.from(split, (file) => rows.get(file)!);
  const standardization = standardizationFor(config, form, () => standardizationOf(pixels, form, rowsOf(chosen.train)));
  const augmentation = { padding: config.crop?.padding ?? 0, flip: config.flip };
  const tableOf = (split: readonly ImageFile[]): Table => {
    const images = new ImageRows(pixels, form, rowsOf(split), standardization, augmentation);
    return {
      samples: split.length,
      inputs: [
        { ...specOf(form), copyRow: (sample, to, at, random) => images.copy(sample, to as Float32Array, at, random) },
      ],
      targets: [{ shape: [], dtype: 'int32', data: Int32Array.from(split, ({ label }) => label) }],
    };
  };
  const { train, test, validation } = chosen;
  const dataset = inMemoryDataset(
    { train: tableOf(train), test: tableOf(test), ...(validation && { validation: tableOf(validation) }) },
    `Images of ${classes.length} classes`,
  );
  const { height, width } = form;
  return { ...dataset, classes, images: { height, width, color: config.color, ...standardization }, warnings };
}

/**
 * What a model is made for, without the pixels: one image is opened.
 * @throws as {@link openImages}
 */
export async function describeImages(config: ImagesConfig, baseDirectory: string): Promise<SampleForm> {
  const { classes, chosen, form } = await findImages(config, baseDirectory);
  return {
    inputs: [specOf(form)],
    classes,
    train: { samples: chosen.train.length },
    close: () => undefined,
  };
}

const specOf = ({ height, width, channels }: ImageForm): TensorSpec => ({
  shape: [height, width, channels],
  dtype: 'float32',
});

async function findImages(config: ImagesConfig, baseDirectory: string): Promise<FoundImages> {
  const folder = resolve(baseDirectory, config.path);
  const images =
    config.labels === undefined
      ? await readImageFolder(folder, config.split.test === undefined)
      : await readImageLabels(folder, config.labels, config.labelColumns, baseDirectory);
  const chosen = chooseImages(images, config);
  const channels = config.color === 'gray' ? 1 : 3;
  if (config.size !== undefined) {
    const [height, width] = config.size;
    return { folder, classes: images.classes, chosen, form: { height, width, channels } };
  }
  const { path, size } = firstSize(folder, chosen.train, config.skipBroken);
  return { folder, classes: images.classes, chosen, form: { ...size, channels, sizeOf: path } };
}

/** The size of the first image that has one. @throws UserError when more are broken than may be */
function firstSize(
  folder: string,
  files: readonly ImageFile[],
  skipBroken: number,
): { path: string; size: RasterSize } {
  const reader = new ImageReader(folder);
  const tried = files.slice(0, 1 + Math.floor(skipBroken * files.length));
  for (const { path } of tried.slice(0, -1)) {
    try {
      return { path, size: reader.size(path) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  const { path } = tried[tried.length - 1];
  return { path, size: reader.size(path) };
}

/** @throws SettingError when a class or a split is left without an image */
function withoutBroken(chosen: ChosenImages, broken: ReadonlySet<ImageFile>, classes: readonly string[]): ChosenImages {
  const isWhole = (file: ImageFile) => !broken.has(file);
  const { train, test, validation } = chosen;
  const whole = {
    train: train.filter(isWhole),
    test: test.filter(isWhole),
    ...(validation && { validation: validation.filter(isWhole) }),
  };
  const trained = new Set(whole.train.map(({ label }) => label));
  const lost = classes.find((_, label) => !trained.has(label));
  const empty = Object.entries(whole).find(([, files]) => files.length === 0)?.[0];
  if (lost !== undefined || empty !== undefined)
    throw new SettingError(
      ['data', 'skipBroken'],
      `without the broken images, ${lost === undefined ? `the ${empty} split` : `the class '${lost}'`} has none`,
      { remedy: 'Replace the broken images.' },
    );
  return whole;
}

/** The reasons are not kept with the pixels: such images are decoded once more. */
async function brokenWarning(
  folder: string,
  broken: readonly ImageFile[],
  images: number,
  form: ImageForm,
): Promise<string> {
  const reader = new ImageReader(folder);
  const paths = broken.slice(0, NAMED).map(({ path }) => path);
  const pixels = new Uint8Array(paths.length * pixelsOf(form));
  const failures = await decodeInto(reader, form, { first: 0, paths }, pixels);
  const reasons = failures.map(({ message }) => message);
  const more = broken.length > NAMED ? ` And ${broken.length - NAMED} more.` : '';
  return `${broken.length} of ${images} images cannot be used and are left out (data.skipBroken): ${reasons.join(' ')}${more}`;
}

/** @throws SettingError when all pixels together are more than memory can hold */
function checkMemory(images: number, form: ImageForm): void {
  const bytes = images * pixelsOf(form);
  const most = Math.min(constants.MAX_LENGTH, memoryOfMachine());
  if (bytes <= most) return;
  const each = `${images} images of ${form.height} x ${form.width} x ${form.channels}`;
  throw new SettingError(
    ['data', 'path'],
    `${each} take ${formatBytes(bytes)} of memory, and ${formatBytes(most)} are possible`,
    {
      remedy:
        'Set data.size to a smaller size or data.limit to fewer images, or read them in a data module of your own.',
    },
  );
}

async function pixelsOfFiles(
  { folder, files, form }: { folder: string; files: readonly ImageFile[]; form: ImageForm },
  baseDirectory: string,
  { signal, onDecoded, mostBroken }: OpenOptions & { readonly mostBroken: number },
): Promise<DecodedImages & { warnings: string[] }> {
  const cacheFolder = join(baseDirectory, '.deeptwist', 'cache', 'images');
  const cache = new ImageCache(cacheFolder);
  const states = files.map(({ path, bytes, modified }) => [path, bytes, modified]);
  const { width, height, channels, sizeOf } = form;
  const file = cache.path([CACHE_VERSION, folder, width, height, channels, sizeOf === undefined, states]);
  const known = await cache.read(file, files.length * (pixelsOf(form) + 1));
  const kept = known && decodedImages(known, files.length);
  if (kept && kept.broken.reduce((sum, one) => sum + one, 0) <= mostBroken) return { ...kept, warnings: [] };
  const decoded = await decodeImages(folder, files, form, { signal, onDecoded, mostBroken });
  try {
    await cache.write(file, decoded.all);
    return { ...decoded, warnings: [] };
  } catch (error) {
    return {
      ...decoded,
      warnings: [
        `The decoded images cannot be kept in ${cacheFolder}, so that each run decodes them: ${reasonOf(error)}.`,
      ],
    };
  }
}

function standardizationFor(
  { standardize }: ImagesConfig,
  { channels }: ImageForm,
  ofTraining: () => Standardization,
): Standardization {
  const each = (value: number) => new Array<number>(channels).fill(value);
  if (standardize === undefined) return { mean: each(0), deviation: each(1) };
  if (standardize === 'training') return ofTraining();
  return standardize === 'symmetric' ? { mean: each(0.5), deviation: each(0.5) } : standardize;
}
