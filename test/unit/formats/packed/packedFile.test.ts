import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../../server/formats/formatError.ts';
import { BinaryCodesWeight } from '../../../../server/formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../../../server/formats/packed/dense.ts';
import { FactorsWeight } from '../../../../server/formats/packed/factors.ts';
import {
  decodePacked,
  encodePacked,
  PackedReader,
  type PackedWeight,
} from '../../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../../server/formats/packed/sparse.ts';
import { decodeSafetensors, encodeSafetensors, type Safetensor } from '../../../../server/formats/safetensors.ts';

/** Writes the weights and reads them again. */
function again(weights: Record<string, PackedWeight>): Map<string, PackedWeight> {
  return decodePacked(encodePacked(new Map(Object.entries(weights))));
}

/** Without subnormal numbers: libraries that other tests load can make the process count them as zero. */
const float = fc
  .float({ noNaN: true, noDefaultInfinity: true })
  .map((value) => (Math.abs(value) < 2 ** -126 ? 0 : value));

test('a sparse weight comes back to the bit, in any of its forms', () => {
  const values = fc.array(fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, float), { maxLength: 300 });
  fc.assert(
    fc.property(values, (array) => {
      const dense = Float32Array.from(array, (value) => value || 0);
      const weight = SparseWeight.of([dense.length], dense);
      expect(again({ w: weight }).get('w')!.rebuild()).toEqual(dense);
    }),
  );
});

test('a weight whose name is a key of the metadata is stored dense, and any other name is one of a weight', () => {
  const values = Float32Array.of(0, 0, 0, 0, 5, 0, 0, 0);
  const weights = new Map(
    ['model', 'run', 'experiment', 'step', 'deeptwist', '__proto__', 'w'].map((name) => [
      name,
      SparseWeight.of([8], values),
    ]),
  );
  const file = encodePacked(weights, { model: '{ "class_name": "Model" }', step: '3' });
  const read = decodePacked(file);
  expect([...read.keys()].sort()).toEqual([...weights.keys()].sort());
  for (const [name, weight] of read) {
    expect(weight.rebuild(), name).toEqual(values);
    expect(weight.form).toBe(name === 'w' || name === '__proto__' ? 'sparse' : 'dense');
  }
  const { tensors, metadata } = decodeSafetensors(file);
  expect(new PackedReader(metadata, (name) => tensors.get(name)).describe('model')).toBeUndefined();
});

test('a weight of zeros takes no bytes; one without zeros stays dense', () => {
  const file = encodePacked(new Map([['zeros', SparseWeight.of([30, 20], new Float32Array(600))]]));
  expect(decodeSafetensors(file).tensors.get('zeros')!.data).toHaveLength(0);
  expect(decodePacked(file).get('zeros')!.rebuild()).toEqual(new Float32Array(600));
  expect(SparseWeight.of([3], Float32Array.of(1, 2, 3)).form).toBe('dense');
});

test('a gap that is longer than its largest code comes back', () => {
  const dense = new Float32Array(100_000);
  for (let i = 0; i < 2000; i++) dense[i] = i % 3 === 0 ? 0 : i;
  dense[99_999] = 7;
  expect(
    again({ w: SparseWeight.of([100_000], dense) })
      .get('w')!
      .rebuild(),
  ).toEqual(dense);
});

test('binary codes of 1 to 8 bits come back to the bit, in the order of their matrix', () => {
  const shape = [2, 3, 5];
  const [outer, rows, inner] = shape;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.infiniteStream(float),
      fc.infiniteStream(fc.nat(255)),
      (bits, floats, bytes) => {
        const scales = Float32Array.from(floats.take(rows * bits));
        const codes = Uint8Array.from([...bytes.take(30)].map((byte) => byte % 2 ** bits));
        const weight = BinaryCodesWeight.of(shape, { outer, rows, inner }, bits, scales, codes);
        const dense = again({ w: weight }).get('w')!.rebuild();
        for (let o = 0; o < outer; o++)
          for (let row = 0; row < rows; row++)
            for (let i = 0; i < inner; i++) {
              const code = codes[row * outer * inner + o * inner + i];
              let sum = 0;
              for (let bit = 0; bit < bits; bit++) sum += ((code >> bit) & 1 ? 1 : -1) * scales[row * bits + bit];
              expect(dense[(o * rows + row) * inner + i]).toBe(Math.fround(sum));
            }
      },
    ),
    { numRuns: 50 },
  );
});

