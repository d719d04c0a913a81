/** @file Starting weights of every kind of file. Those of PyTorch were written by test/bench/python/state_dicts.py. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeSafetensors, type Safetensor } from '../../../../server/formats/safetensors.ts';
import { ResetAfterGRU } from '../../../../server/models/keras/layers/resetAfterGru.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { computedByPytorch } from '../../../../server/models/pytorchWeights.ts';
import type { Renaming } from '../../../../server/protocol/experiment/schema.ts';
import { loadWeights } from '../../../../server/training/start/loadWeights.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { differenceFromTorch, small, torchModels, type TorchModel } from './torchModels.ts';

/** PyTorch and TensorFlow.js add up the same float32 numbers in another order. */
const SAME = 1e-5;

const fixture = (name: string) => fileURLToPath(new URL(`../../inspect/fixtures/torch/${name}`, import.meta.url));
let folder: string;

beforeEach(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-start-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The net of state_dicts.py: two dense layers. */
const net = (first = 'fc1', second = 'fc2') =>
  tf.sequential({
    layers: [tf.layers.dense({ name: first, units: 3, inputShape: [4] }), tf.layers.dense({ name: second, units: 2 })],
  });

const load = (model: tf.LayersModel, file: string, rename?: Renaming, complete = false) =>
  loadWeights(model, file, { complete, ...(rename && { rename }) });

function values(model: tf.LayersModel): Map<string, number[]> {
  return new Map(modelWeights(model).map(({ name, variable }) => [name, [...variable.dataSync()]]));
}

function write(tensors: Record<string, readonly number[]>): string {
  const path = join(folder, 'x.safetensors');
  const entries = Object.entries(tensors).map(([name, shape], i): [string, Safetensor] => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, j) => i + j / 100);
    return [name, { dtype: 'F32', shape, data }];
  });
  writeFileSync(path, encodeSafetensors(new Map(entries)));
  return path;
}

function writeModel(model: tf.LayersModel, first?: number): string {
  const tensors = modelWeights(model).map(({ name, shape, variable }, i): [string, Safetensor] => {
    const data = Float32Array.from(variable.dataSync());
    if (i === 0 && first !== undefined) data[0] = first;
    return [name, { dtype: 'F32', shape, data }];
  });
  const path = join(folder, 'x.safetensors');
  writeFileSync(path, encodeSafetensors(new Map(tensors)));
  return path;
}

async function saveModel(model: tf.LayersModel): Promise<string> {
  await model.save(
    tf.io.withSaveHandler(({ modelTopology, weightSpecs: weights, weightData }) => {
      writeFileSync(join(folder, 'weights.bin'), Buffer.from(weightData as ArrayBuffer));
      const json = { format: 'layers-model', modelTopology, weightsManifest: [{ paths: ['weights.bin'], weights }] };
      writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } });
    }),
  );
  return join(folder, 'model.json');
}

function damagedFile(): string {
  const path = join(folder, 'bad.safetensors');
  writeFileSync(path, 'damaged');
  return path;
}

describe('weights under the names of the model', () => {
  test('come from safetensors or from model.json, whatever number tfjs gave the layers', async () => {
    const original = net('dense_Dense7');
    for (const path of [writeModel(original), await saveModel(original)]) {
      const model = net('dense_Dense9');
      expect(values(model)).not.toEqual(values(original));
      const { weights, warnings } = await load(model, path, undefined, true);
      expect(weights.map(({ name, tensors: [from] }) => name === from)).toEqual([true, true, true, true]);
      expect(warnings).toEqual([]);
      expect(values(model)).toEqual(values(original));
    }
  });

  test.each<[string, () => string, RegExp]>([
    [
      'missing',
      () => write({ 'fc1/kernel': [4, 3], 'fc1/bias': [3], 'fc2/kernel': [3, 2] }),
      /lacks fc2\/bias of the model; it has fc1\/kernel, fc1\/bias, fc2\/kernel$/,
    ],
    [
      'misshapen',
      () => write({ 'fc1/kernel': [4, 3], 'fc1/bias': [3], 'fc2/kernel': [3, 3], 'fc2/bias': [3] }),
      /shapes of the model: fc2\/kernel is \[3, 3\], not \[3, 2\], fc2\/bias is \[3\], not \[2\]/,
    ],
    ['no file', () => join(folder, 'none.safetensors'), /none\.safetensors does not exist\./],
    ['damaged', () => damagedFile(), /bad\.safetensors is not usable: it has 7 bytes/],
    ['not finite', () => writeModel(net(), NaN), /weights of .* are not finite: fc1\/kernel has NaN/],
  ])('that do not fit are named, and the model stays as it is: %s', async (_, path, message) => {
    const model = net();
    const before = values(model);
    const error = await userErrorOf(() => load(model, path(), undefined, true));
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
    expect(values(model)).toEqual(before);
  });
});

