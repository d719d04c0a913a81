import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../server/formats/formatError.ts';
import { sourceOf } from '../../../server/formats/byteSource.ts';
import { joinPieces } from '../../../server/formats/filePieces.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
  openSafetensors,
  safetensorPieces,
  type Safetensor,
} from '../../../server/formats/safetensors.ts';

/** Written by the reference implementation: see fixtures/make_fixtures.py. */
function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
}

const values = Array.from({ length: 24 }, (_, i) => i - 5);

test('a file of the reference implementation is read exactly, half precision as float32', () => {
  const { tensors, metadata } = decodeSafetensors(fixture('all-types.safetensors'));
  const shape = [2, 3, 4];
  const halves = [0, 1, -2.5, 2 ** -14, 2 ** -24, 65504, Infinity, -Infinity, NaN];
  expect(metadata).toEqual({ format: 'np', step: '20000' });
  expect(Object.fromEntries(tensors)).toEqual({
    'fc1/kernel': { dtype: 'F32', shape, data: Float32Array.from(values) },
    f64: { dtype: 'F64', shape, data: Float64Array.from(values) },
    i32: { dtype: 'I32', shape, data: Int32Array.from(values) },
    i64: { dtype: 'I64', shape, data: BigInt64Array.from(values.map(BigInt)) },
    u8: { dtype: 'U8', shape, data: Uint8Array.from(values, (v) => v + 5) },
    bool: { dtype: 'BOOL', shape, data: Uint8Array.from(values, (v) => Number(v % 2 === 0)) },
    f16: { dtype: 'F32', shape: [9], data: Float32Array.from(halves) },
  });
});

test('bfloat16 is read as float32, exactly', () => {
  const { tensors } = decodeSafetensors(fixture('bf16.safetensors'));
  expect(tensors.get('x')).toEqual({
    dtype: 'F32',
    shape: [6],
    data: Float32Array.of(0, 1, -2.5, 3.140625, 2 ** -126, Infinity),
  });
});

const tensor: fc.Arbitrary<Safetensor> = fc.oneof(
  fc.float32Array().map((data) => ({ dtype: 'F32' as const, shape: [data.length], data })),
  fc.float64Array().map((data) => ({ dtype: 'F64' as const, shape: [1, data.length], data })),
  fc.int32Array().map((data) => ({ dtype: 'I32' as const, shape: [data.length, 1], data })),
  fc.bigInt64Array().map((data) => ({ dtype: 'I64' as const, shape: [data.length], data })),
  fc.bigUint64Array().map((data) => ({ dtype: 'U64' as const, shape: [data.length], data })),
  fc.uint32Array().map((data) => ({ dtype: 'U32' as const, shape: [data.length], data })),
  fc.int16Array().map((data) => ({ dtype: 'I16' as const, shape: [data.length], data })),
  fc.uint16Array().map((data) => ({ dtype: 'U16' as const, shape: [data.length], data })),
  fc.int8Array().map((data) => ({ dtype: 'I8' as const, shape: [data.length], data })),
  fc.uint8Array().map((data) => ({ dtype: 'U8' as const, shape: [data.length], data })),
  fc.uint8Array({ max: 1 }).map((data) => ({ dtype: 'BOOL' as const, shape: [data.length], data })),
);
const name = fc.string().filter((text) => text !== '__metadata__' && text !== '__proto__');

test('in pieces it is the same file, none of them larger than asked for, nor a copy', () => {
  fc.assert(
    fc.property(
      fc.dictionary(name, tensor),
      fc.dictionary(name, fc.string()),
      fc.integer({ min: 1, max: 40 }),
      (named, metadata, most) => {
        const tensors = new Map(Object.entries(named));
        const { bytes, pieces } = safetensorPieces(tensors, metadata, most);
        const [header, ...rest] = [...pieces];
        expect(rest.every(({ length }) => length > 0 && length <= most)).toBe(true);
        const buffers = new Set([...tensors.values()].map(({ data }) => data.buffer));
        expect(rest.every(({ buffer }) => buffers.has(buffer))).toBe(true);
        expect(joinPieces({ bytes, pieces: [header, ...rest] })).toEqual(encodeSafetensors(tensors, metadata));
      },
    ),
  );
});

