import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { BinaryCodesWeight } from '../../../server/formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../../server/formats/packed/dense.ts';
import { FactorsWeight } from '../../../server/formats/packed/factors.ts';
import { FactorsCodedWeight } from '../../../server/formats/packed/factorsCoded.ts';
import { LevelsWeight } from '../../../server/formats/packed/levels.ts';
import { encodePacked, type PackedWeight } from '../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../server/formats/packed/sparse.ts';
import { SparseCodedWeight } from '../../../server/formats/packed/sparseCoded.ts';
import { encodeSafetensors } from '../../../server/formats/safetensors.ts';
import { histogramOf, statisticsOf } from '../../../server/inspect/statistics.ts';
import { spectrumOf } from '../../../server/inspect/spectrum.ts';
import { elementCount } from '../../../server/protocol/shape.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { numbersOf, openedFiles, tensorOf } from './opened.ts';

const { open, path, write } = openedFiles();
/** Files that other programs wrote, by test/unit/formats/fixtures/make_fixtures.py, with the numbers -5 to 18. */
const fixture = (name: string) => fileURLToPath(new URL(`../formats/fixtures/${name}`, import.meta.url));
const COUNTED = Array.from({ length: 24 }, (_, i) => i - 5);

describe('safetensors', () => {
  test('of every element type are read, with their metadata', async () => {
    const file = await open(fixture('all-types.safetensors'));
    expect(file.metadata).toEqual([
      ['format', 'np'],
      ['step', '20000'],
    ]);
    const types = file.tensors.map(({ name, dtype }) => [name, dtype]);
    expect(Object.fromEntries(types)).toEqual({
      'fc1/kernel': 'float32',
      f64: 'float64',
      f16: 'float16',
      i32: 'int32',
      i64: 'int64',
      u8: 'uint8',
      bool: 'bool',
    });
    for (const name of ['fc1/kernel', 'f64', 'i32', 'i64'])
      expect(await numbersOf(tensorOf(file, name))).toEqual(COUNTED);
    expect(await statisticsOf(tensorOf(file, 'f16'))).toMatchObject({ zeros: 1, notFinite: 3, maximum: 65504 });
    const halves = await open(fixture('bf16.safetensors'));
    expect(await numbersOf(tensorOf(halves, 'x'))).toEqual([0, 1, -2.5, 3.140625, 2 ** -126, Infinity]);
  });

  test('of an element type that is not known are listed, and the others are read', async () => {
    const header = JSON.stringify({
      new: { dtype: 'F4_E2M1', shape: [4], data_offsets: [0, 2] },
      old: { dtype: 'U8', shape: [2], data_offsets: [2, 4] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const file = await open(
      write('x.safetensors', Buffer.concat([length, Buffer.from(header), Buffer.of(1, 2, 3, 4)])),
    );
    expect(tensorOf(file, 'new')).toMatchObject({ dtype: 'F4_E2M1', bytes: 2, problem: expect.anything() as string });
    expect(await numbersOf(tensorOf(file, 'old'))).toEqual([3, 4]);
  });
});

describe('packed files', () => {
  const left = Float32Array.of(1, 2, 3);
  const view = { outer: 1, rows: 3, inner: 4 };
  const levels = (shape: readonly number[]) => {
    const codes = Uint8Array.from({ length: elementCount(shape) }, (_, i) => i % 3);
    return LevelsWeight.of(shape, {
      levels: Float32Array.of(-1, 0, 2),
      codes,
      view: { outer: 1, rows: 1, inner: codes.length },
    });
  };
  const weights = new Map<string, PackedWeight>([
    ['a/kernel', SparseWeight.of([4, 30], new Float32Array(120).fill(2, 60, 62))],
    ['b/kernel', BinaryCodesWeight.of([3, 4], view, 1, Float32Array.of(1, 2, 4), new Uint8Array(12).fill(1, 4, 8))],
    ['c/kernel', new FactorsWeight([3, 4], view, 1, { left, right: Float32Array.of(1, 0, -1, 5) })],
    ['d/kernel', new FactorsWeight([3, 4], view, 1, { left, right: new Float32Array(4).fill(1), leftOf: 'c/kernel' })],
    ['e/bias', new DenseWeight([2], Float32Array.of(0, 7))],
    ['f/kernel', levels([3, 4])],
    ['g/kernel', SparseCodedWeight.of([3, 4], [0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0], levels([3]))],
    ['h/kernel', new FactorsCodedWeight([3, 4], view, 2, { left: levels([3, 2]), right: levels([2, 4]) })],
  ]);

  test('have form, stored bytes and rebuilt numbers of each weight', async () => {
    const file = await open(write('w.safetensors', encodePacked(weights)));
    expect(file.format).toBe('packed safetensors');
    expect(file.metadata).toEqual([['deeptwist', '1']]);
    for (const [name, weight] of weights) {
      const tensor = tensorOf(file, name);
      const stored = weight.sections.reduce((sum, { length }) => sum + length, 0);
      expect(tensor, name).toMatchObject({
        dtype: 'float32',
        shape: weight.shape,
        bytes: stored,
        ...(weight.form !== 'dense' && { form: weight.form }),
      });
      expect(await numbersOf(tensor), name).toEqual([...weight.rebuild()]);
    }
  });

  const described = (description: string) =>
    encodeSafetensors(new Map([['w', { dtype: 'U8', shape: [0], data: new Uint8Array(0) }]]), {
      deeptwist: '1',
      w: description,
    });

  test('that are to become a billion numbers are refused before memory is taken', async () => {
    const file = await open(write('w.safetensors', described('sparse 1000000000 values=0 index=bitmask')));
    const tensor = tensorOf(file, 'w');
    expect(tensor).toMatchObject({ elements: 1e9, form: 'sparse' });
    expect((await userErrorOf(() => statisticsOf(tensor))).message).toContain('it has 1,000,000,000 numbers');
  });

  test('of a form that is not known say so at the weight', async () => {
    const file = await open(write('w.safetensors', described('wavelets 2,3 bits=2')));
    expect(tensorOf(file, 'w')).toMatchObject({ form: 'wavelets', shape: [2, 3] });
    const error = await userErrorOf(() => statisticsOf(tensorOf(file, 'w')));
    expect(error.message).toContain("does not know its form 'wavelets'");
    expect(error.remedy).toContain('newer version');
  });

  test('of a newer layout are refused', async () => {
    const error = await userErrorOf(() =>
      open(write('w.safetensors', encodeSafetensors(new Map(), { deeptwist: '2' }))),
    );
    expect(error.message).toContain("its layout has the version '2'");
    expect(error.remedy).toContain('newer version');
  });
});

describe('arrays of NumPy', () => {
  test.each(['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'big-endian', 'big-endian-i8', 'version3'])(
    '%s.npy',
    async (name) => {
      const file = await open(fixture(`${name}.npy`));
      expect(file.tensors).toMatchObject([{ name, shape: [2, 3, 4], bytes: expect.any(Number) as number }]);
      expect(await numbersOf(file.tensors[0])).toEqual(COUNTED);
    },
  );

  test('in archives, stored and compressed', async () => {
    for (const name of ['two.npz', 'stored.npz']) {
      const file = await open(fixture(name));
      expect(await numbersOf(tensorOf(file, 'images'))).toEqual(COUNTED);
      expect(await numbersOf(tensorOf(file, 'labels'))).toEqual([3, 1]);
      expect(tensorOf(file, 'images').form).toBe(name === 'two.npz' ? 'deflate' : undefined);
    }
  });

  test('of complex numbers are listed with what to do', async () => {
    const { tensors } = await open(fixture('complex.npy'));
    expect(tensors).toMatchObject([{ dtype: '<c8', shape: [2, 3, 4] }]);
    expect((await userErrorOf(() => statisticsOf(tensors[0]))).remedy).toContain('numpy.save');
  });

  test('that are damaged in an archive, or longer than their header says, are told of by their names', async () => {
    const x = readFileSync(fixture('f4.npy'));
    const long = await open(write('long.npz', zipSync({ 'x.npy': Buffer.concat([x, Buffer.alloc(5)]) })));
    expect((await userErrorOf(() => statisticsOf(long.tensors[0]))).message).toMatch(
      /'x' is not usable: .* but it has more/,
    );
    // Random numbers, so that there is much that is compressed.
    const numbers = Float32Array.from({ length: 9000 }, (_, i) => Math.sin(i * i));
    const header = Buffer.from(x.subarray(0, 128).toString('latin1').replace('(2, 3, 4)', '(9000,)  '), 'latin1');
    const archive = Buffer.from(zipSync({ 'x.npy': Buffer.concat([header, Buffer.from(numbers.buffer)]) }));
    archive.fill(0xff, archive.length / 2, archive.length / 2 + 100);
    const damaged = await open(write('damaged.npz', archive));
    expect(damaged.tensors).toMatchObject([{ name: 'x', elements: 9000 }]);
    // Damaged bytes may still be a compression, of another length.
    expect((await userErrorOf(() => statisticsOf(damaged.tensors[0]))).message).toMatch(
      /'x' is not usable: its (compression is damaged|9000 numbers of type float32 need 36000 bytes)/,
    );
    // Behind the local header and the name x.npy: a block of a kind that there is not.
    archive.fill(0xff, 30 + 5, 30 + 6);
    const [begun] = (await open(write('begun.npz', archive))).tensors;
    expect(begun.problem).toContain('x cannot be read: its compression is damaged');
  });

  test('column-major ones have the spectrum of the same tensor', async () => {
    const spectra: Float64Array[] = [];
    for (const name of ['fortran.npy', 'f4.npy'])
      spectra.push(await spectrumOf((await open(fixture(name))).tensors[0]));
    // Rounding of float32 numbers of the size 10.
    spectra[0].forEach((value, i) => expect(value).toBeCloseTo(spectra[1][i], 4));
    expect(spectra[0]).toHaveLength(2);
  });

  test('a zip archive without arrays says so', async () => {
    const error = await userErrorOf(() => open(write('x.npz', zipSync({ 'a.txt': new Uint8Array(3) }))));
    expect(error.message).toContain('without arrays');
  });
});

describe('a model.json', () => {
  const weights = [
    { name: 'fc/kernel', shape: [2, 3], dtype: 'float32' },
    { name: 'fc/bias', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
  ];
  const saved = (paths: string[]) =>
    JSON.stringify({
      format: 'layers-model',
      generatedBy: 'test',
      modelTopology: {},
      weightsManifest: [{ paths, weights }],
    });
  const bytes = Buffer.concat([Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer), Buffer.of(0, 2, 6)]);

  test('has its weights in shards, which end within a number', async () => {
    write('a.bin', bytes.subarray(0, 10));
    write('b.bin', bytes.subarray(10));
    const file = await open(write('model.json', saved(['a.bin', 'b.bin'])));
    expect(await numbersOf(tensorOf(file, 'fc/kernel'))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(tensorOf(file, 'fc/bias')).toMatchObject({ dtype: 'float32', form: 'uint8', bytes: 3 });
    expect(await numbersOf(tensorOf(file, 'fc/bias'))).toEqual([-1, 0, 2]);
    expect(file.metadata).toEqual([
      ['format', 'layers-model'],
      ['generatedBy', 'test'],
    ]);
  });

  test('says at each weight that its shard is missing or too short', async () => {
    const file = await open(write('model.json', saved(['a.bin'])));
    expect(tensorOf(file, 'fc/kernel').problem).toContain('a.bin does not exist');
    write('a.bin', bytes.subarray(0, 26));
    const short = await open(path('model.json'));
    expect(await numbersOf(tensorOf(short, 'fc/kernel'))).toHaveLength(6);
    expect(tensorOf(short, 'fc/bias').problem).toContain('it needs 3 bytes, but its weight files have 2 left');
  });

  test('is not every JSON file', async () => {
    expect((await userErrorOf(() => open(write('package.json', '{"name": "x"}')))).message).toContain(
      "no 'modelTopology'",
    );
    expect((await userErrorOf(() => open(write('x.json', '{')))).message).toContain('not valid JSON');
  });
});

describe('a file', () => {
  const one = encodeSafetensors(new Map([['x', { dtype: 'F32', shape: [4], data: Float32Array.of(1, 2, 3, 4) }]]));

  test('that is missing, a folder, empty, a web page or of another kind is refused with a remedy', async () => {
    const cases: [() => unknown, RegExp][] = [
      [() => open(path('none.onnx')), /none\.onnx cannot be read: there is no such file/],
      [() => open(write('x.tflite', '\x80\x02}q\x00')), /is no model file that can be read/],
      [() => open(path('.')), /is no folder of a model/],
      [() => open(write('x.onnx', '')), /x\.onnx is not usable: it is empty/],
      [() => open(write('x.safetensors', '<!DOCTYPE html><p>')), /it is a web page, not the data/],
      [() => open(write('x.npy', 'version https://git-lfs.github.com/spec/v1')), /a pointer of Git LFS/],
    ];
    for (const [call, message] of cases) {
      const error = await userErrorOf(call);
      expect(error.message).toMatch(message);
      expect(error.remedy).toBeTruthy();
    }
  });

  test.each([
    ['formats/fixtures/all-types.safetensors', 'safetensors'],
    ['inspect/fixtures/all-types.onnx', 'ONNX'],
    ['formats/fixtures/two.npz', 'NumPy archive'],
    ['formats/fixtures/f4.npy', 'NumPy array'],
    ['models/keras/fixtures/cnn/model.keras', 'Keras model'],
    ['formats/fixtures/hdf5/layouts.h5', 'HDF5'],
    ['inspect/fixtures/torch/lenet.pt', 'PyTorch checkpoint'],
    ['inspect/fixtures/torch/legacy.pth', 'PyTorch checkpoint'],
    ['inspect/fixtures/torch/model-00001-of-00002.safetensors', 'safetensors'],
  ])('is known by its content, under whatever name: %s', async (fixture, format) => {
    const content = readFileSync(new URL(`../${fixture}`, import.meta.url));
    for (const name of ['downloaded', 'model.bin', 'x.onnx', 'x.npy'])
      expect((await open(write(name, content))).format).toBe(format);
  });

  test('that a folder holds as the Hugging Face Hub has it is opened by the name of the folder', async () => {
    write('config.json', '{}');
    write('model.safetensors', one);
    const model = await open(path('.'));
    expect(model.path).toBe(path('model.safetensors'));
    expect(model.tensors.map(({ name }) => name)).toEqual(['x']);
  });

  test('that changes while it is open is not read any further', async () => {
    const tensor = tensorOf(await open(write('x.safetensors', one)), 'x');
    expect(await numbersOf(tensor)).toEqual([1, 2, 3, 4]);
    appendFileSync(path('x.safetensors'), 'more');
    const grown = await userErrorOf(() => numbersOf(tensor));
    expect(grown.message).toContain('has changed since it was opened');
    expect(grown.remedy).toBe('Open it again.');
    writeFileSync(path('x.safetensors'), 'short');
    expect((await userErrorOf(() => numbersOf(tensor))).message).toContain('has changed');
  });

  test.runIf(process.platform !== 'win32')('that is deleted while it is open stays readable', async () => {
    const tensor = tensorOf(await open(write('x.safetensors', one)), 'x');
    rmSync(path('x.safetensors'));
    expect(await numbersOf(tensor)).toEqual([1, 2, 3, 4]);
  });
});

describe('statistics', () => {
  const of = async (data: Float32Array) => {
    const file = encodeSafetensors(new Map([['x', { dtype: 'F32', shape: [data.length], data }]]));
    return tensorOf(await open(write('x.safetensors', file)), 'x');
  };

  test('of numbers in many parts are those of all of them', async () => {
    const count = 700_000; // Three parts of a megabyte.
    const numbers = Float32Array.from({ length: count }, (_, i) => (i % 7 === 0 ? 0 : Math.sin(i) + 1000));
    const tensor = await of(numbers);
    const { mean = NaN, deviation = NaN, zeros, minimum, maximum } = await statisticsOf(tensor);
    const all = [...numbers];
    const expected = all.reduce((sum, value) => sum + value, 0) / count;
    const variance = all.reduce((sum, value) => sum + (value - expected) ** 2, 0) / count;
    expect(zeros).toBe(count / 7);
    expect(minimum).toBe(0);
    expect(maximum).toBe(all.reduce((most, value) => Math.max(most, value)));
    // Both add in float64.
    expect(mean).toBeCloseTo(expected, 8);
    expect(deviation).toBeCloseTo(Math.sqrt(variance), 8);
    const { counts } = await histogramOf(tensor, await statisticsOf(tensor));
    expect(counts.reduce((sum, bin) => sum + bin)).toBe(count);
    expect(counts[0]).toBe(count / 7);
  });

  test('leave out what is not finite; without a finite number there is no mean', async () => {
    expect(await statisticsOf(await of(Float32Array.of(NaN, 1, Infinity, 3)))).toEqual({
      zeros: 0,
      notFinite: 2,
      minimum: 1,
      maximum: 3,
      mean: 2,
      deviation: 1,
    });
    const nothing = await of(Float32Array.of(NaN, -Infinity));
    expect(await statisticsOf(nothing)).toEqual({ zeros: 0, notFinite: 2 });
    const { counts } = await histogramOf(nothing, await statisticsOf(nothing));
    expect(counts.every((count) => count === 0)).toBe(true);
  });

  test('of numbers that are all the same, of none, and of the widest range have a histogram', async () => {
    const rows: [Float32Array, number][] = [
      [new Float32Array(5).fill(-3), 5],
      [new Float32Array(0), 0],
      [Float32Array.of(-3.4e38, 3.4e38, 0), 3],
      [Float32Array.of(1e-45, 2e-45), 2],
    ];
    for (const [numbers, count] of rows) {
      const tensor = await of(numbers);
      const { counts } = await histogramOf(tensor, await statisticsOf(tensor));
      expect(counts.reduce((sum, bin) => sum + bin)).toBe(count);
    }
  });

  test('end when they are cancelled', async () => {
    const tensor = await of(new Float32Array(700_000));
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(statisticsOf(tensor, controller.signal)).rejects.toThrow('enough');
  });
});

describe('the spectrum', () => {
  test('is that of the matrix with a row for each output: the last axis of a kernel, the first of a PyTorch weight', async () => {
    const shape = [2, 2, 3];
    const data = Float32Array.of(3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0);
    const file = await open(
      write(
        'x.safetensors',
        encodeSafetensors(new Map(['conv/kernel', 'conv.weight'].map((name) => [name, { dtype: 'F32', shape, data }]))),
      ),
    );
    // As [4, 3] the columns are orthogonal, of the lengths 3, 2 and 1; as [2, 6] the rows are, of (9 + 4)^(1/2) and 1.
    const [kernel, weight] = await Promise.all(
      ['conv/kernel', 'conv.weight'].map((name) => spectrumOf(tensorOf(file, name))),
    );
    [3, 2, 1].forEach((value, i) => expect(kernel[i]).toBeCloseTo(value, 6));
    [Math.sqrt(13), 1].forEach((value, i) => expect(weight[i]).toBeCloseTo(value, 6));
  });

  test('of a vector, and of numbers that are not finite, is refused', async () => {
    const tensors = new Map([
      ['bias', { dtype: 'F32' as const, shape: [2], data: new Float32Array(2) }],
      ['w', { dtype: 'F32' as const, shape: [1, 2], data: Float32Array.of(1, NaN) }],
    ]);
    const file = await open(write('x.safetensors', encodeSafetensors(tensors)));
    expect((await userErrorOf(() => spectrumOf(tensorOf(file, 'bias')))).message).toContain(
      'cannot be read as a matrix',
    );
    expect((await userErrorOf(() => spectrumOf(tensorOf(file, 'w')))).message).toContain('not finite');
  });
});
