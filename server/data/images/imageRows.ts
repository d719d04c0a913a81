/** @file From the pixels of images to rows of batches: standardized, and in training moved and mirrored at random. */
import type { Random } from '../../formats/random.ts';
import type { ImageForm } from './imageReader.ts';

/** Values of a byte. */
const LEVELS = 256;

export interface Standardization {
  /** Mean of each channel, of values 0 to 1. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Changes of training images. */
export interface Augmentation {
  /** Black pixels around an image, of which a part of its own size is cut. */
  readonly padding: number;
  /** Mirrors every second image, on average. */
  readonly flip: boolean;
}

/** Mean and deviation of each channel over some images, of values 0 to 1; a channel that never changes has the deviation 1. */
export function standardizationOf(
  pixels: Uint8Array,
  { width, height, channels }: ImageForm,
  rows: Uint32Array,
): Standardization {
  const counts = Array.from({ length: channels }, () => new Float64Array(LEVELS));
  const length = width * height * channels;
  for (const row of rows) for (let i = 0; i < length; i++) counts[i % channels][pixels[row * length + i]]++;
  const total = rows.length * width * height;
  const sumOf = (channel: Float64Array, term: (level: number) => number) =>
    channel.reduce((sum, count, level) => sum + count * term(level / (LEVELS - 1)), 0) / total;
  const mean = counts.map((channel) => {
    const level = channel.findIndex((count) => count > 0);
    // A sum is rounded: that of a channel that never changes would leave it a deviation of 1e-16.
    return channel[level] === total ? level / (LEVELS - 1) : sumOf(channel, (value) => value);
  });
  const deviation = counts.map((channel, i) => Math.sqrt(sumOf(channel, (value) => (value - mean[i]) ** 2)) || 1);
  return { mean, deviation };
}

/** The images of a split. */
export class ImageRows {
  readonly #pixels: Uint8Array;
  readonly #form: ImageForm;
  readonly #rows: Uint32Array;
  readonly #values: readonly Float32Array[];
  readonly #augmentation: Augmentation;

  /**
   * @param pixels of all images, one after the other
   * @param rows by sample, the index of its image
   * @param augmentation that training asks for
   */
  constructor(
    pixels: Uint8Array,
    form: ImageForm,
    rows: Uint32Array,
    { mean, deviation }: Standardization,
    augmentation: Augmentation,
  ) {
    this.#pixels = pixels;
    this.#form = form;
    this.#rows = rows;
    this.#values = mean.map((center, channel) =>
      Float32Array.from({ length: LEVELS }, (_, level) => (level / (LEVELS - 1) - center) / deviation[channel]),
    );
    this.#augmentation = augmentation;
  }

  /**
   * Writes an image to its place in a batch.
   * @param random in training: the source of its changes, of which every image takes as many numbers
   */
  copy(sample: number, to: Float32Array, at: number, random: Random | undefined): void {
    const { padding, flip } = this.#augmentation;
    if (random === undefined || (padding === 0 && !flip)) return this.#copyRows(sample, to, at, 0, 0, false);
    const down = padding === 0 ? 0 : random.below(2 * padding + 1) - padding;
    const right = padding === 0 ? 0 : random.below(2 * padding + 1) - padding;
    this.#copyRows(sample, to, at, down, right, flip && random.below(2) === 1);
  }

  /** What is cut out begins so many pixels below and to the right of the image's corner; outside of the image it is black. */
  #copyRows(sample: number, to: Float32Array, at: number, down: number, right: number, mirrored: boolean): void {
    const { width, height, channels } = this.#form;
    const pixels = this.#pixels;
    const image = this.#rows[sample] * width * height * channels;
    // Columns of the result whose pixel is in the image; before it is mirrored.
    const begin = Math.min(width, Math.max(0, -right));
    const end = Math.max(begin, Math.min(width, width - right));
    for (let channel = 0; channel < channels; channel++) {
      const values = this.#values[channel];
      const step = mirrored ? -channels : channels;
      for (let y = 0; y < height; y++) {
        const row = y + down;
        const [first, last] = row >= 0 && row < height ? [begin, end] : [width, width];
        let target = at + (y * width + (mirrored ? width - 1 : 0)) * channels + channel;
        for (let x = 0; x < first; x++, target += step) to[target] = values[0];
        let source = image + (row * width + first + right) * channels + channel;
        for (let x = first; x < last; x++, target += step, source += channels) to[target] = values[pixels[source]];
        for (let x = last; x < width; x++, target += step) to[target] = values[0];
      }
    }
  }
}
