import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { levelsBits, LevelsWeight, type LevelsParts } from '../../../../server/formats/packed/levels.ts';
import { decodePacked, encodePacked } from '../../../../server/formats/packed/packedFile.ts';
import { sectionBytes } from '../../../../server/formats/packed/packedWeight.ts';
import { elementCount } from '../../../../server/protocol/shape.ts';

/** Writes a weight and reads it again. */
function again(weight: LevelsWeight): LevelsWeight {
  const read = decodePacked(encodePacked(new Map([['w', weight]]))).get('w');
  if (read?.form !== 'levels') throw new TypeError(`It was read as ${read?.form}.`);
  return read;
}

/** The numbers by the definition in docs/format.md. */
function numbersOf(shape: readonly number[], { levels, codes, view, bucket, scales, offsets }: LevelsParts): number[] {
  const { outer, rows, inner } = view;
  const numbers = new Array<number>(elementCount(shape));
  codes.forEach((code, place) => {
    const row = Math.floor(place / (outer * inner));
    const column = place % (outer * inner);
    const position = (Math.floor(column / inner) * rows + row) * inner + (column % inner);
    const at = bucket === undefined ? 0 : Math.floor(place / bucket);
    const [scale, offset] = bucket === undefined ? [1, 0] : [scales![at], offsets?.[at] ?? 0];
    const sum =
      levels instanceof Float32Array ? scale * levels[code] + offset : (scale * code) / (levels.uniform - 1) + offset;
    numbers[position] = Math.fround(sum);
  });
  return numbers;
}

/** Without subnormal numbers: libraries that other tests load can make the process count them as zero. */
const float = fc
  .float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 })
  .map((value) => (Math.abs(value) < 1e-6 ? 0.5 : value));

const parts = fc
  .record({
    outer: fc.integer({ min: 1, max: 4 }),
    rows: fc.integer({ min: 1, max: 6 }),
    inner: fc.integer({ min: 1, max: 5 }),
    count: fc.oneof(fc.integer({ min: 2, max: 9 }), fc.constantFrom(15, 16, 17, 100, 255, 256)),
    isUniform: fc.boolean(),
    bucket: fc.option(fc.integer({ min: 1, max: 130 }), { nil: undefined }),
    hasOffsets: fc.boolean(),
    isSkewed: fc.boolean(),
    floats: fc.infiniteStream(float),
    bytes: fc.infiniteStream(fc.nat(255)),
  })
  .map(({ outer, rows, inner, count, isUniform, bucket, hasOffsets, isSkewed, floats, bytes }) => {
    const length = outer * rows * inner;
    const sets = bucket === undefined ? 0 : Math.ceil(length / bucket);
    const take = (size: number) => Float32Array.from(floats.take(size));
    const codes = Uint8Array.from(bytes.take(length), (byte) => (isSkewed && byte < 220 ? 1 : byte % count));
    const view = { outer, rows, inner };
    const levels = isUniform ? { uniform: count } : take(count);
    const buckets =
      bucket === undefined ? {} : { bucket, scales: take(sets), ...(hasOffsets && { offsets: take(sets) }) };
    return { shape: [outer, rows, inner], parts: { levels, codes, view, ...buckets } };
  });

test('levels come back to the bit: tables and grids, with buckets and without, in the order of their matrix', () => {
  fc.assert(
    fc.property(parts, ({ shape, parts }) => {
      const weight = LevelsWeight.of(shape, parts);
      const read = again(weight);
      expect([...read.rebuild()]).toEqual(numbersOf(shape, parts));
      expect(read.rebuild()).toEqual(weight.rebuild());
      expect(read.parameters).toEqual(weight.parameters);
      expect(sectionBytes(read)).toBe(levelsBits(parts) / 8);
    }),
  );
});

test('the codes are written in the bits of a code each or in those of a Huffman code, whichever is less', () => {
  fc.assert(
    fc.property(parts, ({ shape, parts }) => {
      const weight = LevelsWeight.of(shape, parts);
      const count = parts.levels instanceof Float32Array ? parts.levels.length : parts.levels.uniform;
      const fixed = Math.ceil((parts.codes.length * Math.ceil(Math.log2(count))) / 8);
      const codes = weight.sections.at(-1)!;
      expect(codes.length).toBeLessThanOrEqual(fixed);
      if (weight.parameters.coding === 'fixed') expect(codes.length).toBe(fixed);
    }),
  );
});

const matrix = { outer: 1, rows: 1, inner: 5 };

