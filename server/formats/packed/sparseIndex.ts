/**
 * @file Where the non-zero numbers of a weight stand: a bitmask, or the gaps between them. docs/format.md describes the bytes.
 * A gap is the number of zeros before a non-zero number, since the one before it or since the start.
 */
import { FormatError } from '../formatError.ts';
import { BitReader, BitWriter } from './bits.ts';

/**
 * How positions are stored.
 * - `bitmask`: a bit for each number of the weight.
 * - `gaps`: codes of `bits` bits; the largest code, `2^bits - 1`, stands for that many zeros with no number behind them.
 * - `rice`: Golomb-Rice codes (Rice 1971): `floor(gap / 2^bits)` ones and a zero, then the lowest `bits` bits of the gap.
 */
export type SparseIndex = { readonly kind: 'bitmask' } | { readonly kind: 'gaps' | 'rice'; readonly bits: number };

/** Widths of a gap's code that are tried: at 2 the bitmask is nearly always smaller already, at 16 gaps cost half a weight. */
export const GAP_BITS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] as const;
/** Rice parameters that are tried. */
export const RICE_BITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] as const;
/** More than any writer needs, and few enough for a number of 32 bits. */
const MOST_BITS = 24;

/** The smallest index of the non-zero values, its bits, and their number. Among equal ones the first of {@link SparseIndex}. */
export function smallestIndex(values: Float32Array): { index: SparseIndex; bits: number; nonZeros: number } {
  const gapCodes = new Float64Array(GAP_BITS.length);
  const quotients = new Float64Array(RICE_BITS.length);
  let nonZeros = 0;
  for (const [gap, count] of countGaps(values)) {
    nonZeros += count;
    for (let i = 0; i < GAP_BITS.length; i++) gapCodes[i] += count * (1 + Math.floor(gap / (2 ** GAP_BITS[i] - 1)));
    for (let i = 0; i < RICE_BITS.length; i++) quotients[i] += count * Math.floor(gap / 2 ** RICE_BITS[i]);
  }
  let smallest: { index: SparseIndex; bits: number } = { index: { kind: 'bitmask' }, bits: values.length };
  const consider = (kind: 'gaps' | 'rice', bits: number, total: number) => {
    if (total < smallest.bits) smallest = { index: { kind, bits }, bits: total };
  };
  GAP_BITS.forEach((bits, i) => consider('gaps', bits, bits * gapCodes[i]));
  RICE_BITS.forEach((bits, i) => consider('rice', bits, quotients[i] + (1 + bits) * nonZeros));
  return { ...smallest, nonZeros };
}

/** Gaps below this are counted in an array: most of them, unless nearly all numbers are zero. */
const SHORT_GAPS = 1024;

/** How often each length of a gap occurs: few lengths stand for millions of gaps. */
function countGaps(values: Float32Array): [gap: number, count: number][] {
  const short = new Uint32Array(SHORT_GAPS);
  const long = new Map<number, number>();
  forEachGap(values, (gap) => {
    if (gap < SHORT_GAPS) short[gap]++;
    else long.set(gap, (long.get(gap) ?? 0) + 1);
  });
  return [...Array.from(short, (count, length): [number, number] => [length, count]).filter(([, n]) => n > 0), ...long];
}

/** @param bits those that the index takes, as {@link smallestIndex} found */
export function writeIndex(values: Float32Array, index: SparseIndex, bits: number): Uint8Array {
  const writer = new BitWriter(bits);
  switch (index.kind) {
    case 'bitmask':
      for (const value of values) writer.write(value === 0 ? 0 : 1, 1);
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
  }
}

/** The text of an index in the parameters of a weight: its kind and, of codes, their width. */
export function indexText(index: SparseIndex): string {
  return index.kind === 'bitmask' ? index.kind : `${index.kind},${index.bits}`;
}

/** The inverse of {@link indexText}. @throws FormatError for an index that is not known */
export function parseIndex(text: string | undefined): SparseIndex {
  if (text === 'bitmask') return { kind: text };
  const { kind, bits } = /^(?<kind>gaps|rice),(?<bits>\d{1,2})$/.exec(text ?? '')?.groups ?? {};
  if (kind !== 'gaps' && kind !== 'rice') throw new FormatError('its index is none of bitmask, gaps and rice');
  const least = kind === 'gaps' ? 1 : 0;
  if (Number(bits) < least || Number(bits) > MOST_BITS)
    throw new FormatError(`the codes of its index have ${bits} bits; ${least} to ${MOST_BITS} are possible`);
  return { kind, bits: Number(bits) };
}

function forEachGap(values: Float32Array, visit: (gap: number) => void): void {
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
