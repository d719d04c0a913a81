import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMatrix, matchTargets } from '../../../../server/compression/targets/targets.ts';
import type { OnnxNode } from '../../../../server/formats/onnx.ts';
import { onnxTensorOf, readOnnxModel } from '../../../../server/formats/onnxReader.ts';
import { loadModel } from '../../../../server/models/loadModel.ts';
import { modelTopology } from '../../../../server/models/modelTopology.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { graphOf } from '../../../../server/models/onnx/graphLayer.ts';
import { loadOnnxModel, type OnnxOptions } from '../../../../server/models/onnx/loadOnnxModel.ts';
import { parseTopology, storedModel } from '../../../../server/models/storedModel.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { graphFile, integers, node, seededFloats, withKinds, writeGraph, type GraphFile } from './onnxFiles.ts';

const { positiveFloats, randomFloats } = seededFloats();

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-onnx-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A small network of PyTorch's names. */
const network: GraphFile = {
  input: ['batch', 2, 6, 6],
  nodes: [
    node('Conv', ['x', 'conv1.weight', 'conv1.bias'], 'c', { pads: { ints: [1, 1, 1, 1] } }),
    node('BatchNormalization', ['c', 'bn1.weight', 'bn1.bias', 'bn1.running_mean', 'bn1.running_var'], 'n', {
      training_mode: { int: 0 },
      momentum: { float: 0.75 },
    }),
    node('Relu', ['n'], 'r'),
    node('ConvTranspose', ['r', 'up.weight'], 'u'),
    node('GlobalAveragePool', ['u'], 'p'),
    node('Flatten', ['p'], 'f'),
    node('Gemm', ['f', 'fc1.weight', 'fc1.bias'], 'g', { transB: { int: 1 } }),
    node('MatMul', ['g', 'onnx::MatMul_7'], 'm'),
    node('Mul', ['m', 'two'], 'y'),
  ],
  tensors: {
    'conv1.weight': randomFloats([4, 2, 3, 3]),
    'conv1.bias': randomFloats([4]),
    'bn1.weight': positiveFloats([4]),
    'bn1.bias': randomFloats([4]),
    'bn1.running_mean': randomFloats([4]),
    'bn1.running_var': positiveFloats([4]),
    'up.weight': randomFloats([4, 5, 2, 2]),
    'fc1.weight': randomFloats([3, 5]),
    'fc1.bias': randomFloats([3]),
    'onnx::MatMul_7': randomFloats([3, 2]),
    two: { type: 'float32', shape: [], data: Float32Array.of(2) },
  },
};

const load = (file: GraphFile, options: OnnxOptions = {}) =>
  loadOnnxModel(writeGraph(folder, 'net.onnx', file), options);

function apply(model: tf.LayersModel, x: tf.Tensor, training = false): Float32Array {
  return tf.tidy(() => (model.apply(x, { training }) as tf.Tensor).dataSync<'float32'>());
}