describe('known bytes', () => {
  const hex = ({ sections }: LevelsWeight) => sections.map((section) => Buffer.from(section).toString('hex'));

  test('of three levels in codes of two bits', () => {
    const levels = Float32Array.of(-1, 0, 0.5);
    const weight = LevelsWeight.of([5], { levels, codes: Uint8Array.of(2, 0, 1, 2, 1), view: matrix });
    expect(weight.parameters).toEqual({ levels: '3', coding: 'fixed' });
    // From the lowest bit on: 01 00 10 01, 10.
    expect(hex(weight)).toEqual(['000080bf' + '00000000' + '0000003f', '9201']);
    expect([...weight.rebuild()]).toEqual([0.5, -1, 0, 0.5, 0]);
  });

  test('of a grid of four levels with buckets of 3, the second shorter', () => {
    const weight = LevelsWeight.of([5], {
      levels: { uniform: 4 },
      codes: Uint8Array.of(3, 0, 2, 0, 3),
      view: matrix,
      bucket: 3,
      scales: Float32Array.of(3, 6),
      offsets: Float32Array.of(-1, 1),
    });
    expect(weight.parameters).toEqual({ levels: 'uniform,4', bucket: '3', coding: 'fixed' });
    expect(hex(weight)).toEqual(['00004040' + '0000c040', '000080bf' + '0000803f', '2303']);
    expect([...weight.rebuild()]).toEqual([2, -1, 1, 1, 7]);
  });

  test('of a Huffman code: frequencies .4 .3 .2 .1 take 1.9 bits each', () => {
    const codes = Uint8Array.from([...'00001112230000111223'], Number);
    const weight = LevelsWeight.of([20], { levels: { uniform: 4 }, codes, view: { ...matrix, inner: 20 } });
    expect(weight.parameters.coding).toBe('fixed');
    const many = Uint8Array.from({ length: 2000 }, (_, i) => codes[i % 20]);
    const large = LevelsWeight.of([2000], { levels: { uniform: 4 }, codes: many, view: { ...matrix, inner: 2000 } });
    expect(large.parameters.coding).toBe('huffman');
    // The lengths 1, 2, 3, 3 in 4 bits each; then the codes 0, 0, 0, 0, 10, 10, 10, 110, 110, …
    expect(sectionBytes(large)).toBe(2 + (1.9 * 2000) / 8);
    expect(hex(large)[0].slice(0, 8)).toBe('2133' + '506d');
    expect(again(large).rebuild()).toEqual(Float32Array.from(many, (code) => code / 3));
  });

  test('of a single level that is used: no bits but the lengths', () => {
    const codes = new Uint8Array(1000).fill(2);
    const weight = LevelsWeight.of([1000], {
      levels: Float32Array.of(1, 2, 3),
      codes,
      view: { ...matrix, inner: 1000 },
    });
    expect(hex(weight)).toEqual(['0000803f' + '00000040' + '00004040', '0001']);
    expect(again(weight).rebuild()).toEqual(new Float32Array(1000).fill(3));
  });
});

test('a view that has the order of the tensor is not stored', () => {
  const codes = Uint8Array.of(0, 1, 1, 0, 1, 1);
  const viewOf = (outer: number, rows: number, inner: number) =>
    LevelsWeight.of([6], { levels: { uniform: 2 }, codes, view: { outer, rows, inner } }).parameters.view;
  expect(viewOf(1, 1, 6)).toBeUndefined();
  expect(viewOf(1, 3, 2)).toBeUndefined();
  expect(viewOf(3, 1, 2)).toBeUndefined();
  expect(viewOf(3, 2, 1)).toBe('3,2,1');
});

test('a grid with steps of a power of two has every multiple of the step, and 0, to the bit', () => {
  const codes = Uint8Array.from({ length: 256 }, (_, code) => code);
  const weight = LevelsWeight.of([256], {
    levels: { uniform: 256 },
    codes,
    view: { outer: 1, rows: 1, inner: 256 },
    bucket: 256,
    scales: Float32Array.of(255 / 64),
    offsets: Float32Array.of(-2),
  });
  expect(weight.rebuild()).toEqual(Float32Array.from(codes, (code) => (code - 128) / 64));
});

test('a promise of more numbers than there is memory for is refused when they are rebuilt, at once', () => {
  const [outer, rows] = [1e9, 1e6];
  const weight = LevelsWeight.read({
    form: 'levels',
    shape: [outer, rows],
    parameters: new Map([
      ['levels', 'uniform,2'],
      ['coding', 'huffman'],
    ]),
    bytes: Uint8Array.of(0x01),
  });
  expect(() => weight.rebuild()).toThrow('numbers do not fit into memory');
});
