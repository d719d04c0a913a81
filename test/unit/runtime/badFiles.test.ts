import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../../runtime/index.ts';
import { DenseWeight } from '../../../server/formats/packed/dense.ts';
import type { PackedWeight } from '../../../server/formats/packed/packedFile.ts';
import { Random } from '../../../server/formats/random.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../server/formats/safetensors.ts';
import { pack, packedFile, randomWeight } from './packedModel.ts';

const { layers } = tf;
const plain = () => tf.sequential({ layers: [layers.dense({ name: 'fc', units: 3, inputShape: [4] })] });

/** A file with other metadata, or without some of them. */
function withMetadata(file: Uint8Array, change: Readonly<Record<string, string | undefined>>): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(file);
  const kept = Object.entries({ ...metadata, ...change }).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, value]],
  );
  return encodeSafetensors(tensors, Object.fromEntries(kept));
}

/** A file whose topology is that of a model after a change of its text. */
function withTopology(model: tf.LayersModel, from: string | RegExp, to: string): Uint8Array {
  const file = pack(model, 'dense');
  const text = JSON.stringify(model.toJSON(null, false));
  expect(text).toMatch(from);
  return withMetadata(file, { model: text.replace(from, to) });
}

const refusals: Readonly<Record<string, [() => Uint8Array, string | RegExp]>> = {
  'an empty file': [() => new Uint8Array(), 'it has 0 bytes'],
  'another kind of file': [
    () => new TextEncoder().encode('<html>not found</html>'),
    /its header should have \d+ bytes/,
  ],
  'a file that is cut off': [() => pack(plain(), 'dense').subarray(0, -5), /tensor 'fc\/\w+' ends at byte/],
  'a safetensors file that is not packed': [
    () => encodeSafetensors(new Map([['w', { dtype: 'F32', shape: [1], data: new Float32Array(1) }]])),
    'it is no packed file',
  ],
  'a newer layout': [
    () => withMetadata(pack(plain(), 'dense'), { deeptwist: '2' }),
    /version '2'.* newer version of DeepTwist/,
  ],
  'a form that is not known': [
    () => withMetadata(pack(plain(), 'sparse'), { 'fc/kernel': 'huffman 4,3' }),
    /'fc\/kernel' cannot be read: .*does not know its form 'huffman'/,
  ],
  'a file without a topology': [
    () => withMetadata(pack(plain(), 'dense'), { model: undefined }),
    /no topology.*--format packed/,
  ],
  'a topology that is no JSON': [() => withMetadata(pack(plain(), 'dense'), { model: '{' }), 'not valid JSON'],
  'a topology that is no model': [
    () => withMetadata(pack(plain(), 'dense'), { model: '[]' }),
    'without class_name and config',
  ],
  'a topology of another class': [
    () => withMetadata(pack(plain(), 'dense'), { model: '{"class_name":"Thing","config":{}}' }),
    'neither a Sequential nor a Functional model',
  ],
  'a class of layer that is not known': [
    () => withTopology(plain(), '"Dense"', '"MultiHeadAttention"'),
    /its layer 'fc' is of the class MultiHeadAttention, which the runtime does not know/,
  ],
  'an activation that is not known': [
    () => withTopology(plain(), '"linear"', '"cube"'),
    /layer 'fc' \(Dense\).*activation is 'cube'/,
  ],
  'a weight that is missing': [
    () => packedFile(plain().toJSON(null, false), new Map()),
    "it has no weight 'fc/kernel'",
  ],
  'a kernel of another shape': [
    () => withTopology(plain(), '"units":3', '"units":4'),
    /'fc\/kernel' has the shape \[4,3\]/,
  ],
  'an input of another shape': [
    () => withTopology(plain(), '[null,4]', '[null,5]'),
    /layer 'fc' \(Dense\).*shape \[5\]/,
  ],
  'no units': [() => withTopology(plain(), '"units":3', '"units":-3'), 'units is no whole number of at least 1'],
  'an input of a billion numbers': [
    () =>
      withTopology(
        tf.sequential({ layers: [layers.activation({ activation: 'relu', inputShape: [4] })] }),
        '[null,4]',
        '[null,1500000000]',
      ),
    /it needs \d+ bytes of memory, which are not there/,
  ],
  'a layer with a billion outputs': [
    () => {
      const weights = new Map<string, PackedWeight>([['fc/kernel', randomWeight(new Random(1), 'sparse', [4, 300])]]);
      const model = tf.sequential({
        layers: [layers.dense({ name: 'fc', units: 300, useBias: false, inputShape: [4] })],
      });
      const topology = JSON.stringify(model.toJSON(null, false)).replace('"units":300', '"units":1000000000');
      const file = packedFile({}, weights);
      const { metadata } = decodeSafetensors(file);
      return withMetadata(file, {
        'fc/kernel': metadata['fc/kernel'].replace('4,300', '4,1000000000'),
        model: topology,
      });
    },
    /'fc\/kernel' has the shape \[4,1000000000\]/,
  ],
  'layers that wait for one another': [
    () => {
      const input = tf.input({ shape: [4], name: 'x' });
      const [a, b] = ['a', 'b'].map((name) => layers.activation({ name, activation: 'relu' }));
      const hidden = a.apply(input);
      if (!(hidden instanceof tf.SymbolicTensor)) throw new TypeError('no symbolic tensor');
      const end = b.apply(hidden);
      if (!(end instanceof tf.SymbolicTensor)) throw new TypeError('no symbolic tensor');
      return withTopology(tf.model({ inputs: input, outputs: end }), '[[["x",0,0,{}]]]', '[[["b",0,0,{}]]]');
    },
    /layer 'a' \(Activation\).*made by no layer/,
  ],
  'a mask': [
    () =>
      pack(
        tf.sequential({ layers: [layers.embedding({ inputDim: 4, outputDim: 2, maskZero: true, inputLength: 3 })] }),
        'dense',
      ),
    'mask_zero',
  ],
  'channels first': [
    () =>
      pack(
        tf.sequential({
          layers: [layers.conv2d({ filters: 2, kernelSize: 1, dataFormat: 'channelsFirst', inputShape: [3, 4, 4] })],
        }),
        'dense',
      ),
    "data_format is 'channels_first'; the runtime has channels_last",
  ],
};