describe('the weights of a graph', () => {
  test('have the names, shapes and numbers of the file; statistics are not trained, numbers of formulas are no weights', async () => {
    const { model } = await load(network);
    const weights = modelWeights(model);
    expect(weights.map(({ name, trainable }) => [name, trainable])).toEqual(
      Object.keys(network.tensors ?? {})
        .filter((name) => name !== 'two')
        .map((name) => [name, !name.includes('running')]),
    );
    for (const { name, shape, variable } of weights) {
      expect(shape).toEqual(network.tensors?.[name].shape);
      expect(variable.dataSync()).toEqual(network.tensors?.[name].data);
    }
  });

  test('are of one number, too, but for those with names that exporters make up for the constants of formulas', async () => {
    const parameters = ['fc.bias', 'offset', 'reconstruction/y_shift', 'model/dense/BiasAdd/ReadVariableOp:0'];
    const constants = [
      'val_3',
      'onnx::Mul_5',
      '17',
      '/act/Constant_output_0',
      'const_fold_opt__7',
      'model/lambda/mul/y:0',
      'Const:0',
      '_tensor_constant0',
      'c_lifted_tensor_0',
      'ortshared_1_1_1_0_token_9',
    ];
    const added = [...parameters, ...constants];
    const { model } = await load({
      nodes: added.map((name, i) =>
        node('Add', [i === 0 ? 'x' : `a${i}`, name], i + 1 < added.length ? `a${i + 1}` : 'y'),
      ),
      tensors: Object.fromEntries(added.map((name) => [name, randomFloats([1])])),
    });
    expect(modelWeights(model).map(({ name, trainable }) => [name, trainable])).toEqual(
      parameters.map((name) => [name, true]),
    );
  });

  describe('are not the buffers of PyTorch modules', () => {
    /** Positional encodings and a mask of several numbers, beside what is trained. */
    const encoded: GraphFile = {
      nodes: [
        node('Add', ['x', 'encoder.pe'], 'e'),
        node('Mul', ['e', 'encoder.mask'], 'm'),
        node('Gemm', ['m', 'fc.weight', 'fc.bias'], 'g'),
        node('BatchNormalization', ['g', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var'], 'y'),
      ],
      tensors: {
        'encoder.pe': randomFloats([1, 4]),
        'encoder.mask': randomFloats([1, 4]),
        'fc.weight': randomFloats([4, 3]),
        'fc.bias': randomFloats([3]),
        'bn.weight': positiveFloats([3]),
        'bn.bias': randomFloats([3]),
        'bn.running_mean': randomFloats([3]),
        'bn.running_var': positiveFloats([3]),
      },
    };
    const parameters = ['fc.weight', 'fc.bias', 'bn.weight', 'bn.bias'];
    const statistics = ['bn.running_mean', 'bn.running_var'];

    test('of which the file says so, but for running statistics', async () => {
      const path = join(folder, 'kinds.onnx');
      const kinds = [...parameters.map((name) => [name, 'PARAMETER']), ...statistics.map((name) => [name, 'BUFFER'])];
      const others = { 'encoder.pe': 'BUFFER', 'encoder.mask': 'CONSTANT_TENSOR' };
      writeFileSync(path, withKinds(graphFile(encoded), { ...others, ...Object.fromEntries(kinds) }));
      const { model } = await loadOnnxModel(path);
      expect(modelWeights(model).map(({ name }) => name)).toEqual([...parameters, ...statistics]);
      const plain = await load(encoded);
      const x = tf.randomNormal([2, 4]);
      expect(apply(model, x)).toEqual(apply(plain.model, x));
    });

    test('that the experiment names, by names or globs', async () => {
      const { model } = await load(encoded, { buffers: ['encoder.*'] });
      expect(modelWeights(model).map(({ name }) => name)).toEqual([...parameters, ...statistics]);
      const again = await load(encoded, { buffers: ['encoder.pe', 'bn.running_*'] });
      expect(modelWeights(again.model).map(({ name, trainable }) => [name, trainable])).toEqual([
        ['encoder.mask', true],
        ...parameters.map((name) => [name, true]),
        ...statistics.map((name) => [name, false]),
      ]);
    });

    test('nor masks, which have infinite numbers', async () => {
      const mask = { type: 'float32', shape: [1, 4], data: Float32Array.of(0, -Infinity, 0, 0) } as const;
      const { model } = await load({ ...encoded, tensors: { ...encoded.tensors, 'encoder.mask': mask } });
      expect(modelWeights(model).map(({ name }) => name)).toEqual(['encoder.pe', ...parameters, ...statistics]);
    });

    test('and a name of none is an error with the place and the remedy', async () => {
      const error = await userErrorOf(() => load(encoded, { buffers: ['fc.bias', 'encoder.pi'] }));
      expect(error).toMatchObject({ setting: ['model', 'buffers', 1], remedy: 'Did you mean encoder.pe?' });
    });
  });

  test('say their layer, operator and the axes of their output units and input channels', async () => {
    const { model } = await load(network);
    const known = modelWeights(model)
      .filter(({ shape }) => shape.length > 1)
      .map(({ name, layer, weight, layerClass, outputAxis, channelAxis }) => {
        return [name, layer, weight, layerClass, outputAxis, channelAxis];
      });
    expect(known).toEqual([
      ['conv1.weight', 'conv1', 'weight', 'Conv', 0, 1],
      ['up.weight', 'up', 'weight', 'ConvTranspose', 1, 0],
      ['fc1.weight', 'fc1', 'weight', 'Gemm', 0, undefined],
      ['onnx::MatMul_7', 'm', 'onnx::MatMul_7', 'MatMul', 1, undefined],
    ]);
  });

  test('are compressed as matrices with a row for each output unit', async () => {
    const { model } = await load(network);
    const targets = matchTargets({ conv1: {}, up: {}, fc1: {}, m: {} }, modelWeights(model));
    expect(targets.map(({ view }) => [view.outer, view.rows, view.inner])).toEqual([
      [1, 4, 18],
      [4, 5, 4],
      [1, 3, 5],
      [3, 2, 1],
    ]);
  });

  test('of a convolution are depthwise by its groups, and biases with made-up names are of its units', async () => {
    const { model } = await load({
      input: ['batch', 4, 6, 6],
      outputRank: 4,
      nodes: [
        { ...node('Conv', ['x', 'dw.weight'], 'a', { group: { int: 4 } }), name: '/dw/Conv' },
        { ...node('Conv', ['a', 'grouped.weight'], 'b', { group: { int: 2 } }), name: '/grouped/Conv' },
        { ...node('Conv', ['b', 'onnx::Conv_8', 'onnx::Conv_9'], 'y'), name: '/conv/Conv' },
      ],
      tensors: {
        'dw.weight': randomFloats([4, 1, 3, 3]),
        'grouped.weight': randomFloats([4, 2, 1, 1]),
        'onnx::Conv_8': randomFloats([3, 4, 1, 1]),
        'onnx::Conv_9': randomFloats([3]),
      },
    });
    const weights = modelWeights(model);
    expect(weights.map(({ kind }) => kind)).toEqual(['depthwise_kernel', undefined, undefined, undefined]);
    const [, , kernel, bias] = weights.map(({ units }) => units);
    expect(bias).toEqual(kernel);
    expect(new Set(weights.map(({ units }) => units!.of)).size).toBe(3);
  });

  test('of a product with a transposed weight have their output units on the first axis', async () => {
    const { model } = await load({
      nodes: [node('Transpose', ['fc.weight'], 't', { perm: { ints: [1, 0] } }), node('MatMul', ['x', 't'], 'y')],
      tensors: { 'fc.weight': randomFloats([3, 4]) },
    });
    expect(modelWeights(model).map(({ outputAxis }) => outputAxis)).toEqual([0]);
  });

  test('of an embedding have their units on the axis that is gathered, counted from the end or not', async () => {
    for (const axis of [0, -2]) {
      const { model } = await load({
        input: ['batch', 3],
        inputType: 'int64',
        outputRank: 3,
        nodes: [node('Gather', ['embedding.weight', 'x'], 'y', { axis: { int: axis } })],
        tensors: { 'embedding.weight': randomFloats([5, 2]) },
      });
      expect(modelWeights(model).map(({ outputAxis, kind }) => [outputAxis, kind])).toEqual([[0, 'embeddings']]);
    }
  });

  test('of additions, normalizations and slopes are vectors, however many axes they have; of tables that are added, matrices', async () => {
    const { model } = await load({
      input: ['batch', 3, 4],
      outputRank: 3,
      nodes: [
        node('MatMul', ['x', 'fc.weight'], 'm'),
        node('Add', ['m', 'fc.bias'], 'a'),
        node('Add', ['a', 'positions'], 'p'),
        node('LayerNormalization', ['p', 'norm.weight', 'norm.bias'], 'n', { axis: { int: 1 } }),
        node('PRelu', ['n', 'act.weight'], 'r'),
        node('MatMul', ['r', 'out.weight'], 'y'),
      ],
      tensors: {
        'fc.weight': randomFloats([4, 5]),
        'fc.bias': randomFloats([1, 1, 5]),
        positions: randomFloats([1, 3, 5]),
        'norm.weight': positiveFloats([3, 5]),
        'norm.bias': randomFloats([3, 5]),
        'act.weight': positiveFloats([3, 1]),
        'out.weight': randomFloats([5, 1]),
      },
    });
    const weights = modelWeights(model);
    expect(weights.filter(isMatrix).map(({ name }) => name)).toEqual(['fc.weight', 'positions', 'out.weight']);
    expect(matchTargets({ '*': {} }, weights)).toHaveLength(3);
  });

  test('take the module of the node where an exporter has named them anew', async () => {
    const { model } = await load({
      nodes: [{ ...node('MatMul', ['x', 'onnx::MatMul_9'], 'y'), name: '/layer1/layer1.0/fc/MatMul' }],
      tensors: { 'onnx::MatMul_9': randomFloats([4, 3]) },
    });
    expect(modelWeights(model).map(({ layer }) => layer)).toEqual(['layer1.0.fc']);
  });
});

describe('batch normalization', () => {
  const normalization: GraphFile = {
    nodes: [
      node('BatchNormalization', ['x', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var'], 'y', {
        momentum: { float: 0.75 },
      }),
    ],
    tensors: Object.fromEntries(
      ['weight', 'bias', 'running_mean', 'running_var'].map((name) => [`bn.${name}`, positiveFloats([4])]),
    ),
  };
  const x = () =>
    tf.tensor2d(
      Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      [3, 4],
    );
  const statistic = (model: tf.LayersModel, name: string) => [
    ...(modelWeights(model)
      .find((weight) => weight.name === name)
      ?.variable.dataSync() ?? []),
  ];

  test('takes the statistics of the batch in training, and moves the running ones by the momentum of the file', async () => {
    const { model } = await load(normalization);
    const before = statistic(model, 'bn.running_mean');
    const output = tf.tensor2d(apply(model, x(), true), [3, 4]);
    const shifted = tf.sub(output, statistic(model, 'bn.bias')).mean(0);
    shifted.dataSync().forEach((mean) => expect(mean).toBeCloseTo(0, 5));
    const mean = x().mean(0).dataSync();
    statistic(model, 'bn.running_mean').forEach((value, i) =>
      expect(value).toBeCloseTo(0.75 * before[i] + 0.25 * mean[i], 6),
    );
  });

  test('takes the running ones where they are frozen, which stay as they are', async () => {
    const { model } = await load(normalization, { frozenStatistics: true });
    const before = statistic(model, 'bn.running_var');
    expect(apply(model, x(), true)).toEqual(apply(model, x(), false));
    expect(statistic(model, 'bn.running_var')).toEqual(before);
  });

  test('has statistics of its own where nodes pass them on, two take the same, or an exporter made up their names', async () => {
    const constant = (name: string): OnnxNode => ({
      op: 'Constant',
      name,
      inputs: [],
      outputs: [name],
      attributes: { value: { tensor: positiveFloats([4]) } },
    });
    const ones = { type: 'float32', shape: [4], data: new Float32Array(4).fill(1) } as const;
    const file: GraphFile = {
      nodes: [
        node('Identity', ['first.mean'], 'i'),
        node('Cast', ['i'], 'second.mean', { to: { int: 1 } }),
        constant('c'),
        node('Identity', ['c'], 'second.var'),
        constant('third.var'),
        node('BatchNormalization', ['x', 'scale', 'bias', 'first.mean', 'first.var'], 'a'),
        node('BatchNormalization', ['a', 'scale', 'bias', 'second.mean', 'second.var'], 'b'),
        node('BatchNormalization', ['b', 'scale', 'bias', 'onnx::BatchNormalization_7', 'third.var'], 'y'),
      ],
      tensors: {
        scale: positiveFloats([4]),
        bias: randomFloats([4]),
        'first.mean': randomFloats([4]),
        'first.var': positiveFloats([4]),
        'onnx::BatchNormalization_7': ones,
      },
    };
    const statistics = [
      'first.mean',
      'first.var',
      'onnx::BatchNormalization_7',
      'second.mean',
      'second.var',
      'third.var',
    ];
    const { model } = await load(file);
    const weights = modelWeights(model).filter(({ trainable }) => !trainable);
    expect(weights.map(({ name }) => name).sort()).toEqual(statistics);
    expect(statistic(model, 'second.mean')).toEqual([...file.tensors!['first.mean'].data]);
    const before = statistics.map((name) => statistic(model, name));
    apply(model, x(), true);
    statistics.forEach((name, i) => expect(statistic(model, name), name).not.toEqual(before[i]));
    expect(statistic(model, 'second.mean')).not.toEqual(statistic(model, 'first.mean'));
  });

  test('whose statistics other nodes compute is an error in training, which says so', async () => {
    const { model } = await load({
      nodes: [
        node('Abs', ['bn.log_var'], 'v'),
        node('BatchNormalization', ['x', 'bn.weight', 'bn.bias', 'bn.running_mean', 'v'], 'y'),
      ],
      tensors: Object.fromEntries(
        ['weight', 'bias', 'running_mean', 'log_var'].map((name) => [`bn.${name}`, positiveFloats([4])]),
      ),
    });
    apply(model, x());
    expect(() => apply(model, x(), true)).toThrow('its running statistic v is no weight of the file');
  });

  test('that an exporter has folded into convolutions is told of', async () => {
    const { warnings } = await load({
      input: ['batch', 2, 6, 6],
      outputRank: 4,
      nodes: [node('Conv', ['x', 'onnx::Conv_12', 'onnx::Conv_13'], 'y')],
      tensors: { 'onnx::Conv_12': randomFloats([4, 2, 3, 3]), 'onnx::Conv_13': randomFloats([4]) },
    });
    expect(warnings).toEqual([
      expect.stringContaining('batch normalizations of the model are part of its convolutions'),
    ]);
  });
});

test('dropout drops in training alone', async () => {
  const { model } = await load({
    nodes: [node('Mul', ['x', 'm.scale'], 's'), node('Dropout', ['s', 'ratio', 'training'], 'y')],
    tensors: {
      'm.scale': positiveFloats([4]),
      ratio: { type: 'float32', shape: [], data: Float32Array.of(0.5) },
      training: { type: 'bool', shape: [], data: Uint8Array.of(1) },
    },
  });
  const x = tf.ones([50, 4]);
  expect(apply(model, x).filter((value) => value === 0)).toHaveLength(0);
  const dropped = apply(model, x, true).filter((value) => value === 0).length;
  expect(dropped).toBeGreaterThan(60);
  expect(dropped).toBeLessThan(140);
});

test('a model is saved with its graph, and loads from there', async () => {
  const { model } = await load(network);
  const topology = parseTopology(JSON.stringify(modelTopology(model)));
  const tensors = new Map(
    modelWeights(model).map(({ name, shape, variable }) => [
      name,
      { shape, data: Float32Array.from(variable.dataSync()) },
    ]),
  );
  const again = await storedModel(topology, () => tensors, 'file');
  const x = tf.randomNormal([3, 2, 6, 6], 0, 1, 'float32', 5);
  expect(apply(again, x)).toEqual(apply(model, x));
  expect(modelWeights(again).map(({ name }) => name)).toEqual([...tensors.keys()]);
});

describe('sizes', () => {
  const pooled: GraphFile = {
    input: ['batch', 'length', 4],
    nodes: [
      node('MatMul', ['x', 'fc.weight'], 'p'),
      node('ReduceMean', ['p'], 'y', { axes: { ints: [1] }, keepdims: { int: 0 } }),
    ],
    tensors: { 'fc.weight': randomFloats([4, 3]) },
  };

  test('that have names are given by the experiment, or told by the samples', async () => {
    const shapeOf = async (options: OnnxOptions) => (await load(pooled, options)).model.inputs[0].shape;
    expect(await shapeOf({ dimensions: { length: 7 } })).toEqual([null, 7, 4]);
    expect(await shapeOf({ samples: { batchSize: 5, inputs: [{ shape: [9, 4] }] } })).toEqual([null, 9, 4]);
  });

  test('that nothing gives are asked for by their names', async () => {
    const error = await userErrorOf(() => load(pooled));
    expect(error.message).toContain('the sizes of dimensions are not known: length of x');
    expect(error.remedy).toContain('"inputs"');
  });

  test('of a name that the file has not are refused', async () => {
    const error = await userErrorOf(() => load(pooled, { dimensions: { lenght: 7 } }));
    expect(error.message).toContain('model.inputs.lenght');
    expect(error.remedy).toBe('Its dimensions are batch, length.');
  });

  test('of images with channels last are taken with channels first', async () => {
    const image: GraphFile = {
      input: ['batch', 3, 'height', 'width'],
      outputRank: 4,
      nodes: [node('Conv', ['x', 'conv.weight'], 'y')],
      tensors: { 'conv.weight': randomFloats([2, 3, 3, 3]) },
    };
    const { model } = await load(image, { samples: { batchSize: 5, inputs: [{ shape: [8, 9, 3] }] } });
    expect(model.inputs[0].shape).toEqual([null, 3, 8, 9]);
    expect(model.outputs[0].shape).toEqual([null, 2, 6, 7]);
  });

  test('of a batch that was fixed by exporting are open where the graph computes any', async () => {
    const { model, warnings } = await load({ ...network, input: [1, 2, 6, 6] });
    expect(model.inputs[0].shape).toEqual([null, 2, 6, 6]);
    expect(warnings).toEqual([]);
  });

  test('of a batch that the graph computes with stay, and that is told of', async () => {
    const { model, warnings } = await load({
      input: [2, 3, 4],
      nodes: [node('Mul', ['x', 'm.scale'], 's'), node('Reshape', ['s', 'shape'], 'y')],
      tensors: { 'm.scale': positiveFloats([4]), shape: integers([2, 12]) },
    });
    expect(model.inputs[0].shape).toEqual([2, 3, 4]);
    expect(model.outputs[0].shape).toEqual([2, 12]);
    expect(warnings).toEqual([expect.stringContaining('computes batches of 2 alone')]);
  });
});

describe('files of other programs than PyTorch', () => {
  test('have weights that are nodes, as PaddlePaddle writes them', async () => {
    const weight = randomFloats([4, 3]);
    const { model } = await load({
      nodes: [
        { op: 'Constant', name: 'w', inputs: [], outputs: ['linear_0.w_0'], attributes: { value: { tensor: weight } } },
        { op: 'Constant', name: 'c', inputs: [], outputs: ['two'], attributes: { value_float: { float: 2 } } },
        node('MatMul', ['x', 'linear_0.w_0'], 'product'),
        node('Mul', ['product', 'two'], 'y'),
      ],
    });
    const weights = modelWeights(model);
    expect(weights.map(({ name, outputAxis }) => [name, outputAxis])).toEqual([['linear_0.w_0', 1]]);
    expect(weights[0].variable.dataSync()).toEqual(weight.data);
  });

  test('have names of inputs that TensorFlow.js refuses', async () => {
    const bytes = graphFile({
      nodes: [node('MatMul', ['x', 'fc.weight'], 'y')],
      tensors: { 'fc.weight': randomFloats([4, 3]) },
    });
    const path = join(folder, 'named.onnx');
    // A name of as many characters, so that no length changes.
    writeFileSync(path, Buffer.from(bytes.map((byte) => (byte === 0x78 ? 0x3a : byte))));
    const { model } = await loadOnnxModel(path);
    expect(model.inputs[0].name).toBe('input');
    expect(graphOf(model)?.settings.graph.inputs[0].name).toBe(':');
  });
});

test('an end that is open, the largest integer of 64 bits, is behind all others', async () => {
  const { model } = await load({
    nodes: [
      { op: 'Constant', inputs: [], outputs: ['ends'], attributes: { value_ints: { ints: [2 ** 63] } } },
      node('Slice', ['x', 'starts', 'ends', 'axes'], 'y'),
    ],
    tensors: { starts: integers([1]), axes: integers([1]) },
  });
  expect(apply(model, tf.tensor2d([[1, 2, 3, 4]]))).toEqual(Float32Array.of(2, 3, 4));
});

test('integers come in as indices of an embedding', async () => {
  const { model } = await load({
    input: ['batch', 3],
    inputType: 'int64',
    outputRank: 3,
    nodes: [node('Gather', ['embedding.weight', 'x'], 'y')],
    tensors: { 'embedding.weight': randomFloats([5, 2]) },
  });
  expect(model.inputs[0].dtype).toBe('int32');
  const [weight] = modelWeights(model);
  expect([weight.name, weight.outputAxis]).toEqual(['embedding.weight', 0]);
  const numbers = weight.variable.dataSync();
  expect([...apply(model, tf.tensor2d([[4, 0, 4]], [1, 3], 'int32'))]).toEqual(
    [4, 0, 4].flatMap((row) => [numbers[2 * row], numbers[2 * row + 1]]),
  );
});

describe('external data', () => {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]);
  const field = (number: number, content: Uint8Array | string): Uint8Array => {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    return Uint8Array.from([(number << 3) | 2, ...varint(bytes.length), ...bytes]);
  };
  const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
  const entry = (key: string, value: string) => field(13, joined(field(1, key), field(2, value)));

  /** The file with one more initializer, whose numbers are elsewhere: a message may come in parts, which are read as one. */
  function withExternal(location: string, offset: number): Uint8Array {
    const tensor = joined(
      Uint8Array.from([8, 4, 8, 3, 16, 1]), // dims 4 and 3, float32
      field(8, 'fc.weight'),
      entry('location', location),
      entry('offset', String(offset)),
      Uint8Array.from([112, 1]), // EXTERNAL
    );
    const bytes = graphFile({ nodes: [node('MatMul', ['x', 'fc.weight'], 'y')] });
    // ModelProto: ir_version and producer come before the graph.
    const begin = bytes.indexOf(0x3a);
    const length = bytes[begin + 1] < 128 ? 1 : 2;
    const size = length === 1 ? bytes[begin + 1] : (bytes[begin + 1] & 127) | (bytes[begin + 2] << 7);
    const start = begin + 1 + length;
    const graph = bytes.subarray(start, start + size);
    return joined(bytes.subarray(0, begin), field(7, joined(graph, field(5, tensor))), bytes.subarray(start + size));
  }

  test('are read from the file beside the model', async () => {
    const data = Float32Array.from({ length: 14 }, (_, i) => i);
    writeFileSync(join(folder, 'net.onnx.data'), new Uint8Array(data.buffer));
    const path = join(folder, 'external.onnx');
    writeFileSync(path, withExternal('net.onnx.data', 8));
    const { model, files } = await loadOnnxModel(path);
    expect(files).toEqual([path, join(folder, 'net.onnx.data')]);
    expect(modelWeights(model)[0].variable.dataSync()).toEqual(data.subarray(2));
  });

  test('that are missing, too short or outside of the folder are errors that name them', async () => {
    const path = join(folder, 'external.onnx');
    writeFileSync(path, withExternal('gone.data', 0));
    expect((await userErrorOf(() => loadOnnxModel(path))).message).toContain('gone.data does not exist');
    writeFileSync(path, withExternal('../net.data', 0));
    expect((await userErrorOf(() => loadOnnxModel(path))).message).toContain('outside of the folder');
    writeFileSync(join(folder, 'short.data'), new Uint8Array(10));
    writeFileSync(path, withExternal('short.data', 0));
    expect((await userErrorOf(() => loadOnnxModel(path))).message).toContain(
      'fc.weight are not in short.data, which has 10',
    );
  });
});

