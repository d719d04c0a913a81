import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../../server/formats/formatError.ts';
import { codeLengths } from '../../../../server/formats/packed/huffman.ts';
import {
  HUFFMAN_ESCAPES,
  indexText,
  parseIndex,
  readIndex,
  smallestIndex,
  writeIndex,
  type SparseIndex,
} from '../../../../server/formats/packed/sparseIndex.ts';

/** The bits of an index as a text, the first bit first, by the rules of docs/format.md. */
function bitsOf(values: Float32Array, index: SparseIndex): string | undefined {
  if (index.kind === 'huffman') return huffmanBitsOf(values, index);
  if (index.kind === 'bitmask') return Array.from(values, (value) => (value === 0 ? '0' : '1')).join('');
  const number = (value: number) =>
    [...value.toString(2).padStart(index.bits, '0')].reverse().join('').slice(0, index.bits);
  const largest = 2 ** index.bits - 1;
  let text = '';
  let zeros = 0;
  for (const value of values) {
    if (value === 0) {
      zeros++;
      continue;
    }
    if (index.kind === 'gaps') for (; zeros >= largest; zeros -= largest) text += number(largest);
    else for (; zeros > largest; zeros -= largest + 1) text += '1';
    text += index.kind === 'gaps' ? number(zeros) : `0${number(zeros)}`;
    zeros = 0;
  }
  return text;
}

/**
 * The same of a Huffman index: the lengths of its codes, then for each gap the codes of its quotient and its lowest bits. Undefined where
 * all codes are the same: such an index is not written.
 */
function huffmanBitsOf(values: Float32Array, { bits, escape }: { bits: number; escape: number }): string | undefined {
  const lowestFirst = (value: number, width: number) =>
    Array.from({ length: width }, (_, i) => (value >> i) & 1).join('');
  const gaps: { symbols: number[]; low: number }[] = [];
  let zeros = 0;
  for (const value of values) {
    if (value === 0) {
      zeros++;
      continue;
    }
    const quotient = zeros >> bits;
    const symbols = [...Array<number>(Math.floor(quotient / escape)).fill(escape), quotient % escape];
    gaps.push({ symbols, low: zeros % 2 ** bits });
    zeros = 0;
  }
  const counts = new Array<number>(escape + 1).fill(0);
  for (const symbol of gaps.flatMap(({ symbols }) => symbols)) counts[symbol]++;
  if (counts.filter((count) => count > 0).length < 2) return undefined;
  const lengths = codeLengths(counts);
  // RFC 1951, 3.2.2: codes of a length follow one another, and the first is twice what follows the last shorter one.
  const codes = new Map<number, string>();
  for (let code = 0, length = 1; length <= 15; length++, code *= 2)
    lengths.forEach((each, symbol) => {
      if (each === length) codes.set(symbol, (code++).toString(2).padStart(length, '0'));
    });
  const table = Array.from(lengths, (length) => lowestFirst(length, 4)).join('');
  const written = gaps.map(
    ({ symbols, low }) => symbols.map((symbol) => codes.get(symbol)).join('') + lowestFirst(low, bits),
  );
  return table + written.join('');
}

const indices: SparseIndex[] = [
  { kind: 'bitmask' },
  ...Array.from({ length: 15 }, (_, i) => ({ kind: 'gaps' as const, bits: i + 2 })),
  ...Array.from({ length: 16 }, (_, bits) => ({ kind: 'rice' as const, bits })),
];

/** Huffman codes with the numbers of lowest bits that are tried when a Rice code has so many. */
const huffmanIndices = (bits: number): SparseIndex[] =>
  [bits - 3, bits - 2, bits - 1, bits]
    .filter((low) => low >= 0)
    .flatMap((low) => HUFFMAN_ESCAPES.map((escape) => ({ kind: 'huffman' as const, bits: low, escape })));

const scattered = fc
  .array(fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.constant(1)), { maxLength: 400 })
  .map((array) => Float32Array.from(array));

/** Rows of numbers with long gaps between them, as a pruned weight has them whose inputs are not alike. */
const clustered = fc
  .array(fc.oneof({ weight: 9, arbitrary: fc.nat(2) }, fc.integer({ min: 60, max: 63 }), fc.constant(300)), {
    maxLength: 100,
  })
  .map((gaps) => Float32Array.from(gaps.flatMap((gap) => [...new Array<number>(gap).fill(0), 1])));

