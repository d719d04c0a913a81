import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../../server/formats/formatError.ts';
import { BitReader, BitWriter } from '../../../../server/formats/packed/bits.ts';
import {
  codeLengths,
  huffmanBits,
  HuffmanReader,
  huffmanWriter,
  LONGEST_CODE,
} from '../../../../server/formats/packed/huffman.ts';

/** Writes symbols with the code of their counts. */
function written(symbols: readonly number[], count: number) {
  const counts = countsOf(symbols, count);
  const lengths = codeLengths(counts);
  const bits = huffmanBits(lengths, counts);
  const writer = new BitWriter(bits);
  const write = huffmanWriter(writer, lengths);
  symbols.forEach(write);
  return { bytes: writer.bytes, bits, lengths, counts };
}

function countsOf(symbols: readonly number[], count: number): number[] {
  const counts = new Array<number>(count).fill(0);
  for (const symbol of symbols) counts[symbol]++;
  return counts;
}

/** The fewest bits of a prefix code: the sum of what Huffman's algorithm joins, by the definition. */
function fewestBits(counts: readonly number[]): number {
  const nodes = counts.filter((count) => count > 0);
  let bits = 0;
  while (nodes.length > 1) {
    nodes.sort((a, b) => b - a);
    const joined = nodes.pop()! + nodes.pop()!;
    bits += joined;
    nodes.push(joined);
  }
  return bits;
}

/** Sequences of bits that start with a code of each length, as a share of all. */
const kraftSum = (lengths: Uint8Array) => lengths.reduce((sum, length) => sum + (length > 0 ? 2 ** -length : 0), 0);

test('frequencies .4 .3 .2 .1 have codes of 1, 2, 3 and 3 bits, 1.9 on average', () => {
  const counts = [4, 3, 2, 1];
  expect([...codeLengths(counts)]).toEqual([1, 2, 3, 3]);
  expect(huffmanBits(codeLengths(counts), counts)).toBe(4 * 4 + 19);
});

test('the codes are those of the example in RFC 1951, 3.2.2, their first bit first', () => {
  // Lengths 3, 3, 3, 3, 3, 2, 4, 4 of A to H: A 010, B 011, C 100, D 101, E 110, F 00, G 1110, H 1111.
  const lengths = Uint8Array.of(3, 3, 3, 3, 3, 2, 4, 4);
  const writer = new BitWriter(8 * 4 + 25);
  const write = huffmanWriter(writer, lengths);
  for (let symbol = 0; symbol < 8; symbol++) write(symbol);
  const bits = [...writer.bytes].map((byte) => [...byte.toString(2).padStart(8, '0')].reverse().join('')).join('');
  const lowestFirst = (length: number) => [...length.toString(2).padStart(4, '0')].reverse().join('');
  const table = Array.from(lengths, lowestFirst).join('');
  expect(bits).toBe((table + '010' + '011' + '100' + '101' + '110' + '00' + '1110' + '1111').padEnd(64, '0'));
});

test('a code takes the fewest bits that a prefix code can, and none is longer than a file can say', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(500), { minLength: 2, maxLength: 40 }), (counts) => {
      fc.pre(counts.filter((count) => count > 0).length > 1);
      const lengths = codeLengths(counts);
      expect(kraftSum(lengths)).toBe(1);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(LONGEST_CODE);
      // A code of the greatest length may have been made shorter.
      if (Math.max(...lengths) < LONGEST_CODE)
        expect(huffmanBits(lengths, counts)).toBe(4 * counts.length + fewestBits(counts));
    }),
  );
});

test('counts whose best code is too long have one within the limit, and lose less than a thousandth', () => {
  const fibonacci = [1, 1];
  while (fibonacci.length < 40) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!);
  const lengths = codeLengths(fibonacci);
  expect(Math.max(...lengths)).toBe(LONGEST_CODE);
  expect(kraftSum(lengths)).toBe(1);
  const bits = huffmanBits(lengths, fibonacci) - 4 * fibonacci.length;
  expect(bits).toBeLessThan(1.001 * fewestBits(fibonacci));
});

test('symbols come back, in exactly the bits that were counted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(255), { minLength: 1, maxLength: 500 }),
      fc.integer({ min: 0, max: 20 }),
      (all, skew) => {
        // Few symbols are often, as with levels of a weight.
        const symbols = all.map((symbol) => symbol >> (skew % 8));
        const { bytes, bits } = written(symbols, 256);
        expect(bytes).toHaveLength(Math.ceil(bits / 8));
        const reader = new BitReader(bytes);
        const huffman = new HuffmanReader(reader, 256);
        expect(symbols.map(() => huffman.next())).toEqual(symbols);
        expect(reader.bytesRead).toBe(bytes.length);
      },
    ),
  );
});

test('a symbol that is alone takes no bits', () => {
  const { bytes, bits } = written(new Array<number>(1000).fill(3), 6);
  expect(bits).toBe(24);
  expect([...bytes]).toEqual([0, 0b0001_0000, 0]);
  const huffman = new HuffmanReader(new BitReader(bytes), 6);
  expect(huffman.single).toBe(3);
  expect(Array.from({ length: 1000 }, () => huffman.next())).toEqual(new Array<number>(1000).fill(3));
});

describe('lengths that make no code are refused', () => {
  test.each([
    ['none', [0, 0, 0, 0]],
    ['too few codes', [1, 2, 0, 0]],
    ['a single code of two bits', [0, 2, 0, 0]],
    ['too many codes', [1, 1, 1, 0]],
  ])('%s', (_, lengths) => {
    const bytes = Uint8Array.of(lengths[0] | (lengths[1] << 4), lengths[2] | (lengths[3] << 4));
    const read = () => new HuffmanReader(new BitReader(bytes), 4);
    expect(read).toThrow(FormatError);
    expect(read).toThrow('the lengths of its codes make no Huffman code');
  });

  test('and those that are cut off', () => {
    expect(() => new HuffmanReader(new BitReader(Uint8Array.of(0x11)), 4)).toThrow('its bits end too early');
  });
});