describe('a state dict of PyTorch', () => {
  test.each(Object.keys(torchModels) as TorchModel[])('makes the same outputs as PyTorch: %s', async (name) => {
    const model = torchModels[name](small);
    const outputs = readFileSync(fixture(`${name}-outputs.safetensors`));
    expect(differenceFromTorch(model, outputs)).toBeGreaterThan(0.01);
    const { weights, warnings, count } = await load(model, fixture(`${name}.pt`), undefined, true);
    expect(weights).toHaveLength(count);
    expect(warnings).toEqual([]);
    expect(differenceFromTorch(model, outputs)).toBeLessThan(SAME);
  });

  test('is the same in every form that people have', async () => {
    const model = net();
    await load(model, fixture('floats.safetensors'));
    const exact = values(model);
    for (const file of ['legacy.pth', 'protocol4.pt']) {
      const other = net();
      await load(other, fixture(file));
      expect(values(other)).toEqual(exact);
    }
    // 8 and 11 bits of a number.
    for (const [file, digits] of [
      ['model.safetensors.index.json', 2],
      ['halves.safetensors', 3],
    ] as const) {
      const other = net();
      await load(other, fixture(file));
      for (const [name, numbers] of values(other))
        numbers.forEach((number, i) => expect(number).toBeCloseTo(exact.get(name)?.[i] ?? NaN, digits));
    }
  });

  test('is found in a checkpoint, whose optimizer is left alone', async () => {
    const model = net();
    const { weights, warnings } = await load(model, fixture('checkpoint.pt'));
    expect(weights.map(({ name, tensors }) => [name, ...tensors])).toEqual([
      ['fc1/kernel', 'fc1.weight'],
      ['fc1/bias', 'fc1.bias'],
      ['fc2/kernel', 'fc2.weight'],
      ['fc2/bias', 'fc2.bias'],
    ]);
    expect(warnings).toEqual([]);
  });

  test('says of each weight which tensors it is from, and how that was found', async () => {
    const { weights } = await load(torchModels.lstm(small), fixture('lstm.pt'));
    expect(weights).toEqual([
      { name: 'embedding/embeddings', tensors: ['embedding.weight'], by: 'name' },
      { name: 'lstm1/kernel', tensors: ['rnn.weight_ih_l0'], by: 'order' },
      { name: 'lstm1/recurrent_kernel', tensors: ['rnn.weight_hh_l0'], by: 'order' },
      { name: 'lstm1/bias', tensors: ['rnn.bias_ih_l0', 'rnn.bias_hh_l0'], by: 'order' },
      { name: 'lstm2/kernel', tensors: ['rnn.weight_ih_l1'], by: 'order' },
      { name: 'lstm2/recurrent_kernel', tensors: ['rnn.weight_hh_l1'], by: 'order' },
      { name: 'lstm2/bias', tensors: ['rnn.bias_ih_l1', 'rnn.bias_hh_l1'], by: 'order' },
      { name: 'fc/kernel', tensors: ['fc.weight'], by: 'name' },
      { name: 'fc/bias', tensors: ['fc.bias'], by: 'name' },
    ]);
  });

  test('of a GRU goes into a layer that has another function, which is told', async () => {
    const model = tf.sequential({
      layers: [tf.layers.gru({ name: 'rnn', units: 2, inputShape: [3, 1], recurrentActivation: 'sigmoid' })],
    });
    const file = write({
      'rnn.weight_ih_l0': [6, 1],
      'rnn.weight_hh_l0': [6, 2],
      'rnn.bias_ih_l0': [6],
      'rnn.bias_hh_l0': [6],
    });
    const { warnings } = await load(model, file, undefined, true);
    expect(warnings).toEqual([
      expect.stringMatching(/^rnn: PyTorch applies the reset gate of a GRU behind the product/),
    ]);
    // Gates r, z, n of PyTorch are blocks of two; here z is before r. The file's numbers count up by 0.01.
    const [kernel] = values(model).values();
    expect(kernel.map((value) => Math.round(100 * value))).toEqual([2, 3, 0, 1, 4, 5]);
  });

  test('of a GRU goes into that of Keras, with both biases in rows', async () => {
    const model = tf.sequential({
      layers: [new ResetAfterGRU({ name: 'rnn', units: 2, inputShape: [3, 1], recurrentActivation: 'sigmoid' })],
    });
    const file = write({
      'rnn.weight_ih_l0': [6, 1],
      'rnn.weight_hh_l0': [6, 2],
      'rnn.bias_ih_l0': [6],
      'rnn.bias_hh_l0': [6],
    });
    const { weights, warnings } = await load(model, file, undefined, true);
    expect(warnings).toEqual([]);
    expect(weights.at(-1)?.tensors).toEqual(['rnn.bias_ih_l0', 'rnn.bias_hh_l0']);
    const [kernel, , bias] = Array.from(values(model).values(), (all) => all.map((value) => Math.round(100 * value)));
    expect(kernel).toEqual([2, 3, 0, 1, 4, 5]);
    // Numbers of the third and the fourth tensor count up by 0.01; gates z, r, h in each row.
    expect(bias).toEqual([202, 203, 200, 201, 204, 205, 302, 303, 300, 301, 304, 305]);
  });

  test('of a GRU of Keras keeps the names, axes and gates that it has in files that are written', async () => {
    const model = tf.sequential({ layers: [new ResetAfterGRU({ name: 'rnn', units: 2, inputShape: [3, 1] })] });
    expect(computedByPytorch(model).map(({ parameter, shape }) => [parameter, shape])).toEqual([
      ['kernel', [1, 6]],
      ['recurrent_kernel', [2, 6]],
      ['bias', [2, 6]],
    ]);
    await load(
      model,
      write({ 'rnn.kernel': [1, 6], 'rnn.recurrent_kernel': [2, 6], 'rnn.bias': [2, 6] }),
      undefined,
      true,
    );
    expect(
      values(model)
        .get('rnn/bias')
        ?.map((value) => Math.round(100 * value)),
    ).toEqual(Array.from({ length: 12 }, (_, i) => 200 + i));
  });

  test('of layers that compute something else by their settings is told', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.lstm({ name: 'lstm', units: 1, inputShape: [2, 1] }),
        tf.layers.batchNormalization({ name: 'bn' }),
      ],
    });
    const file = write({
      ...{ 'lstm.weight_ih_l0': [4, 1], 'lstm.weight_hh_l0': [4, 1], 'lstm.bias_ih_l0': [4], 'lstm.bias_hh_l0': [4] },
      ...{ 'bn.weight': [1], 'bn.bias': [1], 'bn.running_mean': [1], 'bn.running_var': [1] },
    });
    expect((await load(model, file)).warnings).toEqual([
      'lstm: recurrentActivation is hardSigmoid here, and sigmoid in PyTorch: its outputs are others',
      'bn: epsilon is 0.001 here, and 0.00001 by default in PyTorch',
    ]);
  });
});

