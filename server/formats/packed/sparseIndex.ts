/**
 * @file The places of the non-zero numbers of a weight: a bitmask, or the gaps between them. docs/format.md describes the bytes.
 * A gap is the number of zeros before a non-zero number, since the one before it or since the start.
 */
import { FormatError } from '../formatError.ts';
import { BitReader, BitWriter } from './bits.ts';
import { codeLengths, huffmanBits, HuffmanReader, huffmanWriter, isSingle } from './huffman.ts';

/**
 * How positions are stored.
 * - `bitmask`: a bit for each number of the weight.
 * - `gaps`: codes of `bits` bits; the largest code, `2^bits - 1`, stands for that many zeros with no number behind them.
 * - `rice`: Golomb-Rice codes (Rice 1971): `floor(gap / 2^bits)` ones and a zero, then the lowest `bits` bits of the gap.
 * - `huffman`: the same quotient in symbols from 0 to `escape` with Huffman codes, then the lowest bits. The symbol `escape` stands for that
 *   much and more symbols to come.
 */
export type SparseIndex = { readonly kind: 'bitmask' } | GapIndex;
type GapIndex =
  | { readonly kind: 'gaps' | 'rice'; readonly bits: number }
  | { readonly kind: 'huffman'; readonly bits: number; readonly escape: number };

/** Widths of a gap's code that are tried: at 2 the bitmask is nearly always smaller already, at 16 gaps cost half a weight. */
export const GAP_BITS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] as const;
/** Rice parameters that are tried. */
export const RICE_BITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] as const;
/** Largest symbols of a Huffman code that are tried: more symbols fit the gaps better, and their lengths take more bits. */
export const HUFFMAN_ESCAPES = [7, 15, 31, 63, 127, 255] as const;
/** Lowest bits of a gap that are tried with a Huffman code: as many as in the smallest Rice code, and down to so many fewer. */
const FEWER_BITS = 3;
/** More than any writer needs, and few enough for a number of 32 bits. */
const MOST_BITS = 24;
const MOST_SYMBOLS = 255;

/** The smallest index of the non-zero values, its bits, and their number. Among equal ones the first of {@link SparseIndex}. */
export function smallestIndex(values: ArrayLike<number>): { index: SparseIndex; bits: number; nonZeros: number } {
  const gaps = countGaps(values);
  const nonZeros = gaps.reduce((sum, [, count]) => sum + count, 0);
  const bitsOf = (codes: (gap: number) => number) => gaps.reduce((sum, [gap, count]) => sum + count * codes(gap), 0);
  let smallest: { index: SparseIndex; bits: number } = { index: { kind: 'bitmask' }, bits: values.length };
  const consider = (index: SparseIndex, bits: number) => {
    if (bits < smallest.bits) smallest = { index, bits };
  };
  for (const bits of GAP_BITS) {
    const largest = 2 ** bits - 1;
    consider({ kind: 'gaps', bits }, bits * bitsOf((gap) => 1 + Math.floor(gap / largest)));
  }
  let rice = { bits: 0, total: Infinity };
  for (const bits of RICE_BITS) {
    const total = bitsOf((gap) => 1 + bits + Math.floor(gap / 2 ** bits));
    consider({ kind: 'rice', bits }, total);
    if (total < rice.total) rice = { bits, total };
  }
  for (let bits = Math.max(0, rice.bits - FEWER_BITS); bits <= rice.bits; bits++)
    for (const escape of HUFFMAN_ESCAPES) {
      const { lengths, counts } = huffmanCode(gaps, bits, escape);
      // A code of a single symbol has no bits, and a file could promise any number of them.
      if (!isSingle(lengths))
        consider({ kind: 'huffman', bits, escape }, bits * nonZeros + huffmanBits(lengths, counts));
    }
  return { ...smallest, nonZeros };
}

/** How often gaps of each length occur: few lengths stand for millions of gaps. */
type GapCounts = readonly (readonly [gap: number, count: number])[];

/** Gaps below this are counted in an array: most of them, unless nearly all numbers are zero. */
const SHORT_GAPS = 1024;

function countGaps(values: ArrayLike<number>): GapCounts {
  const short = new Uint32Array(SHORT_GAPS);
  const long = new Map<number, number>();
  forEachGap(values, (gap) => {
    if (gap < SHORT_GAPS) short[gap]++;
    else long.set(gap, (long.get(gap) ?? 0) + 1);
  });
  return [...Array.from(short, (count, length) => [length, count] as const).filter(([, n]) => n > 0), ...long];
}

/** The Huffman code of the symbols of gaps, and how often each symbol occurs. */
function huffmanCode(gaps: GapCounts, bits: number, escape: number): { lengths: Uint8Array; counts: Float64Array } {
  const counts = new Float64Array(escape + 1);
  for (const [gap, count] of gaps) {
    const quotient = Math.floor(gap / 2 ** bits);
    const escapes = Math.floor(quotient / escape);
    counts[escape] += count * escapes;
    counts[quotient - escapes * escape] += count;
  }
  return { lengths: codeLengths(counts), counts };
}

