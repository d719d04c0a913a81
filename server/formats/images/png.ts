/**
 * @file PNG (W3C Recommendation, third edition, 2025): every colour type and depth, interlaced or not, as gray or RGB of 8 bits
 * a channel. Transparency is dropped, colour profiles and gamma are not applied, as by torchvision and Keras; of 16 bits the
 * upper 8 are taken. Node.js decompresses, bounded by what the header tells of.
 */
import { crc32, inflateSync } from 'node:zlib';
import { FormatError } from '../formatError.ts';
import { checkSize, tooFewBytes, type Raster, type RasterSize } from './raster.ts';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const HEADER_BYTES = 13;
/** Length, type and checksum of a chunk. */
const CHUNK_BYTES = 12;
/** No deflated byte makes more: a bit of a length code and one of a distance code copy 258 bytes. */
const MOST_INFLATED = 1032;

/** Numbers in a pixel, and the depths that they may have, by colour type. */
const colourTypes: Readonly<Record<number, { samples: number; depths: readonly number[] } | undefined>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};
const PALETTE = 3;

/** First pixel and distance between pixels of the seven passes of an interlaced image (Adam7): x, y, dx, dy. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const WHOLE = [[0, 0, 1, 1]] as const;

interface Header extends RasterSize {
  readonly depth: number;
  readonly colourType: number;
  /** Numbers in a pixel. */
  readonly samples: number;
  readonly interlaced: boolean;
}

export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/** @throws FormatError for a header that is none */
export function pngSize(bytes: Uint8Array): RasterSize {
  for (const { type, data } of chunksOf(bytes)) if (type === 'IHDR') return readHeader(data);
  throw new FormatError('it has no header (IHDR)');
}

/** @throws FormatError for a damaged image */
export function decodePng(bytes: Uint8Array): Raster {
  let header: Header | undefined;
  let palette: Uint8Array | undefined;
  const compressed: Uint8Array[] = [];
  let hasEnd = false;
  for (const { type, data } of chunksOf(bytes)) {
    if (type === 'IHDR') header ??= readHeader(data);
    else if (header === undefined) throw new FormatError('it does not begin with a header (IHDR)');
    else if (type === 'PLTE') palette = data;
    else if (type === 'IDAT') compressed.push(data);
    else hasEnd = type === 'IEND';
    if (hasEnd) break;
  }
  if (header === undefined) throw new FormatError('it has no header (IHDR)');
  if (!hasEnd) throw new FormatError('it is cut off: its end (IEND) is missing');
  const rows = inflateRows(compressed, header);
  const samples = new Uint8Array(header.width * header.height * header.samples);
  let at = 0;
  for (const pass of header.interlaced ? PASSES : WHOLE) at = readPass(rows, at, pass, header, samples);
  return { width: header.width, height: header.height, ...toChannels(samples, header, palette) };
}

/**
 * The chunks that say what the image is, in the order of the file; of the others nothing is needed.
 * @throws FormatError for a chunk that is cut off, is damaged, or must be understood and is not
 */
function* chunksOf(bytes: Uint8Array): Generator<{ type: string; data: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE.length; at + CHUNK_BYTES <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw new FormatError(`it is cut off in the chunk at byte ${at}`);
    // An upper-case letter: nothing can be told without it.
    const isCritical = (bytes[at + 4] & 0x20) === 0;
    if (isCritical) {
      if (!['IHDR', 'PLTE', 'IDAT', 'IEND'].includes(type))
        throw new FormatError(`its chunk at byte ${at} is of no known type`);
      if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end))
        throw new FormatError(`it is damaged: the checksum of its chunk ${type} at byte ${at} is wrong`);
      yield { type, data: bytes.subarray(at + 8, end) };
    }
    at = end + 4;
  }
}

