/** @file Decodes some images of a data set to their places among all. */
import { UserError } from '../../protocol/userError.ts';
import { pixelsOf, type ImageForm, type ImageReader } from './imageReader.ts';

/** Images that follow one another. */
export interface Portion {
  /** Index of the first one among all images. */
  readonly first: number;
  /** From the folder of the data set. */
  readonly paths: readonly string[];
}

/** Why an image cannot be used; it goes between threads. */
export interface Failure {
  readonly index: number;
  readonly message: string;
  readonly remedy: string | undefined;
}

/**
 * @param pixels of all images, one after the other
 * @returns the images that cannot be used, whose pixels stay as they are
 */
export async function decodeInto(
  reader: ImageReader,
  form: ImageForm,
  { first, paths }: Portion,
  pixels: Uint8Array,
): Promise<Failure[]> {
  const length = pixelsOf(form);
  const failures: Failure[] = [];
  for (const [i, path] of paths.entries()) {
    const index = first + i;
    try {
      await reader.read(path, form, pixels.subarray(index * length, (index + 1) * length));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push({ index, message: error.message, remedy: error.remedy });
    }
  }
  return failures;
}