/** @param bits those that the index takes, as {@link smallestIndex} found */
export function writeIndex(values: ArrayLike<number>, index: SparseIndex, bits: number): Uint8Array {
  const writer = new BitWriter(bits);
  switch (index.kind) {
    case 'bitmask':
      for (let i = 0; i < values.length; i++) writer.write(values[i] === 0 ? 0 : 1, 1);
      break;
    case 'gaps': {
      const largest = 2 ** index.bits - 1;
      forEachGap(values, (gap) => {
        for (; gap >= largest; gap -= largest) writer.write(largest, index.bits);
        writer.write(gap, index.bits);
      });
      break;
    }
    case 'rice':
      forEachGap(values, (gap) => {
        const quotient = Math.floor(gap / 2 ** index.bits);
        writer.writeUnary(quotient);
        writer.write(gap - quotient * 2 ** index.bits, index.bits);
      });
      break;
    case 'huffman': {
      const write = huffmanWriter(writer, huffmanCode(countGaps(values), index.bits, index.escape).lengths);
      forEachGap(values, (gap) => {
        let quotient = Math.floor(gap / 2 ** index.bits);
        const low = gap - quotient * 2 ** index.bits;
        for (; quotient >= index.escape; quotient -= index.escape) write(index.escape);
        write(quotient);
        writer.write(low, index.bits);
      });
    }
  }
  return writer.bytes;
}

/**
 * Calls `visit` with the position of each non-zero number, ascending.
 * @param count how many there are
 * @param length numbers of the weight, zeros included; nothing of that size is allocated
 * @throws FormatError where a position is beyond the length, or the bytes are too few or too many
 */
export function readIndex(
  bytes: Uint8Array,
  index: SparseIndex,
  { count, length }: { count: number; length: number },
  visit: (position: number, ordinal: number) => void,
): void {
  const reader = new BitReader(bytes);
  const next = gapReader(reader, index);
  let position = -1;
  for (let i = 0; i < count; i++) {
    position += 1 + next();
    if (position >= length) throw new FormatError(`its index goes beyond its ${length} numbers`);
    visit(position, i);
  }
  if (index.kind === 'bitmask')
    for (let rest = length - 1 - position; rest > 0; rest--) if (reader.read(1) === 1) throw tooMany();
  if (reader.bytesRead !== bytes.length) throw tooMany();
}

/** @returns a function that reads the next gap */
function gapReader(reader: BitReader, index: SparseIndex): () => number {
  switch (index.kind) {
    case 'bitmask':
      return () => {
        let zeros = 0;
        while (reader.read(1) === 0) zeros++;
        return zeros;
      };
    case 'gaps': {
      const largest = 2 ** index.bits - 1;
      return () => {
        let zeros = 0;
        for (;;) {
          const code = reader.read(index.bits);
          zeros += code;
          if (code < largest) return zeros;
        }
      };
    }
    case 'rice':
      return () => reader.readUnary() * 2 ** index.bits + reader.read(index.bits);
    case 'huffman': {
      const { bits, escape } = index;
      const huffman = new HuffmanReader(reader, escape + 1);
      if (huffman.single !== undefined) throw new FormatError('its index has a single code, which takes no bits');
      return () => {
        let quotient = 0;
        let symbol: number;
        do quotient += symbol = huffman.next();
        while (symbol === escape);
        return quotient * 2 ** bits + reader.read(bits);
      };
    }
  }
}

/** The text of an index in the parameters of a weight: its kind and, of codes, their numbers. */
export function indexText(index: SparseIndex): string {
  if (index.kind === 'bitmask') return index.kind;
  return [index.kind, index.bits, ...(index.kind === 'huffman' ? [index.escape] : [])].join();
}

/** The inverse of {@link indexText}. @throws FormatError for an index that is not known */
export function parseIndex(text: string | undefined): SparseIndex {
  if (text === 'bitmask') return { kind: text };
  const [, kind, width, symbols] = /^(gaps|rice|huffman),(\d{1,2})(?:,(\d{1,3}))?$/.exec(text ?? '') ?? [];
  if (kind === undefined || (kind === 'huffman') !== (symbols !== undefined))
    throw new FormatError('its index is none of bitmask, gaps, rice and huffman');
  const [bits, escape] = [Number(width), Number(symbols)];
  const least = kind === 'gaps' ? 1 : 0;
  if (bits < least || bits > MOST_BITS)
    throw new FormatError(`the codes of its index have ${bits} bits; ${least} to ${MOST_BITS} are possible`);
  if (kind !== 'huffman') return { kind: kind as 'gaps' | 'rice', bits };
  if (escape < 1 || escape > MOST_SYMBOLS)
    throw new FormatError(`the codes of its index have symbols up to ${escape}; 1 to ${MOST_SYMBOLS} are possible`);
  return { kind, bits, escape };
}

function forEachGap(values: ArrayLike<number>, visit: (gap: number) => void): void {
  let zeros = 0;
  // By index: an observed distortion does this to every weight, and an iterator takes four times as long.
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) zeros++;
    else {
      visit(zeros);
      zeros = 0;
    }
  }
}

function tooMany(): FormatError {
  return new FormatError('its index has more than its numbers need');
}