function readHeader(data: Uint8Array): Header {
  if (data.length !== HEADER_BYTES) throw new FormatError(`its header has ${data.length} bytes, not ${HEADER_BYTES}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const size = { width: view.getUint32(0), height: view.getUint32(4) };
  const [depth, colourType, compression, filter, interlace] = data.subarray(8);
  checkSize(size);
  const { samples, depths } = colourTypes[colourType] ?? { samples: 0, depths: [] };
  if (!depths.includes(depth)) throw new FormatError(`its header tells of colour type ${colourType} of ${depth} bits`);
  if (compression !== 0 || filter !== 0 || interlace > 1)
    throw new FormatError(
      `its header tells of a compression, filter and interlacing (${[...data.subarray(10)].join(', ')}) of no kind`,
    );
  return { ...size, depth, colourType, samples, interlaced: interlace === 1 };
}

/** Pixels of a pass in a row or a column of so many. */
const pixelsOf = (size: number, first: number, distance: number) => Math.max(0, Math.ceil((size - first) / distance));

const bytesOfRow = (pixels: number, { samples, depth }: Header) => Math.ceil((pixels * samples * depth) / 8);

/** All rows of all passes, each behind the byte that names its filter. */
function inflateRows(compressed: readonly Uint8Array[], header: Header): Uint8Array {
  let expected = 0;
  for (const [x, y, dx, dy] of header.interlaced ? PASSES : WHOLE) {
    const columns = pixelsOf(header.width, x, dx);
    if (columns > 0) expected += pixelsOf(header.height, y, dy) * (1 + bytesOfRow(columns, header));
  }
  const length = compressed.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (expected > MOST_INFLATED * length) throw tooFewBytes(header, length);
  let rows: Uint8Array;
  try {
    rows = inflateSync(compressed.length === 1 ? compressed[0] : Buffer.concat(compressed), {
      maxOutputLength: expected + 1,
    });
  } catch (error) {
    const isTooMuch = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new FormatError(
      isTooMuch
        ? 'it holds more pixels than its header tells of'
        : `its compression is damaged (${(error as Error).message})`,
    );
  }
  if (rows.length !== expected)
    throw new FormatError(`it holds ${rows.length} of the ${expected} bytes that its header tells of`);
  return rows;
}

/** Takes the filters off the rows of a pass and puts their numbers, 0 to 255, where they belong. @returns where the next pass begins */
function readPass(
  rows: Uint8Array,
  begin: number,
  [x, y, dx, dy]: (typeof PASSES)[number] | (typeof WHOLE)[number],
  header: Header,
  samples: Uint8Array,
): number {
  const columns = pixelsOf(header.width, x, dx);
  if (columns === 0) return begin;
  const bytes = bytesOfRow(columns, header);
  const step = Math.max(1, (header.samples * header.depth) / 8);
  let at = begin;
  let above: Uint8Array = new Uint8Array(bytes);
  for (let row = y; row < header.height; row += dy) {
    const line = rows.subarray(at + 1, at + 1 + bytes);
    removeFilter(rows[at], line, above, step);
    for (let column = 0; column < columns; column++) {
      const to = (row * header.width + x + column * dx) * header.samples;
      for (let sample = 0; sample < header.samples; sample++)
        samples[to + sample] = numberAt(line, column * header.samples + sample, header);
    }
    above = line;
    at += 1 + bytes;
  }
  return at;
}

/** The inverse of a filter (section 9), in place. @param step bytes from a pixel to its left neighbour */
function removeFilter(filter: number, line: Uint8Array, above: Uint8Array, step: number): void {
  if (filter === 0) return;
  if (filter > 4) throw new FormatError(`a row has the filter ${filter}, which is none`);
  for (let i = 0; i < line.length; i++) {
    const left = i < step ? 0 : line[i - step];
    const up = above[i];
    if (filter === 1) line[i] += left;
    else if (filter === 2) line[i] += up;
    else if (filter === 3) line[i] += (left + up) >> 1;
    else line[i] += paeth(left, up, i < step ? 0 : above[i - step]);
  }
}

/** The neighbour that is nearest to left + up - upper left. */
function paeth(left: number, up: number, upperLeft: number): number {
  const [toLeft, toUp] = [Math.abs(up - upperLeft), Math.abs(left - upperLeft)];
  const toUpperLeft = Math.abs(left + up - 2 * upperLeft);
  if (toLeft <= toUp && toLeft <= toUpperLeft) return left;
  return toUp <= toUpperLeft ? up : upperLeft;
}

/** A number of a row: of a palette its index, else the intensity, 0 to 255. */
function numberAt(line: Uint8Array, index: number, { depth, colourType }: Header): number {
  if (depth === 8) return line[index];
  if (depth === 16) return line[2 * index];
  const bit = index * depth;
  const most = (1 << depth) - 1;
  const value = (line[bit >> 3] >> (8 - depth - (bit & 7))) & most;
  return colourType === PALETTE ? value : (value * 255) / most;
}

function toChannels(
  samples: Uint8Array,
  { samples: count, colourType }: Header,
  palette: Uint8Array | undefined,
): Pick<Raster, 'channels' | 'data'> {
  if (colourType === PALETTE) return { channels: 3, data: coloursOf(samples, palette) };
  const channels = count < 3 ? 1 : 3;
  if (channels === count) return { channels, data: samples };
  const data = new Uint8Array((samples.length / count) * channels);
  for (let from = 0, to = 0; from < samples.length; from += count, to += channels)
    for (let channel = 0; channel < channels; channel++) data[to + channel] = samples[from + channel];
  return { channels, data };
}

function coloursOf(indices: Uint8Array, palette: Uint8Array | undefined): Uint8Array {
  if (palette === undefined) throw new FormatError('its palette (PLTE) is missing');
  const colours = Math.floor(palette.length / 3);
  const data = new Uint8Array(3 * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (index >= colours) throw new FormatError(`a pixel has colour ${index} of a palette of ${colours}`);
    data.set(palette.subarray(3 * index, 3 * index + 3), 3 * i);
  }
  return data;
}