test.each([1, 10, 11, 16, 17, 19])('numbers that are cast to floats of the type %i are of float32', async (to) => {
  const { model } = await load({
    nodes: [node('Cast', ['x'], 'c', { to: { int: to } }), node('Mul', ['c', 'm.scale'], 'y')],
    tensors: { 'm.scale': positiveFloats([4]) },
  });
  const [{ variable }] = modelWeights(model);
  const x = tf.tensor([[0.25, 1.5, -2.5, 4]]);
  expect(apply(model, x)).toEqual(tf.mul(x, variable).dataSync());
});

describe('what cannot be a model', () => {
  const failing = (file: GraphFile, options: OnnxOptions = {}) => userErrorOf(() => load(file, options));
  const linear = { tensors: { 'fc.weight': randomFloats([4, 3]) } };

  test('names all operators that are missing, with their nodes', async () => {
    const error = await failing({
      ...linear,
      nodes: [
        node('MatMul', ['x', 'fc.weight'], 'a'),
        node('NonMaxSuppression', ['a'], 'b'),
        node('Hardmax', ['b'], 'c'),
        node('Hardmax', ['c'], 'd'),
        { ...node('Attention', ['d'], 'y'), domain: 'com.microsoft' },
      ],
    });
    expect(error.message).toContain(
      'operators are not known here: NonMaxSuppression (/b/NonMaxSuppression), Hardmax (/c/Hardmax and 1 more), ' +
        'com.microsoft.Attention (/y/Attention)',
    );
    expect(error.remedy).toContain('standard operators');
  });

  test.each([8, 23])('is of version %i of the operators', async (opset) => {
    const error = await failing({ ...linear, opset, nodes: [node('MatMul', ['x', 'fc.weight'], 'y')] });
    expect(error.message).toContain(
      `it is of version ${opset} of the standard operators (opset), and 9 to 22 are read`,
    );
    expect(error.remedy).toContain('opset_version');
  });

  test('has a circle of nodes', async () => {
    const error = await failing({
      ...linear,
      nodes: [node('Add', ['x', 'b'], 'a'), node('Relu', ['a'], 'b'), node('MatMul', ['b', 'fc.weight'], 'y')],
    });
    expect(error.message).toContain('its nodes are a circle');
  });

  test('has a value that no node makes, or two', async () => {
    const lacking = await failing({ ...linear, nodes: [node('MatMul', ['gone', 'fc.weight'], 'y')] });
    expect(lacking.message).toContain('the input gone of the node /y/MatMul is made by no node');
    const twice = await failing({
      ...linear,
      nodes: [node('Relu', ['x'], 'a'), node('Tanh', ['x'], 'a'), node('MatMul', ['a', 'fc.weight'], 'y')],
    });
    expect(twice.message).toContain('the value a of the node /a/Tanh is made twice');
  });

  test('computes with types that do not go together', async () => {
    const error = await failing({
      nodes: [node('Add', ['x', 'numbers'], 'y')],
      tensors: { numbers: integers([1, 2, 3, 4]) },
    });
    expect(error.message).toContain(
      "net.onnx: The node '/y/Add' (Add) of the ONNX graph cannot be computed: its input 2 is of type int, where float is wanted",
    );
  });

  test('casts to what is no number', async () => {
    const error = await failing({ nodes: [node('Cast', ['x'], 'y', { to: { int: 8 } })] });
    expect(error.message).toContain(
      "The node '/y/Cast' (Cast) of the ONNX graph cannot be computed: it casts to string",
    );
  });

  test('has shapes that do not go together', async () => {
    const error = await failing({
      nodes: [node('MatMul', ['x', 'fc.weight'], 'y')],
      tensors: { 'fc.weight': randomFloats([5, 3]) },
    });
    expect(error.message).toContain("The node '/y/MatMul' (MatMul)");
  });

  test.each([
    ['ConstantOfShape', { size: integers([3e9]) }],
    ['ConstantOfShape', { size: integers([-1]) }],
    ['Range', { start: integers([0], []), limit: integers([3e9], []), step: integers([1], []) }],
    ['Expand', { ones: integers([1]), size: integers([3e9]) }],
  ])('makes more known numbers than memory has room for: %s', async (op, tensors) => {
    const error = await failing({
      tensors,
      nodes: [
        node(op, Object.keys(tensors), 'numbers'),
        node('Cast', ['numbers'], 'floats', { to: { int: 1 } }),
        node('Add', ['x', 'floats'], 'y'),
      ],
    });
    expect(error.message).toContain(`(${op}) of the ONNX graph cannot be computed: it would make known numbers`);
  });

  test('takes one number, and no samples of a batch', async () => {
    const error = await failing({ ...linear, input: [], nodes: [node('MatMul', ['x', 'fc.weight'], 'y')] });
    expect(error.message).toContain('its input x is one number, and no sample of a batch');
    expect(error.remedy).toContain('as a constant');
  });

  test.each([
    ['AveragePool', { dilations: { ints: [2, 2] } }, ['y'], 'its dilations are not known here'],
    ['MaxPool', {}, ['y', 'places'], 'its output of indices is not computed here'],
  ])('pools: %s by windows with gaps, or tells the places of its maxima', async (op, attributes, outputs, reason) => {
    const error = await failing({
      input: ['batch', 2, 6, 6],
      outputs,
      nodes: [
        node('Conv', ['x', 'conv.weight'], 'c'),
        {
          op,
          name: '/pool',
          inputs: ['c'],
          outputs,
          attributes: { kernel_shape: { ints: [2, 2] }, ...attributes },
        },
      ],
      tensors: { 'conv.weight': randomFloats([2, 2, 1, 1]) },
    });
    expect(error.message).toContain(`The node '/pool' (${op}) of the ONNX graph cannot be computed: ${reason}`);
  });

  test('has an attribute that is not known', async () => {
    const error = await failing({ ...linear, nodes: [node('MatMul', ['x', 'fc.weight'], 'y', { turbo: { int: 1 } })] });
    expect(error.message).toContain('its attribute turbo is not known here');
  });

  test('is cut off anywhere', async () => {
    const whole = graphFile(network);
    const path = join(folder, 'cut.onnx');
    for (const share of [0.01, 0.3, 0.6, 0.9, 0.99]) {
      writeFileSync(path, whole.subarray(0, Math.floor(share * whole.length)));
      const error = await userErrorOf(() => loadOnnxModel(path));
      expect(error.message).toContain(`${path} is not usable`);
    }
  });

  test('is something else', async () => {
    const path = join(folder, 'page.onnx');
    writeFileSync(path, '<!DOCTYPE html><html></html>');
    expect((await userErrorOf(() => loadOnnxModel(path))).message).toContain(`${path} is not usable`);
    copyFileSync(path, join(folder, 'page.pt'));
    const error = await userErrorOf(() => loadModel('./page.pt', { baseDirectory: folder, seed: 1 }));
    expect(error.remedy).toContain('torch.onnx.export');
  });
});

test('what is written is read: names, attributes of all kinds, tensors', () => {
  const path = writeGraph(folder, 'read.onnx', network);
  const { nodes, initializers, inputs, opsets } = readOnnxModel(readFileSync(path));
  expect(opsets).toEqual(new Map([['', 17]]));
  expect(inputs).toEqual([{ name: 'x', type: 'float32', shape: ['batch', 2, 6, 6] }]);
  expect(
    nodes.map(({ op, inputs: taken, outputs, attributes }) => ({ op, inputs: taken, outputs, attributes })),
  ).toEqual(
    network.nodes.map(({ op, inputs: taken, outputs, attributes }) => ({ op, inputs: taken, outputs, attributes })),
  );
  for (const stored of initializers) expect(onnxTensorOf(stored)).toEqual(network.tensors?.[stored.name]);
});