test('an opened file reads a tensor when it is looked at, and nothing else', () => {
  fc.assert(
    fc.property(fc.dictionary(name, tensor), (named) => {
      const file = encodeSafetensors(new Map(Object.entries(named)), { step: '5' });
      const reads: number[] = [];
      const source = sourceOf(file);
      const opened = openSafetensors({
        length: source.length,
        read(begin, end) {
          reads.push(end - begin);
          return source.read(begin, end);
        },
      });
      reads.length = 0;
      expect(opened.metadata).toEqual({ step: '5' });
      const decoded = decodeSafetensors(file).tensors;
      expect([...opened.tensors.keys()]).toEqual([...decoded.keys()]);
      expect(reads).toEqual([]);
      for (const [key, expected] of decoded) {
        const { dtype, shape, data } = opened.tensors.get(key)!;
        expect({ dtype, shape, data }).toEqual(expected);
        expect(reads.splice(0)).toEqual([expected.data.byteLength]);
      }
    }),
  );
});

test('an opened file has half precision as float32', () => {
  const { tensors } = openSafetensors(sourceOf(fixture('all-types.safetensors')));
  expect(tensors.get('f16')).toEqual(decodeSafetensors(fixture('all-types.safetensors')).tensors.get('f16'));
});

test.each([
  ['a Uint8Array', (length: number) => new Uint8Array(length)],
  ['a Buffer, whose slice is no copy', (length: number) => Buffer.alloc(length)],
])('whatever is written is read back, also from an odd address of %s', (_, allocate) => {
  fc.assert(
    fc.property(fc.dictionary(name, tensor), fc.dictionary(name, fc.string()), fc.nat(9), (named, metadata, shift) => {
      const file = encodeSafetensors(new Map(Object.entries(named)), metadata);
      const shifted = allocate(file.length + shift).subarray(shift);
      shifted.set(file);
      const decoded = decodeSafetensors(shifted);
      expect({ ...decoded.metadata }).toEqual({ ...metadata });
      expect(Object.fromEntries(decoded.tensors)).toEqual({ ...named });
    }),
    { numRuns: 200 },
  );
});

test('tensors of a written file are views of it', () => {
  const file = encodeSafetensors(
    new Map<string, Safetensor>([
      ['odd', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) }],
      ['w', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }],
      ['d', { dtype: 'F64', shape: [1], data: Float64Array.of(3) }],
    ]),
  );
  for (const { data } of decodeSafetensors(file).tensors.values()) expect(data.buffer).toBe(file.buffer);
});

test('a tensor whose elements do not make its shape is not written', () => {
  const data = Float32Array.of(1, 2, 3);
  expect(() => encodeSafetensors(new Map([['w', { dtype: 'F32', shape: [2, 2], data }]]))).toThrow("Tensor 'w'");
  expect(() => encodeSafetensors(new Map([['w', { dtype: 'I32', shape: [3], data }]]))).toThrow("Tensor 'w'");
});

describe('a damaged file is refused with what is wrong', () => {
  function file(header: unknown, dataBytes: number): Uint8Array {
    const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
    const bytes = new Uint8Array(8 + json.length + dataBytes);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
    bytes.set(json, 8);
    return bytes;
  }
  const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });
  const whole = fixture('all-types.safetensors');

  test.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /it has 0 bytes/],
    ['another format', new TextEncoder().encode('PK\x03\x04 a zip file'), /no safetensors file/],
    ['header cut off', whole.subarray(0, 100), /header should have/],
    ['data cut off', whole.subarray(0, whole.length - 1), /there are only .* cut off/],
    ['header not JSON', file('{"a":', 0), /not valid JSON/],
    ['header not an object', file('[]', 0), /not a JSON object/],
    ['metadata not strings', file({ __metadata__: { a: 1 } }, 0), /__metadata__/],
    ['entry incomplete', file({ w: { dtype: 'F32' } }, 0), /'w' lacks/],
    ['negative offsets', file({ w: entry(-4, 0) }, 0), /'w' lacks/],
    ['unknown type', file({ w: entry(0, 4, [4], 'F8_E4M3') }, 4), /F8_E4M3/],
    ['shape and offsets differ', file({ w: entry(0, 8, [3]) }, 8), /needs 12 bytes but has 8/],
    ['beyond the file', file({ w: entry(0, 8) }, 4), /'w' ends at byte 8/],
    ['overlap', file({ v: entry(0, 8), w: entry(4, 12) }, 12), /'v' and 'w' overlap/],
    ['hole', file({ v: entry(0, 4), w: entry(8, 12) }, 12), /4 bytes before tensor 'w'/],
    ['left over', file({ v: entry(0, 4) }, 9), /5 bytes at its end/],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(FormatError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });
});
