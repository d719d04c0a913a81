/**
 * @file Canonical Huffman codes: symbols that occur often have short codes (Huffman 1952), and the lengths of the codes say all of them, as
 * in DEFLATE (RFC 1951, 3.2.2). docs/format.md describes the bits.
 */
import { FormatError } from '../formatError.ts';
import type { BitReader, BitWriter } from './bits.ts';

/** Bits of a length in a file. */
const LENGTH_BITS = 4;
/** The longest code that a length can tell: enough for far more symbols than the 256 that there are. */
export const LONGEST_CODE = 2 ** LENGTH_BITS - 1;

/**
 * The length of each symbol's code, with which all of them take the fewest bits; 0 for a symbol that does not occur. A symbol that is alone
 * has the length 1, but its code is never written. Where a code would be too long, counts are halved until none is, as bzip2 does: the
 * bits are then a few more than the fewest.
 * @param counts how often each symbol occurs
 */
export function codeLengths(counts: ArrayLike<number>): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  const used = Array.from(lengths.keys()).filter((symbol) => counts[symbol] > 0);
  used.sort((a, b) => counts[a] - counts[b]);
  if (used.length === 1) return lengths.fill(1, used[0], used[0] + 1);
  let weights = used.map((symbol) => counts[symbol]);
  let depths = leafDepths(weights);
  while (depths.some((depth) => depth > LONGEST_CODE)) {
    weights = weights.map((weight) => Math.ceil(weight / 2));
    depths = leafDepths(weights);
  }
  used.forEach((symbol, i) => (lengths[symbol] = depths[i]));
  return lengths;
}

/**
 * The depth of each leaf in the tree that joins the two lightest nodes until one is left. Leaves are taken in their order, and so are inner
 * nodes, which come about in ascending order (van Leeuwen 1976).
 * @param weights of the leaves, ascending
 */
function leafDepths(weights: readonly number[]): number[] {
  const nodes = [...weights];
  const parents: number[] = [];
  let leaf = 0;
  let inner = weights.length;
  const lightest = () => (leaf < weights.length && !(nodes[inner] < nodes[leaf]) ? leaf++ : inner++);
  while (nodes.length < 2 * weights.length - 1) {
    const [first, second] = [lightest(), lightest()];
    parents[first] = parents[second] = nodes.length;
    nodes.push(nodes[first] + nodes[second]);
  }
  const depths = nodes.map(() => 0);
  for (let node = nodes.length - 2; node >= 0; node--) depths[node] = depths[parents[node]] + 1;
  return depths.slice(0, weights.length);
}

/** Bits of the lengths and of all codes. @param counts for which the lengths were made */
export function huffmanBits(lengths: Uint8Array, counts: ArrayLike<number>): number {
  let bits = LENGTH_BITS * lengths.length;
  if (!isSingle(lengths)) lengths.forEach((length, symbol) => (bits += length * counts[symbol]));
  return bits;
}

/** Writes the lengths. @returns a function that writes the code of a symbol, its first bit first */
export function huffmanWriter(writer: BitWriter, lengths: Uint8Array): (symbol: number) => void {
  for (const length of lengths) writer.write(length, LENGTH_BITS);
  if (isSingle(lengths)) return () => undefined;
  const reversed = new Uint16Array(lengths.length);
  let code = 0;
  let last = 0;
  for (const symbol of inOrder(lengths)) {
    code *= 2 ** (lengths[symbol] - last);
    last = lengths[symbol];
    for (let bit = 0; bit < last; bit++) reversed[symbol] |= ((code >>> bit) & 1) << (last - 1 - bit);
    code++;
  }
  return (symbol) => writer.write(reversed[symbol], lengths[symbol]);
}

/** Reads what a {@link huffmanWriter} wrote. */
export class HuffmanReader {
  /** The symbol that stands at all places, without bits; undefined where there are several. */
  readonly single: number | undefined;
  readonly #reader: BitReader;
  /** The symbols, those of short codes first. */
  readonly #symbols: readonly number[];
  /** Number of codes of each length. */
  readonly #counts = new Uint16Array(LONGEST_CODE + 1);

  /** Reads the lengths of so many symbols. @throws FormatError where they make no code */
  constructor(reader: BitReader, symbols: number) {
    const lengths = Uint8Array.from({ length: symbols }, () => reader.read(LENGTH_BITS));
    this.#reader = reader;
    this.#symbols = inOrder(lengths);
    for (const symbol of this.#symbols) this.#counts[lengths[symbol]]++;
    // Each code takes a part of all sequences of bits; together they take each sequence once (Kraft 1949).
    const taken = lengths.reduce((sum, length) => sum + (length && 2 ** (LONGEST_CODE - length)), 0);
    if (isSingle(lengths)) this.single = this.#symbols[0];
    else if (taken !== 2 ** LONGEST_CODE) throw new FormatError('the lengths of its codes make no Huffman code');
  }

  /** The next symbol. */
  next(): number {
    if (this.single !== undefined) return this.single;
    let code = 0;
    let firstCode = 0;
    let first = 0;
    for (let length = 1; ; length++) {
      code = 2 * code + this.#reader.read(1);
      const count = this.#counts[length];
      if (code - firstCode < count) return this.#symbols[first + code - firstCode];
      first += count;
      firstCode = 2 * (firstCode + count);
    }
  }
}

/** True where one symbol alone has a code. */
export function isSingle(lengths: Uint8Array): boolean {
  return lengths.reduce((sum, length) => sum + length, 0) === 1;
}

/** The symbols that have a code, in the order of their codes. */
function inOrder(lengths: Uint8Array): number[] {
  const used = Array.from(lengths.keys()).filter((symbol) => lengths[symbol] > 0);
  return used.sort((a, b) => lengths[a] - lengths[b]);
}
