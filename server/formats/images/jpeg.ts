/**
 * @file JPEG, decoded by libjpeg as WebAssembly (mozjpeg's, in the package @jsquash/jpeg): the same pixels as Pillow's, and so those
 * of torchvision and Keras, to the bit. docs/data.md says what else was compared. Sizes are read, and bounded, before it is
 * given the file.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import createMozjpeg from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import { FormatError } from '../formatError.ts';
import { checkSize, tooFewBytes, type Raster, type RasterSize } from './raster.ts';

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

const START_OF_IMAGE = 0xd8;
const START_OF_SCAN = 0xda;
/** Frames of every kind but 0xc4, 0xc8 and 0xcc, which are none. */
const isFrame = (marker: number) => marker === 0xc0 || (marker > 0xc0 && marker <= 0xcf && marker % 4 !== 0);

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === START_OF_IMAGE && bytes[2] === 0xff;
}

/** @throws FormatError for a header that is none */
export function jpegSize(bytes: Uint8Array): RasterSize {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== 0xff) throw new FormatError(`it is damaged: there is no marker at byte ${at}`);
    const marker = bytes[at + 1];
    // Any number of fill bytes may stand before a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === START_OF_SCAN) break;
    if (isFrame(marker)) {
      const size = { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
      checkSize(size);
      return size;
    }
    at += 2 + view.getUint16(at + 2);
  }
  throw new FormatError('it is cut off: its header tells of no size');
}

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
