import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../server/formats/formatError.ts';
import { decodeNpy, decodeNpz } from '../../../server/formats/npy.ts';

/** Written by NumPy: see fixtures/make_fixtures.py. */
function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
}

const values = Array.from({ length: 24 }, (_, i) => i - 5);

describe('arrays written by NumPy are read exactly', () => {
  test.each([
    ['f4', Float32Array.from(values)],
    ['f8', Float64Array.from(values)],
    ['i4', Int32Array.from(values)],
    ['i8', BigInt64Array.from(values.map(BigInt))],
    ['i1', Int8Array.from(values)],
    ['i2', Int16Array.from(values)],
    ['u1', Uint8Array.from(values, (v) => v + 5)],
    ['u2', Uint16Array.from(values, (v) => v + 5)],
    ['u4', Uint32Array.from(values, (v) => v + 5)],
    ['u8', BigUint64Array.from(values.map((v) => BigInt(v + 5)))],
    ['b1', Uint8Array.from(values, (v) => Number(v % 2 === 0))],
  ])('%s', (dtype, data) => {
    expect(decodeNpy(fixture(`${dtype}.npy`))).toEqual({ shape: [2, 3, 4], dtype, data });
  });

  test.each(['version2.npy', 'version3.npy', 'fortran.npy'])('%s', (name) => {
    expect(decodeNpy(fixture(name))).toEqual({ shape: [2, 3, 4], dtype: 'f4', data: Float32Array.from(values) });
  });

  test.each([
    ['f2.npy', { dtype: 'f4', data: Float32Array.from(values) }],
    ['big-endian.npy', { dtype: 'f4', data: Float32Array.from(values) }],
    ['big-endian-i8.npy', { dtype: 'i8', data: BigInt64Array.from(values.map(BigInt)) }],
  ])('%s', (name, array) => {
    expect(decodeNpy(fixture(name))).toEqual({ shape: [2, 3, 4], ...array });
  });

  test('a scalar has no axes', () => {
    expect(decodeNpy(fixture('scalar.npy'))).toEqual({ shape: [], dtype: 'f4', data: Float32Array.of(2.5) });
  });

  test('an array at an odd address is read all the same', () => {
    const file = fixture('f8.npy');
    const shifted = new Uint8Array(file.length + 1).subarray(1);
    shifted.set(file);
    expect(decodeNpy(shifted).data).toEqual(Float64Array.from(values));
  });

  test('also of a Buffer, whose slice is no copy', () => {
    const file = fixture('f8.npy');
    const shifted = Buffer.alloc(file.length + 1).subarray(1);
    shifted.set(file);
    expect(decodeNpy(shifted).data).toEqual(Float64Array.from(values));
  });
});

/** A version 1 file with this text as its header. */
function npyOf(header: string, data: Uint8Array): Uint8Array {
  const length = Uint8Array.of(header.length & 255, header.length >> 8);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header, 'latin1'), data]);
}

describe('headers of every NumPy are read', () => {
  test.each([
    ['sizes of Python 2', "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }"],
    ['double quotes', '{"descr": "<f4", "fortran_order": False, "shape": (2, 3)}'],
    ['a list', "{'descr': '<f4', 'fortran_order': False, 'shape': [2, 3], }"],
    ['sizes of NumPy 2', "{'descr': '<f4', 'fortran_order': False, 'shape': (np.int64(2), np.int64(3)), }"],
    ['another order, line breaks', "{'shape': (2,\n3),\n 'fortran_order': False, 'descr': '=f4'}"],
  ])('%s', (_, header) => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const array = decodeNpy(npyOf(header, new Uint8Array(data.buffer)));
    expect(array).toEqual({ shape: [2, 3], dtype: 'f4', data });
  });

  test.each([
    ['no shape', "{'descr': '<f4', 'fortran_order': False}"],
    ['a size that is no number', "{'descr': '<f4', 'fortran_order': False, 'shape': (2, x), }"],
    ['a negative size', "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }"],
    ['a size beyond all numbers', `{'descr': '<f4', 'fortran_order': False, 'shape': (0, ${'9'.repeat(400)}), }`],
    ['a thousand axes', `{'descr': '<f4', 'fortran_order': True, 'shape': (${'1,'.repeat(1000)}), }`],
  ])('and shown where they are damaged: %s', (_, header) => {
    const read = () => decodeNpy(npyOf(header, new Uint8Array(4)));
    expect(read).toThrow(FormatError);
    expect(read).toThrow(`its header is damaged: ${JSON.stringify(header.slice(0, 200))}`);
  });
});

test.each(['two.npz', 'stored.npz'])(
  'an array of an .npz archive is found by its name, with or without .npy: %s',
  (file) => {
    const archive = fixture(file);
    expect(decodeNpz(archive, 'labels')).toEqual({ shape: [2], dtype: 'i8', data: BigInt64Array.of(3n, 1n) });
    expect(decodeNpz(archive, 'images.npy').data).toEqual(Float32Array.from(values));
  },
);

test('an archive that decompresses to more than the header of its array says is not decompressed', () => {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const bomb = zipSync({ 'x.npy': npyOf(header, new Uint8Array(2 ** 27)) });
  expect(bomb.length).toBeLessThan(2 ** 18);
  const before = process.memoryUsage().arrayBuffers;
  expect(() => decodeNpz(bomb, 'x')).toThrow(/decompresses to more than the 93 bytes that its header tells of/);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
});

describe('what cannot be read is named', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['another format', () => decodeNpy(Uint8Array.of(1, 2, 3)), /no \.npy file/],
    ['an unknown version', () => decodeNpy(fixture('f4.npy').with(6, 9)), /version 9/],
    ['a header that is cut off', () => decodeNpy(fixture('f4.npy').subarray(0, 60)), /header is cut off/],
    ['a header length that is cut off', () => decodeNpy(fixture('f4.npy').subarray(0, 9)), /header is cut off/],
    ['data that are cut off', () => decodeNpy(fixture('f4.npy').subarray(0, 200)), /needs 96 bytes.*there are 72/],
    ['data that are too long', () => decodeNpy(new Uint8Array([...fixture('f4.npy'), 0])), /there are 97/],
    ['complex elements', () => decodeNpy(fixture('complex.npy')), /<c8 cannot be read/],
    ['a header that is too long', () => decodeNpy(fixture('version2.npy').with(10, 9)), /header has \d+ bytes/],
    ['an array that the archive lacks', () => decodeNpz(fixture('two.npz'), 'x'), /no array 'x'.*images, labels/],
    ['an archive that is cut off', () => decodeNpz(fixture('two.npz').subarray(0, 300), 'images'), /no valid \.npz/],
    ['an archive of something else', () => decodeNpz(zipSync({ 'a.npy': Uint8Array.of(1) }), 'a'), /no \.npy file/],
  ])('%s', (_, read, message) => {
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });
});

test.each([
  ['<c8', 'x.real'],
  ['<f16', 'x.astype(numpy.float32)'],
  ['|O', 'numpy.stack'],
  ['<M8[ns]', 'x.astype(numpy.int64)'],
  ['<U5', 'numpy.unique'],
  ['|V8', 'x["FIELD"]'],
])('the remedy for elements of %s writes another type', (descr, remedy) => {
  const file = npyOf(`{'descr': '${descr}', 'fortran_order': False, 'shape': (1,), }`, new Uint8Array(8));
  let error: unknown;
  try {
    decodeNpy(file);
  } catch (thrown) {
    error = thrown;
  }
  expect((error as FormatError).remedy).toContain(remedy);
});
