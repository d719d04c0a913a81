/** @file Files of `torch.save` and models in several files. All were written by test/bench/python/state_dicts.py. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { statisticsOf } from '../../../server/inspect/statistics.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { numbersOf, openedFiles, tensorOf } from './opened.ts';

const { open, write } = openedFiles();
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/torch/${name}`, import.meta.url));
const content = (name: string) => readFileSync(fixture(name));
const SIZES = [0, 1, 2, 7];

describe('a file of torch.save', () => {
  test('has numbers of every type, and of tensors that are views of others', async () => {
    const file = await open(fixture('numbers.pt'));
    const numbers = async (name: string) => [tensorOf(file, name).shape, await numbersOf(tensorOf(file, name))];
    const counted = Array.from({ length: 24 }, (_, i) => i);
    expect(await numbers('transposed')).toEqual([[6, 4], counted.map((_, i) => 6 * (i % 4) + Math.floor(i / 4))]);
    expect(await numbers('part')).toEqual([
      [2, 3],
      [8, 9, 10, 14, 15, 16],
    ]);
    expect(await numbers('whole')).toEqual([[24], counted]);
    expect(await numbers('again')).toEqual([[24], counted]);
    expect(await numbers('expanded')).toEqual([[2, 3], new Array(6).fill(7)]);
    expect(await numbers('scalar')).toEqual([[], [5]]);
    expect(await numbers('empty')).toEqual([[0, 3], []]);
    expect(await numbers('parameter')).toEqual([[2], [1, 1]]);
    expect(await numbers('bool')).toEqual([[2], [1, 0]]);
    for (const type of [
      'float64',
      'float16',
      'bfloat16',
      'int64',
      'int32',
      'int16',
      'int8',
      'uint8',
      'uint16',
      'float8_e4m3fn',
    ]) {
      expect(tensorOf(file, type).dtype).toBe(type);
      expect(await numbersOf(tensorOf(file, type))).toEqual(SIZES);
    }
    expect(tensorOf(file, 'complex').problem).toBe(
      'complex cannot be read: its element type complex64 cannot be read.',
    );
  });

  test('is read in the form before PyTorch 1.6, and with a later protocol of pickles', async () => {
    const [legacy, later] = await Promise.all(['legacy.pth', 'protocol4.pt'].map((name) => open(fixture(name))));
    expect(legacy.tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['fc1.weight', [3, 4]],
      ['fc1.bias', [3]],
      ['fc2.weight', [2, 3]],
      ['fc2.bias', [2]],
    ]);
    for (const tensor of later.tensors)
      expect(await numbersOf(tensorOf(legacy, tensor.name))).toEqual(await numbersOf(tensor));
  });

  test('that is a checkpoint has the state dict by its names, and the rest by the way to it', async () => {
    const { tensors } = await open(fixture('checkpoint.pt'));
    const names = (isOfModel: boolean) =>
      tensors.filter((tensor) => (tensor.isOfModel ?? true) === isOfModel).map(({ name }) => name);
    expect(names(true)).toEqual(['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias']);
    expect(names(false)).toContain('optimizer.state.0.exp_avg');
  });

  test.each<[string, () => Uint8Array, RegExp]>([
    [
      'cut off',
      () => content('numbers.pt').subarray(0, 3000),
      /it is no valid file of torch\.save: it has no directory at its end/,
    ],
    [
      'of the old form, cut off',
      () => content('legacy.pth').subarray(0, -4),
      /tensor 'fc\d\.\w+' ends at byte \d+, but the file has only \d+: it is cut off/,
    ],
    [
      'of the old form, with half a pickle',
      () => content('legacy.pth').subarray(0, 300),
      /its pickle is cut off at byte 300/,
    ],
    ['something else', () => new Uint8Array(100), /it is no file of torch\.save/],
    ['a web page', () => Buffer.from('<!doctype html><p>Not found'), /it is a web page, not the data/],
    ['another zip archive', () => zipSync({ 'a.txt': new Uint8Array(3) }), /a zip archive without data\.pkl/],
    // A thousand times smaller than what comes out of it.
    [
      'a zip bomb',
      () => zipSync({ 'net/data.pkl': new Uint8Array(2 ** 24) }),
      /net\/data\.pkl is compressed, which torch\.save never does/,
    ],
    [
      'a pickle of something else',
      () => Buffer.from('\x80\x02}.', 'latin1'),
      /it is a pickle, but none of torch\.save/,
    ],
    [
      'an opcode that runs code',
      () => stored("\x80\x02(S'touch x'\nios\nsystem\n."),
      /has at byte \d+ the opcode 0x53, which torch\.save does not write/,
    ],
    [
      'a function of Python',
      () => stored('\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.'),
      /its pickle asks Python for builtins\.eval/,
    ],
    ['a whole module', () => content('module.pt'), /a whole pickled object of the class __main__\.Net/],
    ['no tensors', () => stored('\x80\x02}.'), /it holds no tensors/],
    [
      'a storage that is not there',
      () => stored(tensorPickle('9', 1, 1)),
      /it lacks net\/data\/9: it was not written to its end/,
    ],
    [
      'a storage that is shorter than it says',
      () => stored(tensorPickle('0', 9, 1)),
      /tensor 'w' needs 36 bytes, but its storage has only 4: it is cut off/,
    ],
  ])('that cannot be read is explained: %s', async (_, bytes, message) => {
    const error = await userErrorOf(() => open(write('net.pt', bytes())));
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
  });

  test('whose tensor leaves its storage says so at the tensor', async () => {
    const file = await open(write('net.pt', stored(tensorPickle('0', 1, 200))));
    expect(tensorOf(file, 'w').problem).toBe('w cannot be read: it needs 800 bytes, but its storage has 4.');
  });
});

describe('tensors that PyTorch stores in another way', () => {
  const numbers = Buffer.from(Float32Array.of(1, -2, 0, 4).buffer);
  const storage = (kind: string) => `(${text('storage')}ctorch\n${kind}\n${text('0')}${text('cpu')}K\x04tQ`;
  const entry = (name: string, call: string, args: string) => `${text(name)}ctorch._utils\n${call}\n(${args}tRs`;
  const dense = entry('w', '_rebuild_tensor_v2', `${storage('FloatStorage')}K\0K\x04\x85K\x01\x85\x89}`);

  test.each<[string, string]>([
    ['_rebuild_tensor_v2', `${storage('FloatStorage')}K\0K\x04\x85K\x01\x85\x89}`],
    ['_rebuild_tensor_v3', `${storage('FloatStorage')}K\0K\x04\x85K\x01\x85\x89}ctorch\nfloat32\n`],
  ])('as a view with the other sign are read with it: %s', async (call, args) => {
    const negated = entry('minus', call, `${args}}${text('neg')}\x88s`);
    const file = await open(write('net.pt', stored(`\x80\x02}${dense}${negated}.`, numbers)));
    expect(await numbersOf(tensorOf(file, 'w'))).toEqual([1, -2, 0, 4]);
    expect(await numbersOf(tensorOf(file, 'minus'))).toEqual([-1, 2, 0, -4]);
  });

  const view = (kind: string) => `ctorch._utils\n_rebuild_tensor_v2\n(${storage(kind)}K\0K\x02\x85K\x01\x85\x89}tR`;
  const layout = (name: string) => `ctorch.serialization\n_get_layout\n${text(name)}\x85R`;
  const size = `ctorch\nSize\nK\x03K\x05\x86\x85R`;
  const scale = `(ctorch\nper_tensor_affine\nG\x3f\xb9\x99\x99\x99\x99\x99\x9aK\x0at`;

  test.each<[string, string, object, RegExp]>([
    [
      'sparse',
      entry(
        'other',
        '_rebuild_sparse_tensor',
        `${layout('torch.sparse_coo')}(${view('LongStorage')}${view('FloatStorage')}${size}\x88t`,
      ),
      { shape: [3, 5], dtype: 'float32', problem: 'other cannot be read: its zeros are not stored (a sparse tensor).' },
      /tensor\.to_dense\(\)/,
    ],
    [
      'sparse by compressed rows',
      entry(
        'other',
        '_rebuild_sparse_tensor',
        `${layout('torch.sparse_csr')}(${view('LongStorage')}${view('LongStorage')}${view('FloatStorage')}${size}t`,
      ),
      { shape: [3, 5], dtype: 'float32' },
      /tensor\.to_dense\(\)/,
    ],
    [
      'quantized',
      entry('other', '_rebuild_qtensor', `${storage('QInt8Storage')}K\0K\x04\x85K\x01\x85${scale}\x89}`),
      { shape: [4], dtype: 'qint8', problem: 'other cannot be read: its element type qint8 cannot be read.' },
      /tensor\.dequantize\(\)/,
    ],
  ])('and that are %s say so, and the others are read', async (_, other, expected, remedy) => {
    const file = await open(write('net.pt', stored(`\x80\x02}${dense}${other}.`, numbers)));
    expect(await numbersOf(tensorOf(file, 'w'))).toEqual([1, -2, 0, 4]);
    expect(tensorOf(file, 'other')).toMatchObject(expected);
    expect((await userErrorOf(() => numbersOf(tensorOf(file, 'other')))).remedy).toMatch(remedy);
  });

  test('is no sparse tensor where its parts are missing', async () => {
    const other = entry('other', '_rebuild_sparse_tensor', `${layout('torch.sparse_coo')}(${view('LongStorage')}t`);
    const error = await userErrorOf(() => open(write('net.pt', stored(`\x80\x02}${dense}${other}.`, numbers))));
    expect(error.message).toMatch(/a sparse tensor without valid values or shape/);
  });
});

describe('the index of a model in several files', () => {
  test('has the tensors of all of them', async () => {
    const file = await open(fixture('model.safetensors.index.json'));
    expect(file.format).toBe('model in 2 files');
    expect(file.tensors.map(({ name, dtype }) => [name, dtype])).toEqual(
      ['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'].map((name) => [name, 'bfloat16']),
    );
    const exact = await open(fixture('floats.safetensors'));
    const [{ maximum }, { maximum: exactMaximum }] = await Promise.all(
      [file, exact].map((one) => statisticsOf(tensorOf(one, 'fc2.weight'))),
    );
    expect(maximum).toBeCloseTo(exactMaximum ?? NaN, 2);
  });

  test.each([
    ['is no JSON', '{', /it is not valid JSON/],
    ['has no table', '{}', /it has no weight_map/],
    ['names no file', '{ "weight_map": { "a": 3 } }', /its weight_map names no file for 'a'/],
    [
      'names a file elsewhere',
      '{ "weight_map": { "a": "../b.safetensors" } }',
      /\.\.\/b\.safetensors is outside of the folder/,
    ],
    [
      'names another kind of file',
      '{ "weight_map": { "a": "x.index.json" } }',
      /x\.index\.json, which is neither a safetensors file nor/,
    ],
    [
      'names a tensor that is not there',
      '{ "weight_map": { "a": "b.safetensors" } }',
      /its file b\.safetensors has no tensor 'a'/,
    ],
    [
      'names a damaged file',
      '{ "weight_map": { "a": "c.safetensors" } }',
      /its file c\.safetensors is not usable: it has 3 bytes/,
    ],
  ])('that %s is explained', async (_, text, message) => {
    write('b.safetensors', content('floats.safetensors'));
    write('c.safetensors', 'abc');
    const error = await userErrorOf(() => open(write('x.index.json', text)));
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
  });
});

/** An archive as torch.save writes it, with one storage. */
function stored(pickle: string, storage = new Uint8Array(4)): Uint8Array {
  return zipSync({ 'net/data.pkl': Buffer.from(pickle, 'latin1'), 'net/data/0': storage }, { level: 0 });
}

/** A text of a pickle. */
function text(value: string): string {
  return `X${String.fromCharCode(value.length)}\0\0\0${value}`;
}

/** A table with a tensor `w` of `count` elements in a storage that should have `elements`. */
function tensorPickle(key: string, elements: number, count: number): string {
  const byte = (value: number) => `K${String.fromCharCode(value)}`;
  const id = `(${text('storage')}ctorch\nFloatStorage\n${text(key)}${text('cpu')}${byte(elements)}tQ`;
  return `\x80\x02}${text('w')}ctorch._utils\n_rebuild_tensor_v2\n(${id}${byte(0)}${byte(count)}\x85${byte(1)}\x85\x89}tRs.`;
}
