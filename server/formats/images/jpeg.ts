/**
 * @file JPEG, decoded by libjpeg as WebAssembly (mozjpeg's, in the package @jsquash/jpeg): the same pixels as Pillow's, and so those
 * of torchvision and Keras, to the bit. docs/data.md says what else was compared. Sizes are read, and bounded, before it is
 * given the file.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import createMozjpeg from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import { FormatError } from '../formatError.ts';
import { jpegSize } from './jpegHeader.ts';
import { tooFewBytes, type Raster } from './raster.ts';

/** The part of the package's WebAssembly module that is used. */
interface Mozjpeg {
  decode(bytes: Uint8Array, preserveOrientation: boolean): { data: Uint8ClampedArray; width: number; height: number };
}
const create = createMozjpeg as unknown as (options: {
  instantiateWasm(
    imports: Record<string, Record<string, unknown>>,
    done: (instance: WebAssembly.Instance) => void,
  ): Record<string, unknown>;
  printErr(message: string): void;
}) => Promise<Mozjpeg>;

/** Pixels that a byte can hold at most: each block of 8 x 8 takes a bit, and a component may have a sixteenth of the blocks. */
const PIXELS_OF_BYTE = 8 * 64 * 16;

/** What libjpeg warns of and decodes right all the same. */
const HARMLESS = /extraneous bytes before marker|unknown JFIF revision|Unknown Adobe color transform/;

/** Decodes one image after the other. */
export class JpegDecoder {
  readonly #module = new WebAssembly.Module(
    readFileSync(createRequire(import.meta.url).resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')),
  );
  readonly #messages: string[] = [];
  #mozjpeg: Mozjpeg | undefined;

  /** As RGB, gray images too. @throws FormatError for a damaged image, and for one that libjpeg does not know */
  async decode(bytes: Uint8Array): Promise<Raster> {
    const size = jpegSize(bytes);
    if (size.width * size.height > PIXELS_OF_BYTE * bytes.length) throw tooFewBytes(size, bytes.length);
    const mozjpeg = (this.#mozjpeg ??= await this.#instantiate());
    this.#messages.length = 0;
    const { data, width, height } = this.#run(mozjpeg, bytes);
    const wrong = this.#messages.find((message) => !HARMLESS.test(message));
    if (wrong !== undefined) throw unreadable(wrong);
    return { width, height, channels: 3, data: withoutAlpha(data) };
  }

  #run(mozjpeg: Mozjpeg, bytes: Uint8Array): ReturnType<Mozjpeg['decode']> {
    try {
      return mozjpeg.decode(bytes, false);
    } catch (error) {
      // It ends its process at an error: the instance, which has taken memory for the image, is of no more use.
      this.#mozjpeg = undefined;
      throw unreadable(this.#messages.at(-1) ?? String(error));
    }
  }

  #instantiate(): Promise<Mozjpeg> {
    return create({
      instantiateWasm: (imports, done) => {
        const instance = new WebAssembly.Instance(this.#module, imports);
        done(instance);
        return instance.exports;
      },
      printErr: (message) => this.#messages.push(message),
    });
  }
}

/** @param message of libjpeg */
function unreadable(message: string): FormatError {
  if (message === 'Unsupported color conversion request')
    return new FormatError('it is in CMYK, not in RGB', { remedy: 'Convert it to RGB, or leave it out.' });
  return new FormatError(`it is damaged (${message})`);
}

function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}
