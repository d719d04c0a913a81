/** @file An image file as pixels in the form that a data set has. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../../formats/formatError.ts';
import { imageSize, ofNoKind } from '../../formats/images/imageSize.ts';
import { JpegDecoder } from '../../formats/images/jpeg.ts';
import { isJpeg } from '../../formats/images/jpegHeader.ts';
import { decodePng, isPng } from '../../formats/images/png.ts';
import { withChannels, type Raster, type RasterSize } from '../../formats/images/raster.ts';
import { resized } from '../../formats/images/resize.ts';
import { notUsable } from '../../modules/readUserFile.ts';
import { reasonOf } from '../../protocol/systemError.ts';
import { UserError } from '../../protocol/userError.ts';

/** What all images of a data set become. */
export interface ImageForm extends RasterSize {
  readonly channels: Raster['channels'];
  /** The image whose size all must have; undefined where each is resized. */
  readonly sizeOf?: string;
}

export function pixelsOf({ width, height, channels }: ImageForm): number {
  return width * height * channels;
}

const REMEDY = 'Replace the image, or remove it.';

/** Reads one image after the other. */
export class ImageReader {
  readonly #folder: string;
  #jpeg: JpegDecoder | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws UserError that names the file */
  size(path: string): RasterSize {
    const bytes = this.#bytesOf(path);
    try {
      return imageSize(bytes);
    } catch (error) {
      throw this.#named(path, error, bytes);
    }
  }

  /**
   * Writes the pixels of an image, row by row, channels interleaved.
   * @throws UserError that names the file
   */
  async read(path: string, form: ImageForm, to: Uint8Array): Promise<void> {
    const bytes = this.#bytesOf(path);
    try {
      const image = await this.#decode(bytes);
      checkSizeOf(image, form);
      to.set(resized(withChannels(image, form.channels), form).data);
    } catch (error) {
      throw this.#named(path, error, bytes);
    }
  }

  #decode(bytes: Uint8Array): Raster | Promise<Raster> {
    if (isPng(bytes)) return decodePng(bytes);
    if (isJpeg(bytes)) return (this.#jpeg ??= new JpegDecoder()).decode(bytes);
    throw ofNoKind();
  }

  #bytesOf(path: string): Uint8Array {
    const file = join(this.#folder, path);
    try {
      return readFileSync(file);
    } catch (error) {
      throw new UserError(`${file} cannot be read: ${reasonOf(error)}.`, { remedy: REMEDY, cause: error });
    }
  }

  #named(path: string, error: unknown, bytes: Uint8Array): unknown {
    return error instanceof FormatError ? notUsable(join(this.#folder, path), error, bytes, REMEDY) : error;
  }
}

function checkSizeOf({ width, height }: RasterSize, form: ImageForm): void {
  if (form.sizeOf === undefined || (width === form.width && height === form.height)) return;
  throw new FormatError(`it has ${width} x ${height} pixels, and ${form.sizeOf} has ${form.width} x ${form.height}`, {
    remedy: 'Give all images one size, or set data.size to [HEIGHT, WIDTH], to which they are resized.',
  });
}
