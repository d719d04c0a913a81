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
    ['u1', Uint8Array.from(values, (v) => v + 5)],
    ['b1', Uint8Array.from(values, (v) => Number(v % 2 === 0))],
  ])('%s', (dtype, data) => {
    expect(decodeNpy(fixture(`${dtype}.npy`))).toEqual({ shape: [2, 3, 4], dtype, data });
  });

  test.each(['version2.npy', 'version3.npy', 'fortran.npy'])('%s', (name) => {
    expect(decodeNpy(fixture(name))).toEqual({ shape: [2, 3, 4], dtype: 'f4', data: Float32Array.from(values) });
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
});

test('an array of an .npz archive is found by its name, with or without .npy', () => {
  const archive = fixture('two.npz');
  expect(decodeNpz(archive, 'labels')).toEqual({ shape: [2], dtype: 'i8', data: BigInt64Array.of(3n, 1n) });
  expect(decodeNpz(archive, 'images.npy').shape).toEqual([2, 3, 4]);
});

describe('what cannot be read is named', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['another format', () => decodeNpy(Uint8Array.of(1, 2, 3)), /no \.npy file/],
    ['an unknown version', () => decodeNpy(fixture('f4.npy').with(6, 9)), /version 9/],
    ['a header that is cut off', () => decodeNpy(fixture('f4.npy').subarray(0, 60)), /header is cut off/],
    ['a header length that is cut off', () => decodeNpy(fixture('f4.npy').subarray(0, 9)), /header is cut off/],
    ['data that are cut off', () => decodeNpy(fixture('f4.npy').subarray(0, 200)), /needs 96 bytes.*there are 72/],
    ['data that are too long', () => decodeNpy(new Uint8Array([...fixture('f4.npy'), 0])), /there are 97/],
    ['big-endian elements', () => decodeNpy(fixture('big-endian.npy')), />f4 cannot be read/],
    ['an array that the archive lacks', () => decodeNpz(fixture('two.npz'), 'x'), /no array 'x'.*images, labels/],
    ['an archive that is cut off', () => decodeNpz(fixture('two.npz').subarray(0, 300), 'images'), /no valid \.npz/],
    ['an archive of something else', () => decodeNpz(zipSync({ 'a.npy': Uint8Array.of(1) }), 'a'), /no \.npy file/],
  ])('%s', (_, read, message) => {
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });
});
