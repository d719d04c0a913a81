/** @file Data sets of image files in folders, one for each class. docs/data.md is their contract. */
import { constants } from 'node:buffer';
import { createHash } from 'node:crypto';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { formatBytes } from '../../protocol/formatQuantity.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { reasonOf } from '../../protocol/systemError.ts';
import type { Dataset, OpenOptions, SampleForm, TensorSpec } from '../dataset.ts';
import { inMemoryDataset, type Table } from '../inMemoryDataset.ts';
import { chooseImages, type ChosenImages, type ImagesConfig } from './chooseImages.ts';
import { decodeImages } from './decodeImages.ts';
import { ImageCache } from './imageCache.ts';
import { readImageFolder, type ImageFile } from './imageFolder.ts';
import { readImageLabels } from './imageLabels.ts';
import { ImageReader, pixelsOf, type ImageForm } from './imageReader.ts';
import { ImageRows, standardizationOf, type Standardization } from './imageRows.ts';

/** Raised when the same files give other pixels. */
const CACHE_VERSION = 1;

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
  const { folder, classes, chosen, form } = await findImages(config, baseDirectory);
  // In an order that no division changes, so that experiments with different ones share what is decoded.
  const files = (Object.values(chosen).flat() as ImageFile[]).sort((a, b) => (a.path < b.path ? -1 : 1));
  checkMemory(files.length, form);
  const { pixels, warnings } = await pixelsOfFiles({ folder, files, form }, baseDirectory, options);

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
  const [{ path }] = chosen.train;
  const size = new ImageReader(folder).size(path);
  return { folder, classes: images.classes, chosen, form: { ...size, channels, sizeOf: path } };
}

/** @throws SettingError when all pixels together are more than memory can hold */
function checkMemory(images: number, form: ImageForm): void {
  const bytes = images * pixelsOf(form);
  const most = Math.min(constants.MAX_LENGTH, totalmem());
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
  { signal, onDecoded }: OpenOptions,
): Promise<{ pixels: Uint8Array; warnings: string[] }> {
  const cacheFolder = join(baseDirectory, '.deeptwist', 'cache', 'images');
  const cache = new ImageCache(cacheFolder);
  const states = files.map(({ path, bytes, modified }) => [path, bytes, modified]);
  const { width, height, channels, sizeOf } = form;
  const content = JSON.stringify([CACHE_VERSION, folder, width, height, channels, sizeOf === undefined, states]);
  const key = createHash('sha256').update(content).digest('hex').slice(0, 32);
  const known = await cache.read(key, files.length * pixelsOf(form));
  if (known) return { pixels: known, warnings: [] };
  const pixels = await decodeImages(folder, files, form, { signal, onDecoded });
  try {
    await cache.write(key, pixels);
    return { pixels, warnings: [] };
  } catch (error) {
    return {
      pixels,
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