test('factors come back, one that is shared once', () => {
  const left = Float32Array.of(1, 2, 3, 4, 5, 6); // [3, 2]
  const recurrent = new FactorsWeight([3, 2], { outer: 1, rows: 3, inner: 2 }, 2, {
    left,
    right: Float32Array.of(1, 0, 2, 1),
  });
  const right = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const name = 'größer=1, 2%/recurrent kernel';
  const kernel = new FactorsWeight([2, 3, 2], { outer: 2, rows: 3, inner: 2 }, 2, { left, right, leftOf: name });
  const file = encodePacked(
    new Map([
      ['a/kernel', kernel],
      [name, recurrent],
    ]),
  );
  expect(decodeSafetensors(file).tensors.get('a/kernel')!.data).toHaveLength(4 * 8);
  expect(decodeSafetensors(file).tensors.get(name)!.data).toHaveLength(4 * 10);
  const weights = decodePacked(file);
  expect([...weights.get(name)!.rebuild()]).toEqual([5, 2, 11, 4, 17, 6]);
  // Rows of the matrix [3, 4]: [11, 14, 17, 20], [23, 30, 37, 44], [35, 46, 57, 68].
  expect([...weights.get('a/kernel')!.rebuild()]).toEqual([11, 14, 23, 30, 35, 46, 17, 20, 37, 44, 57, 68]);
});

test('the worked example of docs/format.md is what is written', () => {
  const weight = SparseWeight.of([2, 3], Float32Array.of(0, 0.5, 0, 0, 0, -2));
  const file = encodePacked(
    new Map<string, PackedWeight>([
      ['fc/kernel', weight],
      ['fc/bias', new DenseWeight([3], Float32Array.of(0, 1, 0))],
    ]),
  );
  const header =
    '{"__metadata__":{"deeptwist":"1","fc/kernel":"sparse 2,3 values=2 index=rice,1"},' +
    '"fc/bias":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},' +
    '"fc/kernel":{"dtype":"U8","shape":[9],"data_offsets":[12,21]}}';
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  expect(new TextDecoder().decode(file.subarray(8, 8 + length)).trimEnd()).toBe(header);
  expect(Buffer.from(file.subarray(8 + length)).toString('hex')).toBe(
    '00000000' + '0000803f' + '00000000' + '0000003f' + '000000c0' + '16',
  );
});

