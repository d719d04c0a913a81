/**
 * @file A weight quantized to levels: a table of numbers, and for each number of the weight the code of its level. Numbers can have a scale
 * and an offset by buckets.
 */
import { elementCount } from '../../protocol/shape.ts';
import { FormatError } from '../formatError.ts';
import { BitReader, BitWriter } from './bits.ts';
import { codeLengths, huffmanBits, HuffmanReader, huffmanWriter } from './huffman.ts';
import {
  allocateDense,
  bytesOf,
  checkBytes,
  floatsOf,
  forEachElement,
  parseCount,
  parseView,
  viewText,
  type PackedForm,
  type RowView,
  type StoredWeight,
} from './packedWeight.ts';

/** A code has a byte while weights are quantized. */
export const MOST_LEVELS = 256;
/** What stands before the number of levels of the uniform grid. */
const UNIFORM = 'uniform,';

/** The levels in the order of their codes: a table, or how many there are in the uniform grid from 0 to 1. */
export type Levels = Float32Array | { readonly uniform: number };

/** Numbers by buckets of consecutive numbers, in the order of the matrix; the last bucket may be shorter. */
export interface Buckets {
  /** Numbers of a bucket. */
  readonly bucket: number;
  /** One for each bucket. */
  readonly scales: Float32Array;
  /** One for each bucket; undefined where all are 0. */
  readonly offsets?: Float32Array | undefined;
}

/** What a weight of levels is made of. */
export interface LevelsParts extends Partial<Buckets> {
  readonly levels: Levels;
  /** The code of each number, in the order of the matrix: what `levels` has at this place. */
  readonly codes: Uint8Array;
  /** The matrix whose order codes and buckets have; 1, 1, n is the order of the tensor. */
  readonly view: RowView;
}

type Coding = 'fixed' | 'huffman';

/**
 * A number is `scale * levels[code] + offset`, and for the uniform grid `scale * code / (count - 1) + offset`: computed in float64 in this
 * order, and rounded once. Products of float32 numbers are exact in float64.
 */
export class LevelsWeight implements PackedForm {
  readonly form = 'levels';
  readonly shape: readonly number[];
  readonly levels: Levels;
  readonly view: RowView;
  readonly buckets: Buckets | undefined;
  readonly #coding: Coding;
  readonly #codes: Uint8Array;

  private constructor(
    { shape, levels, view, buckets }: Pick<LevelsWeight, 'shape' | 'levels' | 'view' | 'buckets'>,
    coding: Coding,
    codes: Uint8Array,
  ) {
    this.shape = shape;
    this.levels = levels;
    this.view = view;
    this.buckets = buckets;
    this.#coding = coding;
    this.#codes = codes;
  }

  static of(shape: readonly number[], { levels, codes, view, bucket, scales, offsets }: LevelsParts): LevelsWeight {
    writing: {
      const { coding, bits, lengths } = smallestCoding(codes, countOf(levels));
      const writer = new BitWriter(bits);
      const width = codeBits(levels);
      const write = coding === 'huffman' ? huffmanWriter(writer, lengths) : (code: number) => writer.write(code, width);
      for (const code of codes) write(code);
      const buckets = bucket !== undefined && scales ? { bucket, scales, offsets } : undefined;
      return new LevelsWeight({ shape, levels, view: simplest(view), buckets }, coding, writer.bytes);
    }
  }

  /** @throws FormatError where parameters and bytes do not fit together */
  static read({ shape, parameters, bytes }: StoredWeight): LevelsWeight {
    const { count, isUniform } = parseLevels(parameters.get('levels'));
    const view = parseView(parameters.get('view') ?? `1,1,${elementCount(shape)}`, shape);
    const coding = parameters.get('coding');
    if (coding !== 'fixed' && coding !== 'huffman') throw new FormatError('its codes are neither fixed nor huffman');
    const bucket = parameters.has('bucket')
      ? parseCount(parameters.get('bucket'), 'the size of a bucket', 1)
      : undefined;
    const sets = bucket === undefined ? 0 : Math.ceil(elementCount(shape) / bucket);
    const hasOffsets = parameters.get('offsets') !== 'none';
    const [table, scales, offsets, codes] = split(bytes, [isUniform ? 0 : count, sets, hasOffsets ? sets : 0]);
    const levels = isUniform ? { uniform: count } : floatsOf(table);
    const buckets =
      bucket === undefined
        ? undefined
        : { bucket, scales: floatsOf(scales), offsets: hasOffsets ? floatsOf(offsets) : undefined };
    const weight = new LevelsWeight({ shape, levels, view, buckets }, coding, codes);
    weight.#check();
    return weight;
  }

  get parameters(): Readonly<Record<string, string>> {
    const { levels, buckets, view } = this;
    return {
      levels: levels instanceof Float32Array ? String(levels.length) : `uniform,${levels.uniform}`,
      ...(view.rows > 1 && { view: viewText(view) }),
      ...(buckets && { bucket: String(buckets.bucket), ...(!buckets.offsets && { offsets: 'none' }) }),
      coding: this.#coding,
    };
  }