describe('a file that cannot be run is refused with what is wrong:', () => {
  test.each(Object.entries(refusals))('%s', async (_, [file, message]) => {
    await expect(loadModel(file())).rejects.toThrow(message);
    await expect(loadModel(file())).rejects.toThrow(/^The model cannot be loaded: (it|tensor)/);
  });
});

test('an address that is not there is refused with its name', async () => {
  await expect(loadModel('net.safetensors')).rejects.toThrow(/cannot be fetched\. .*await readFile\(PATH\)/);
  await expect(loadModel('data:application/json,{}')).rejects.toThrow(
    'data:application/json,{} cannot be loaded: it has 2 bytes',
  );
});

test('the bytes may be an ArrayBuffer, at any place of one, or at an address', async () => {
  const file = pack(plain(), 'sparse');
  const x = Float32Array.of(1, 2, 3, 4);
  const expected = (await loadModel(file)).predict(x)[0].slice();
  const shifted = new Uint8Array(file.length + 3);
  shifted.set(file, 3);
  const whole = new Uint8Array(file);
  const address = `data:application/octet-stream;base64,${Buffer.from(file).toString('base64')}`;
  for (const source of [shifted.subarray(3), whole.buffer, address, new URL(address)])
    expect((await loadModel(source)).predict(x)[0]).toEqual(expected);
});

test('a model that is loaded depends no more on the bytes it came from', async () => {
  const file = pack(plain(), 'sparse');
  const model = await loadModel(file);
  const x = Float32Array.of(1, 2, 3, 4);
  const before = model.predict(x)[0].slice();
  file.fill(255);
  expect(model.predict(x)[0]).toEqual(before);
});

/** Every prefix of a file, and files with one byte changed, give a model or one clear message. */
test('no damaged file makes the runtime fail in another way', async () => {
  const model = tf.sequential({
    layers: [
      layers.embedding({ name: 'words', inputDim: 5, outputDim: 4, inputLength: 3 }),
      layers.lstm({ name: 'lstm', units: 4 }),
      layers.dense({ name: 'fc', units: 3 }),
    ],
  });
  const random = new Random(7);
  for (const form of ['sparse', 'codes', 'factors', 'dense'] as const) {
    const file = pack(model, form);
    for (let i = 0; i < 100; i++) {
      const damaged = i < 20 ? file.slice(0, Math.floor((file.length * i) / 20)) : file.slice();
      if (i >= 20) damaged[Math.floor(random.uniform() * damaged.length)] = Math.floor(256 * random.uniform());
      const outcome = await loadModel(damaged).then(
        (loaded) => {
          if (loaded.inputs.length === 1 && loaded.inputs[0].shape.length === 2)
            loaded.predict(new Float32Array(loaded.inputs[0].shape[1] ?? 1));
          return '';
        },
        (error: unknown) => (error instanceof Error ? error.message : 'no error'),
      );
      expect(outcome).toMatch(/^$|^The model cannot be loaded: /);
    }
  }
});

test('weights that the topology does not name are left where they are', async () => {
  const weights = new Map<string, PackedWeight>([
    ['fc/kernel', new DenseWeight([4, 3], new Float32Array(12).fill(1))],
    ['fc/bias', new DenseWeight([3], new Float32Array(3))],
    ['other', new DenseWeight([1000], new Float32Array(1000))],
  ]);
  const model = await loadModel(packedFile(plain().toJSON(null, false), weights));
  expect(model.memory.weights).toBeLessThan(200);
  expect(model.predict(Float32Array.of(1, 2, 3, 4))[0]).toEqual(Float32Array.of(10, 10, 10));
});