describe('a file is refused with what is wrong', () => {
  const bytes = (length: number): Safetensor => ({ dtype: 'U8', shape: [length], data: new Uint8Array(length) });
  const full = (length: number, byte = 0xff): Safetensor => ({
    dtype: 'U8',
    shape: [length],
    data: new Uint8Array(length).fill(byte),
  });
  const file = (description: string, tensor = bytes(9), version = '1') =>
    encodeSafetensors(new Map([['w', tensor]]), { deeptwist: version, w: description });

  test.each<[string, Uint8Array, string]>([
    ['no packed file', encodeSafetensors(new Map([['w', bytes(1)]])), 'it is no packed file'],
    [
      'a newer layout',
      file('sparse 2', bytes(1), '2'),
      "its layout has the version '2'; this version of DeepTwist reads 1",
    ],
    [
      'a form of later',
      file('wavelets 2,3 bits=2'),
      "its weight 'w' cannot be read: this version of DeepTwist does not know its form 'wavelets'",
    ],
    ['no form', encodeSafetensors(new Map([['w', bytes(1)]]), { deeptwist: '1' }), 'it has no form'],
    ['no shape', file('sparse'), 'its shape'],
    ['a shape that is none', file('sparse 2,x values=2 index=bitmask'), 'its shape'],
    ['a shape beyond all numbers', file('sparse 9999999999,9999999999 values=2 index=bitmask'), 'its shape'],
    ['no count', file('sparse 2,3 index=bitmask'), 'how many numbers are not zero'],
    ['a count that lies', file('sparse 2,3 values=3 index=bitmask'), 'its 3 numbers need more than its 9 bytes'],
    ['a billion of them', file('sparse 1000000000 values=1000000000 index=bitmask'), 'need more than its 9 bytes'],
    ['a bitmask of a billion', file('sparse 1000000000 values=2 index=bitmask'), 'its bits end too early'],
    ['codes of 9 bits', file('binary-codes 2 bits=9 view=1,1,2'), 'its codes have 9 bits'],
    [
      'codes of a billion',
      file('binary-codes 1000000000 bits=1 view=1,1,1000000000'),
      'needs 125000004 bytes but has 9',
    ],
    ['no levels', file('levels 2 coding=fixed'), 'how many levels it has'],
    ['a single level', file('levels 2 levels=uniform,1 coding=fixed'), 'it has 1 levels; 2 to 256 are possible'],
    ['257 levels', file('levels 2 levels=257 coding=fixed'), 'it has 257 levels'],
    ['codes of another kind', file('levels 2 levels=2 coding=arithmetic'), 'neither fixed nor huffman'],
    ['levels that are cut off', file('levels 2 levels=3 coding=fixed'), 'needs at least 12 bytes but has 9'],
    [
      'buckets of nothing',
      file('levels 2 levels=uniform,4 bucket=0 coding=fixed'),
      'it does not say the size of a bucket',
    ],
    [
      'scales that are cut off',
      file('levels 9 levels=uniform,4 bucket=1 coding=fixed'),
      'needs at least 36 bytes but has 9',
    ],
    ['levels of a billion', file('levels 1000000000 levels=uniform,4 coding=fixed'), 'needs 250000000 bytes but has 9'],
    ['codes without a level', file('levels 2 levels=uniform,3 coding=fixed', full(1)), 'codes beyond its 3 levels'],
    ['lengths of no code', file('levels 2 levels=uniform,4 coding=huffman', full(9)), 'make no Huffman code'],
    [
      'more than its codes need',
      file('levels 2 levels=uniform,2 coding=huffman', full(3, 0x11)),
      'it has more bytes than its codes need',
    ],
    [
      'no count of numbers that remain',
      file('sparse-coded 2,3 index=bitmask values.form=levels values.bytes=1'),
      'how many numbers remain',
    ],
    [
      'a part without a form',
      file('sparse-coded 2,3 values=2 index=bitmask values.bytes=8'),
      "does not know its form ''",
    ],
    [
      'a part without its bytes',
      file('sparse-coded 2,3 values=2 index=bitmask values.form=dense'),
      "how many bytes 'values' has",
    ],
    [
      'a part that is cut off',
      file('sparse-coded 2,3 values=2 index=bitmask values.form=dense values.bytes=10'),
      "'values' needs more than its 9 bytes",
    ],
    [
      'a part of another size',
      file('sparse-coded 2,3 values=2 index=bitmask values.form=dense values.bytes=4'),
      'needs 8 bytes but has 4',
    ],
    [
      'numbers of a pruned weight that are pruned',
      file('sparse-coded 2,3 values=2 index=bitmask values.form=sparse values.bytes=9'),
      "does not know its form 'sparse'",
    ],
    [
      'a product within a product',
      file('factors-coded 4 rank=1 view=1,2,2 left.form=factors left.bytes=0 right.form=dense right.bytes=8'),
      "does not know its form 'factors'",
    ],
    [
      'bytes behind the factors',
      file(
        'factors-coded 4 rank=1 view=1,2,2 left.form=dense left.bytes=8 right.form=sparse right.values=0 right.index=gaps,2 right.bytes=0',
      ),
      'needs 0 bytes but has 1',
    ],
    [
      'a left factor that is nowhere, of coded factors',
      file('factors-coded 4 rank=1 view=1,2,2 left=v right.form=dense right.bytes=8'),
      "'v' stores no left factor",
    ],
    ['a view of another size', file('binary-codes 2 bits=1 view=1,1,3'), 'its view'],
    ['a view without rows', file('binary-codes 0 bits=1 view=0,1000000000000,0'), 'its view'],
    ['a rank of 0', file('factors 4 rank=0 view=1,2,2', bytes(0)), 'its rank'],
    ['factors of a billion', file('factors 1000000000 rank=1 view=1,1,1000000000'), 'needs 4000000004 bytes but has 9'],
    [
      'a left factor that is nowhere',
      file('factors 4 rank=1 view=1,2,2 left=v', bytes(8)),
      "'v' stores no left factor",
    ],
    ['its own left factor', file('factors 4 rank=1 view=1,2,2 left=w', bytes(8)), "'w' stores no left factor"],
    ['a name that is not encoded', file('factors 4 rank=1 view=1,2,2 left=%zz', bytes(8)), 'percent-encoded'],
  ])('%s', (_, content, message) => {
    expect(() => decodePacked(content)).toThrow(FormatError);
    expect(() => decodePacked(content)).toThrow(message);
  });

  test('of a later form with what to do', () => {
    expect(() => decodePacked(file('wavelets 2,3'))).toThrow(
      expect.objectContaining({ remedy: 'Read the file with a newer version of DeepTwist.' }),
    );
  });
});

test('numbers that fit into no memory are refused when they are rebuilt, not when the file is read', () => {
  const tensor: Safetensor = { dtype: 'U8', shape: [0], data: new Uint8Array(0) };
  const file = encodeSafetensors(new Map([['w', tensor]]), {
    deeptwist: '1',
    w: 'sparse 1000000000,1000000 values=0 index=gaps,2',
  });
  const weight = decodePacked(file).get('w')!;
  expect(weight.shape).toEqual([1e9, 1e6]);
  expect(() => weight.rebuild()).toThrow('its 1000000000000000 numbers do not fit into memory');
});