  get sections(): readonly Uint8Array[] {
    const { levels, buckets } = this;
    const floats = [levels instanceof Float32Array ? levels : undefined, buckets?.scales, buckets?.offsets];
    return [...floats.flatMap((section) => (section ? [bytesOf(section)] : [])), this.#codes];
  }

  /** Calls `visit` with the code of each number and where that stands in the tensor, in the order of the matrix, which `place` counts. */
  forEachCode(visit: (code: number, position: number, place: number) => void): void {
    const { next } = this.#openCodes();
    forEachElement(this.view, (position, _, place) => visit(next(), position, place));
  }

  rebuild(): Float32Array {
    const { levels, buckets } = this;
    const dense = allocateDense(this.shape);
    if (!buckets) {
      const table = levelTable(levels);
      this.forEachCode((code, position) => (dense[position] = table[code]));
      return dense;
    }
    const { bucket, scales, offsets } = buckets;
    this.forEachCode((code, position, place) => {
      const at = Math.floor(place / bucket);
      dense[position] = levelValue(levels, code, scales[at], offsets?.[at]);
    });
    return dense;
  }

  /** A reader of the codes, before the first; `isSingle` where they are all the same and have no bits. */
  #openCodes(): { next: () => number; isSingle: boolean; reader: BitReader } {
    const reader = new BitReader(this.#codes);
    const width = codeBits(this.levels);
    if (this.#coding === 'fixed') return { next: () => reader.read(width), isSingle: false, reader };
    const huffman = new HuffmanReader(reader, countOf(this.levels));
    return { next: () => huffman.next(), isSingle: huffman.single !== undefined, reader };
  }

  /** @throws FormatError where the bytes are too few or too many, or a code has no level */
  #check(): void {
    const numbers = elementCount(this.shape);
    const count = countOf(this.levels);
    const { next, isSingle, reader } = this.#openCodes();
    if (this.#coding === 'fixed') {
      const bits = codeBits(this.levels);
      checkBytes(this.#codes, Math.ceil((bits * numbers) / 8));
      if (count === 2 ** bits) return;
    }
    for (let i = 0; i < numbers && !isSingle; i++)
      if (next() >= count) throw new FormatError(`it has codes beyond its ${count} levels`);
    if (reader.bytesRead !== this.#codes.length) throw new FormatError('it has more bytes than its codes need');
  }
}

/** The number of a code in a bucket, before it is rounded to float32; see {@link LevelsWeight}. */
export function levelValue(levels: Levels, code: number, scale: number, offset = 0): number {
  return levels instanceof Float32Array
    ? scale * levels[code] + offset
    : (scale * code) / (levels.uniform - 1) + offset;
}

/** The number of each code, where there are no buckets. */
export function levelTable(levels: Levels): Float32Array {
  if (levels instanceof Float32Array) return levels;
  return Float32Array.from({ length: levels.uniform }, (_, code) => levelValue(levels, code, 1));
}

/** Bits of a code, where all have as many. */
export function codeBits(levels: Levels): number {
  return Math.ceil(Math.log2(countOf(levels)));
}

/** Bits that the sections of a weight take in a file, told without writing them. */
export function levelsBits({ levels, codes, scales, offsets }: Omit<LevelsParts, 'view'>): number {
  const floats = (levels instanceof Float32Array ? levels.length : 0) + (scales?.length ?? 0) + (offsets?.length ?? 0);
  return 32 * floats + 8 * Math.ceil(smallestCoding(codes, countOf(levels)).bits / 8);
}

function countOf(levels: Levels): number {
  return levels instanceof Float32Array ? levels.length : levels.uniform;
}

/** The coding that takes fewer bits, with the lengths of its Huffman code. */
function smallestCoding(codes: Uint8Array, count: number): { coding: Coding; bits: number; lengths: Uint8Array } {
  const counts = new Uint32Array(count);
  for (const code of codes) counts[code]++;
  const lengths = codeLengths(counts);
  const huffman = huffmanBits(lengths, counts);
  const fixed = codes.length * Math.ceil(Math.log2(count));
  return huffman < fixed ? { coding: 'huffman', bits: huffman, lengths } : { coding: 'fixed', bits: fixed, lengths };
}

/** The view that has the same order in fewer words: an order that is the tensor's own needs none. */
function simplest({ outer, rows, inner }: RowView): RowView {
  return outer > 1 && rows > 1 ? { outer, rows, inner } : { outer: 1, rows: 1, inner: outer * rows * inner };
}

/** @throws FormatError for what is neither a number of levels nor a uniform grid */
function parseLevels(text: string | undefined): { count: number; isUniform: boolean } {
  const isUniform = text?.startsWith(UNIFORM) === true;
  const count = parseCount(isUniform ? text?.slice(UNIFORM.length) : text, 'how many levels it has');
  if (count < 2 || count > MOST_LEVELS)
    throw new FormatError(`it has ${count} levels; 2 to ${MOST_LEVELS} are possible`);
  return { count, isUniform };
}

/** Sections of so many float32 numbers each, and what is behind them. @throws FormatError where there are fewer bytes */
function split(bytes: Uint8Array, numbers: readonly number[]): Uint8Array[] {
  const sections: Uint8Array[] = [];
  let at = 0;
  for (const length of numbers) {
    const end = at + length * Float32Array.BYTES_PER_ELEMENT;
    if (end > bytes.length) throw new FormatError(`it needs at least ${end} bytes but has ${bytes.length}`);
    sections.push(bytes.subarray(at, end));
    at = end;
  }
  return [...sections, bytes.subarray(at)];
}