const sparse = fc.oneof(scattered, clustered);

test('the smallest index is the smallest of a bitmask and codes of every width', () => {
  fc.assert(
    fc.property(sparse, (values) => {
      const { index, bits, nonZeros } = smallestIndex(values);
      const sizeOf = (tried: SparseIndex) => bitsOf(values, tried)?.length ?? Infinity;
      const rice = indices.filter(({ kind }) => kind === 'rice').map(sizeOf);
      const sizes = [...indices, ...huffmanIndices(rice.indexOf(Math.min(...rice)))].map(sizeOf);
      expect(bits).toBe(Math.min(...sizes));
      expect(bitsOf(values, index)).toHaveLength(bits);
      expect(nonZeros).toBe(values.filter((value) => value !== 0).length);
    }),
    { numRuns: 30 },
  );
});

test('every kind of index is written bit by bit as described, and read back', () => {
  fc.assert(
    fc.property(sparse, fc.constantFrom(...indices, ...huffmanIndices(3)), (values, index) => {
      const text = bitsOf(values, index);
      fc.pre(text !== undefined);
      const bytes = writeIndex(values, index, text.length);
      const written = Array.from(bytes, (byte) => [...byte.toString(2).padStart(8, '0')].reverse().join('')).join('');
      expect(written.slice(0, text.length)).toBe(text);
      const expected = [...values.keys()].filter((i) => values[i] !== 0);
      const positions: number[] = [];
      readIndex(bytes, index, { count: expected.length, length: values.length }, (at) => positions.push(at));
      expect(positions).toEqual(expected);
      expect(parseIndex(indexText(index))).toEqual(index);
    }),
  );
});

test('rows of numbers with long gaps between them have the smallest index with a Huffman code', () => {
  const row = [1, 1, 1, ...new Array<number>(48).fill(0), 1];
  const values = Float32Array.from(Array.from({ length: 100 }, () => row).flat());
  // The gaps 0 (300 times) and 48 are two symbols with a bit each; 64 symbols have a length.
  const { index, bits, nonZeros } = smallestIndex(values);
  expect({ index, nonZeros }).toEqual({ index: { kind: 'huffman', bits: 0, escape: 63 }, nonZeros: 400 });
  expect(bits).toBe(4 * 64 + 400);
});

describe('an index that is wrong is refused', () => {
  const read = (bytes: number[], index: SparseIndex, count: number, length: number) => () =>
    readIndex(Uint8Array.from(bytes), index, { count, length }, () => undefined);

  test.each<[string, () => void, RegExp]>([
    ['too short', read([0b1], { kind: 'bitmask' }, 1, 9), /its bits end too early/],
    ['fewer ones than numbers', read([0b1], { kind: 'bitmask' }, 2, 8), /its bits end too early/],
    ['more ones than numbers', read([0b11], { kind: 'bitmask' }, 1, 8), /more than its numbers need/],
    ['bytes too many', read([0, 0], { kind: 'gaps', bits: 8 }, 1, 8), /more than its numbers need/],
    ['beyond the weight', read([8], { kind: 'gaps', bits: 8 }, 1, 8), /beyond its 8 numbers/],
    [
      'a Huffman code of one symbol',
      read([0b1_0000, 0], { kind: 'huffman', bits: 0, escape: 2 }, 1e9, 1e9),
      /a single code/,
    ],
    [
      'a Huffman code of no symbol',
      read([0, 0], { kind: 'huffman', bits: 0, escape: 2 }, 1, 8),
      /make no Huffman code/,
    ],
    ['a Huffman code that is cut off', read([0x11, 0], { kind: 'huffman', bits: 8, escape: 2 }, 9, 9), /too early/],
    ['beyond a weight of a billion', read([255, 255], { kind: 'rice', bits: 24 }, 1, 1e9), /too early/],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(FormatError);
    expect(act).toThrow(message);
  });

  test.each([
    undefined,
    '',
    'gaps',
    'gaps,0',
    'gaps,25',
    'rice,-1',
    'rice,99',
    'bitmask,1',
    'huffman,3',
    'huffman,3,0',
    'huffman,3,256',
    'huffman,25,7',
    'rice,3,7',
  ])('of the kind %j', (text) => expect(() => parseIndex(text)).toThrow(FormatError));
});
