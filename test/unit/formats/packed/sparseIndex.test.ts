import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../../server/formats/formatError.ts';
import {
  indexText,
  parseIndex,
  readIndex,
  smallestIndex,
  writeIndex,
  type SparseIndex,
} from '../../../../server/formats/packed/sparseIndex.ts';

/** The bits of an index as a text, the first bit first, by the rules of docs/format.md. */
function bitsOf(values: Float32Array, index: SparseIndex): string {
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

const indices: SparseIndex[] = [
  { kind: 'bitmask' },
  ...Array.from({ length: 15 }, (_, i) => ({ kind: 'gaps' as const, bits: i + 2 })),
  ...Array.from({ length: 16 }, (_, bits) => ({ kind: 'rice' as const, bits })),
];

const sparse = fc
  .array(fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.constant(1)), { maxLength: 400 })
  .map((array) => Float32Array.from(array));

test('the smallest index is the smallest of a bitmask and codes of every width', () => {
  fc.assert(
    fc.property(sparse, (values) => {
      const { index, bits, nonZeros } = smallestIndex(values);
      const sizes = indices.map((tried) => bitsOf(values, tried).length);
      expect(bits).toBe(Math.min(...sizes));
      expect(bitsOf(values, index)).toHaveLength(bits);
      expect(nonZeros).toBe(values.filter((value) => value !== 0).length);
    }),
  );
});

test('every kind of index is written bit by bit as described, and read back', () => {
  fc.assert(
    fc.property(sparse, fc.constantFrom(...indices), (values, index) => {
      const text = bitsOf(values, index);
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

describe('an index that is wrong is refused', () => {
  const read = (bytes: number[], index: SparseIndex, count: number, length: number) => () =>
    readIndex(Uint8Array.from(bytes), index, { count, length }, () => undefined);

  test.each<[string, () => void, RegExp]>([
    ['too short', read([0b1], { kind: 'bitmask' }, 1, 9), /its bits end too early/],
    ['fewer ones than numbers', read([0b1], { kind: 'bitmask' }, 2, 8), /its bits end too early/],
    ['more ones than numbers', read([0b11], { kind: 'bitmask' }, 1, 8), /more than its numbers need/],
    ['bytes too many', read([0, 0], { kind: 'gaps', bits: 8 }, 1, 8), /more than its numbers need/],
    ['beyond the weight', read([8], { kind: 'gaps', bits: 8 }, 1, 8), /beyond its 8 numbers/],
    ['beyond a weight of a billion', read([255, 255], { kind: 'rice', bits: 24 }, 1, 1e9), /too early/],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(FormatError);
    expect(act).toThrow(message);
  });

  test.each([undefined, '', 'gaps', 'gaps,0', 'gaps,25', 'rice,-1', 'rice,99', 'bitmask,1', 'huffman,3'])(
    'of the kind %j',
    (text) => expect(() => parseIndex(text)).toThrow(FormatError),
  );
});