describe('names', () => {
  const state = { 'fc1.weight': [3, 4], 'fc1.bias': [3], 'fc2.weight': [2, 3], 'fc2.bias': [2] };
  const prefixed = (prefix: string) =>
    Object.fromEntries(Object.entries(state).map(([name, shape]) => [prefix + name, shape]));

  test.each([
    ['a prefix of all', prefixed('module.'), net()],
    ['two prefixes of all', prefixed('_orig_mod.model.'), net()],
    ['case and separators', prefixed('block1.0.'), net('Block1_0_Fc1', 'Block1_0_Fc2')],
    ['layers without names', prefixed(''), net('x', 'y')],
    ['tensors of Flax', { 'fc1.kernel': [4, 3], 'fc1.bias': [3], 'fc2.kernel': [3, 2], 'fc2.bias': [2] }, net()],
    ['weights with the names and axes of PyTorch', state, torchNamed()],
  ])('differ by convention: %s', async (_, tensors, model) => {
    const { weights, count, warnings } = await load(model, write(tensors));
    expect(weights).toHaveLength(count);
    expect(warnings).toEqual([]);
  });

  test('that a layer and a module share are stronger than order', async () => {
    const square = { 'a.weight': [4, 4], 'a.bias': [4], 'b.weight': [4, 4], 'b.bias': [4] };
    const model = tf.sequential({
      layers: ['b', 'a'].map((name) => tf.layers.dense({ name, units: 4, inputShape: [4] })),
    });
    const { weights } = await load(model, write(square));
    expect(weights.map(({ name, tensors: [from] }) => [name, from])).toEqual([
      ['b/kernel', 'b.weight'],
      ['b/bias', 'b.bias'],
      ['a/kernel', 'a.weight'],
      ['a/bias', 'a.bias'],
    ]);
  });

  test('are mapped by a table, with stars; null leaves out', async () => {
    const model = net('first', 'last');
    const file = write({ ...prefixed('net.'), 'net.fc3.weight': [2, 3], 'net.fc3.bias': [2] });
    const rename = {
      'net.fc1.weight': 'first/kernel',
      'net.fc1.*': 'first.*',
      'net.fc2.*': null,
      '*.fc3.*': '*.last.*',
    };
    const { weights, warnings } = await load(model, file, rename);
    expect(Object.fromEntries(weights.map(({ name, tensors }) => [name, tensors[0]]))).toEqual({
      'first/kernel': 'net.fc1.weight',
      'first/bias': 'net.fc1.bias',
      'last/kernel': 'net.fc3.weight',
      'last/bias': 'net.fc3.bias',
    });
    expect(warnings).toEqual([]);
    // The tensor keeps the axes that its name in the file tells of.
    expect(values(model).get('first/kernel')?.[1]).toBeCloseTo(0.04);
  });

  test('that the file or the model lacks are told, and initial values stay', async () => {
    const model = net('fc1', 'head');
    const before = values(model);
    const { weights, warnings } = await load(model, write({ ...state, 'fc2.weight': [7, 3], 'fc2.bias': [7] }));
    expect(weights.map(({ name }) => name)).toEqual(['fc1/kernel', 'fc1/bias']);
    expect(values(model).get('head/kernel')).toEqual(before.get('head/kernel'));
    expect(warnings).toEqual([
      'the file has nothing for head/kernel, head/bias: initial values stay.',
      'the model has no weight for fc2.weight, fc2.bias; left out.',
    ]);
  });

  test.each<[string, Record<string, readonly number[]>, Renaming | undefined, RegExp, RegExp]>([
    [
      'nothing fits',
      { 'a.weight': [9, 9], 'b.weight': [2, 3], 'b.bias': [7] },
      undefined,
      /^start: nothing of .*x\.safetensors fits the model: it has a\.weight, b\.weight, b\.bias, and the model fc1\/kernel, fc1\/bias/,
      /"rename": \{ "b\.weight": "fc2\/kernel" \}/,
    ],
    [
      'no shape fits',
      { 'a.weight': [9, 9] },
      undefined,
      /^start: nothing of .*x\.safetensors fits the model: it has a\.weight, and the model fc1\/kernel, fc1\/bias/,
      /No tensor has the shape of a weight/,
    ],
    [
      'a shape differs',
      { ...state, 'fc1.weight': [5, 4] },
      undefined,
      /fc1\.weight for fc1\/kernel is \[5, 4\], not \[3, 4\]/,
      /"rename": \{ "fc1\.weight": null \}/,
    ],
    [
      'a key names nothing',
      state,
      { 'fc1.wieght': 'fc1/kernel' },
      /^start\.rename\["?fc1\.wieght"?\]: the file has no tensor of this name/,
      /Did you mean 'fc1\.weight'\?/,
    ],
    [
      'a new name is that of no weight',
      state,
      { 'fc1.*': 'encoder.*' },
      /^start\.rename\["fc1\.\*"\]: the model has no weight for encoder\.weight, encoder\.bias/,
      /null leaves a tensor out/,
    ],
    [
      'a new name is misspelt',
      state,
      { 'fc1.weight': 'fc1/kernl', 'fc2.*': 'fc2.*' },
      /^start\.rename\["fc1\.weight"\]: the model has no weight for fc1\/kernl/,
      /Did you mean 'fc1\/kernel'\?/,
    ],
    [
      'two get one name',
      state,
      { 'fc1.bias': 'x', 'fc2.bias': 'x' },
      /^start\.rename: the tensors fc1\.bias and fc2\.bias would both be x/,
      /Give each a name/,
    ],
  ])('are refused where %s', async (_, tensors, rename, message, remedy) => {
    const error = await userErrorOf(() => load(net(), write(tensors), rename));
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  test('are refused by the setting that is there, whichever names the file', async () => {
    const options = { setting: ['start', 'from'], rename: { 'zzz.*': 'fc1.*' }, complete: false };
    const error = await userErrorOf(() => loadWeights(net(), write(state), options));
    expect(error.message).toMatch(/^start\.rename\["zzz\.\*"\]: the file has no tensor/);
  });
});

describe('files that cannot be loaded', () => {
  test.each([
    [
      'a whole module',
      'module.pt',
      /module\.pt is not usable: it holds a whole pickled object of the class __main__\.Net, not a state dict alone/,
      /torch\.save\(model\.state_dict\(\), /,
    ],
    [
      'a pickle that asks for code',
      'evil.pt',
      /evil\.pt is not usable: its pickle asks Python for posix\.system, which no state dict needs; it is refused/,
      /stranger/,
    ],
    ['a TorchScript module', 'scripted.pt', /it holds a TorchScript module \(__torch__\./, /torch\.jit\.load/],
  ])('%s', async (_, file, message, remedy) => {
    const error = await userErrorOf(() => load(net(), fixture(file)));
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  test('an element type that is not real', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
    const error = await userErrorOf(() => load(model, fixture('numbers.pt'), { complex: 'dense_Dense1/bias' }));
    expect(error.message).toMatch(/numbers\.pt: complex cannot be read: its element type complex64 cannot be read\./);
    expect(error.remedy).toMatch(/float/);
  });

  test('an index without one of its files', async () => {
    for (const name of ['model.safetensors.index.json', 'model-00001-of-00002.safetensors'])
      copyFileSync(fixture(name), join(folder, name));
    const error = await userErrorOf(() => load(net(), join(folder, 'model.safetensors.index.json')));
    expect(error.message).toMatch(/the weight file model-00002-of-00002\.safetensors does not exist/);
    expect(error.remedy).toBe('Put all files of the model into one folder.');
  });
});

/** A model as the import of an ONNX file makes it: weights that have PyTorch's names and axes. */
function torchNamed(): tf.LayersModel {
  class Linear extends tf.layers.Layer {
    static readonly className = 'Linear';
    readonly #shape: readonly [number, number];

    constructor(name: string, shape: readonly [number, number]) {
      super({ name });
      this.#shape = shape;
    }

    override build(): void {
      this.addWeight('weight', [...this.#shape], 'float32', tf.initializers.zeros());
      this.addWeight('bias', [this.#shape[0]], 'float32', tf.initializers.zeros());
      this.built = true;
    }

    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      const [weight, bias] = this.weights.map((variable) => variable.read());
      return tf.add(tf.matMul([inputs].flat()[0], weight, false, true), bias);
    }

    override computeOutputShape(): tf.Shape {
      return [null, this.#shape[0]];
    }
  }
  const x = tf.input({ shape: [4] });
  const hidden = new Linear('fc1', [3, 4]).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: x, outputs: new Linear('fc2', [2, 3]).apply(hidden) as tf.SymbolicTensor });
}
