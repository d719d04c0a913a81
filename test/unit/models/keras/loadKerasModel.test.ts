/** @file Models of Keras: what can be read computes what Keras does, everything else is refused with its place. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { unzipSync, zipSync } from 'fflate';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadModel } from '../../../../server/models/loadModel.ts';
import { losses } from '../../../../server/models/losses.ts';
import { modelTopology } from '../../../../server/models/modelTopology.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { parsedTopology, storedModel } from '../../../../server/models/storedModel.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { differenceFromKeras } from './differenceFromKeras.ts';
import { bytesOfKeras, kerasModels, referenceOfKeras, writeKeras } from './kerasFixtures.ts';

let folder: string;
beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  folder = await temporaryFolder();
});

const load = (reference: string) => loadModel(reference, { baseDirectory: folder, seed: 1 });

describe.each(['model.keras', 'model.h5'] as const)('%s', (file) => {
  // float32 in another order of additions.
  test.each(kerasModels.filter((name) => file === 'model.keras' || name !== 'halves'))(
    'of %s computes what Keras does',
    async (name) => {
      const { model, files } = await load(writeKeras(folder, name, file));
      expect(differenceFromKeras(model, referenceOfKeras(name))).toBeLessThan(1e-5);
      expect(files).toEqual([join(folder, file)]);
      model.dispose();
    },
  );

  test('gives the weights the names of their layers, not the numbers of the file', async () => {
    const { model } = await load(writeKeras(folder, 'cnn', file));
    expect(modelWeights(model).map(({ name, shape }) => `${name} ${shape.join('x')}`)).toEqual([
      'second/kernel 3x3x3x4',
      ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((weight) => `bn_b/${weight} 4`),
      'first/kernel 3x3x4x5',
      'first/bias 5',
      ...['beta', 'moving_mean', 'moving_variance'].map((weight) => `bn_a/${weight} 5`),
      'dense_3/kernel 5x3',
      'dense_3/bias 3',
    ]);
    model.dispose();
  });

  test('takes the loss that the model was compiled with, and none where it was not', async () => {
    expect((await load(writeKeras(folder, 'mlp', file))).loss).toBe(losses['sparse-categorical-crossentropy']);
    expect((await load(writeKeras(folder, 'cnn', file))).loss).toBeUndefined();
  });

  test('says that layers that change images at random are left out', async () => {
    const { warnings } = await load(writeKeras(folder, 'cnn', file));
    expect(warnings).toEqual([expect.stringContaining('random_flip (RandomFlip) is left out')]);
  });
});

test.each(['gru_reset_after', 'operations'])(
  'layers that TensorFlow.js lacks are saved and made again: %s',
  async (name) => {
    const { model } = await load(writeKeras(folder, name, 'model.keras'));
    const tensors = new Map(
      modelWeights(model).map(({ name: weight, shape, variable }) => [
        weight,
        { shape, data: Float32Array.from(variable.dataSync()) },
      ]),
    );
    const again = await storedModel(parsedTopology(modelTopology(model)), () => tensors, 'again');
    expect(differenceFromKeras(again, referenceOfKeras(name))).toBeLessThan(1e-5);
  },
);

type Json = Record<string, unknown>;
type Layer = {
  class_name: string;
  module?: string;
  registered_name?: string | null;
  config: Json;
  inbound_nodes?: unknown;
};

/** Writes the archive of a fixture with another content. */
function rewrite(name: string, change: (entries: Record<string, Uint8Array>) => void): string {
  const entries = unzipSync(bytesOfKeras(name, 'model.keras'));
  change(entries);
  writeFileSync(join(folder, 'net.keras'), zipSync(entries));
  return './net.keras';
}

/** Writes a fixture with other layers. */
function withLayers(name: string, change: (layers: Layer[], model: Json) => void): string {
  return rewrite(name, (entries) => {
    const model = JSON.parse(Buffer.from(entries['config.json']).toString()) as Json & { config: { layers: Layer[] } };
    change(model.config.layers, model);
    entries['config.json'] = Buffer.from(JSON.stringify(model));
  });
}

const layerOf = (layers: readonly Layer[], name: string) => {
  const found = layers.find(({ config }) => config.name === name);
  if (!found) throw new Error(`There is no ${name}.`);
  return found;
};

test('all layers that TensorFlow.js lacks are named at once, with a way on', async () => {
  const path = withLayers('cnn', (layers) => {
    layerOf(layers, 'second').config.groups = 3;
    layerOf(layers, 'flatten').class_name = 'MultiHeadAttention';
    layerOf(layers, 'first').config.activation = 'hard_sigmoid';
    layerOf(layers, 'dense_3').class_name = 'Lambda';
    layerOf(layers, 'bn_b').config.renorm = true;
    layerOf(layers, 'bn_a').registered_name = 'mine>Special';
  });
  const error = await userErrorOf(() => load(path));
  expect(error.message).toBe(
    `${join(folder, 'net.keras')} has layers that TensorFlow.js does not have: second (Conv2D with groups 3), ` +
      'bn_b (BatchNormalization with renorm true), first (Conv2D with the activation hard_sigmoid of Keras 3), ' +
      'bn_a (mine>Special, a class of its own), flatten (MultiHeadAttention), ' +
      'dense_3 (Lambda: Python code, which is not executed).',
  );
  expect(error.remedy).toContain("model.export('net.onnx', format='onnx')");
});

test.each<[string, string, (layer: Json) => void, string]>([
  ['mlp', 'fc1', (config) => (config.activation = 'leaky_relu'), 'fc1 (Dense with the activation leaky_relu)'],
  [
    'mlp',
    'fc1',
    (config) => (config.activation = { module: 'keras.layers', class_name: 'PReLU', config: {} }),
    'fc1 (Dense with the activation PReLU)',
  ],
  [
    'mlp',
    'fc1',
    (config) => (config.dtype = { class_name: 'QuantizedDTypePolicy', config: { name: 'int8_from_float32' } }),
    'fc1 (Dense with weights of int8_from_float32)',
  ],
  ['cnn', 're_lu', (config) => (config.threshold = 1), 're_lu (ReLU with threshold 1)'],
  ['cnn', 'rescaling', (config) => (config.scale = [1, 2, 3]), 'rescaling (Rescaling with several scales)'],
  ['embedding', 'conv1d', (config) => (config.padding = 'causal'), 'conv1d (Conv1D with causal padding)'],
  ['gru_reset_after', 'gru', (config) => (config.dropout = 0.5), 'gru (GRU with reset_after and dropout)'],
  [
    'bidirectional',
    'bidirectional',
    (config) => ((config.backward_layer as Layer).config.units = 7),
    'bidirectional (Bidirectional with two different layers)',
  ],
  ['operations', 'normalization', (config) => (config.axis = [1, 2]), 'normalization (Normalization over other axes)'],
])('a layer of %s with a setting that TensorFlow.js lacks is named: %s', async (name, layer, change, expected) => {
  const path = withLayers(name, (layers) => change(layerOf(layers, layer).config));
  const { message } = await userErrorOf(() => load(path));
  expect(message).toBe(`${join(folder, 'net.keras')} has layers that TensorFlow.js does not have: ${expected}.`);
});

test.each<[string, Json, string]>([
  ['UpSampling2D', { interpolation: 'bilinear' }, 'UpSampling2D with bilinear interpolation'],
  ['DepthwiseConv2D', { dilation_rate: [1, 2] }, 'DepthwiseConv2D with dilation_rate [1,2]'],
  ['Conv2DTranspose', { dilation_rate: 2 }, 'Conv2DTranspose with dilation_rate 2'],
  ['Conv3DTranspose', { dilation_rate: [2, 2, 2] }, 'Conv3DTranspose with dilation_rate [2,2,2]'],
  ['Conv2DTranspose', { output_padding: [0, 0] }, 'Conv2DTranspose with output_padding [0,0]'],
  ['Resizing', { height: 4, width: 4 }, 'Resizing'],
  ['CenterCrop', { height: 4, width: 4 }, 'CenterCrop'],
  ['ELU', { alpha: 0.3 }, 'ELU with alpha 0.3'],
  // A sequential model does not say of which size the input is.
  ['GlobalMaxPooling2D', { keepdims: true }, 'GlobalMaxPooling2D with keepdims true'],
  ['Conv3DTranspose', { output_padding: 1 }, 'Conv3DTranspose with output_padding 1'],
  ...[
    ...['Conv1D', 'MaxPooling1D', 'AveragePooling1D', 'GlobalMaxPooling1D', 'GlobalAveragePooling1D'],
    'SeparableConv2D',
  ].map((name): [string, Json, string] => [
    name,
    { data_format: 'channels_first' },
    `${name} with data_format channels_first`,
  ]),
])('a layer that TensorFlow.js computes otherwise is named: %s %j', async (className, settings, expected) => {
  const path = withLayers('cnn', (layers) => {
    const layer = layerOf(layers, 'second');
    layer.class_name = className;
    layer.config = { name: 'second', ...settings };
  });
  const { message, remedy } = await userErrorOf(() => load(path));
  expect(message).toContain(`has layers that TensorFlow.js does not have: second (${expected}).`);
  expect(remedy).toContain("model.export('net.onnx', format='onnx')");
});

test.each([
  ['residual', 'global_average_pooling2d'],
  ['mobilenet', 'global_max_pooling2d'],
])('a global pooling of %s keeps its axes', async (name, pooling) => {
  const keeping = withLayers(name, (layers) => (layerOf(layers, pooling).config.keepdims = true));
  const { model } = await load(keeping);
  expect(model.getLayer(pooling).outputShape).toEqual([null, 1, 1, expect.any(Number)]);
  // The dense layer behind it computes the same for the one place that there is.
  const { model: flat } = await load(writeKeras(folder, name, 'model.keras'));
  const input = tf.randomNormal([2, ...model.inputs[0].shape.slice(1).map(Number)]);
  const [kept, expected] = [model, flat].map((one) => one.predict(input) as tf.Tensor);
  expect(kept.shape).toEqual([2, 1, 1, expected.shape[1]]);
  // Means of as many numbers, which are added in another order.
  kept.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected.dataSync()[i], 5));
});

test.each<[string, (layers: readonly Layer[]) => void, string]>([
  ['that is averaged over', (layers) => (layers[4].class_name = 'GlobalAveragePooling1D'), 'behind a mask)'],
  [
    'of both directions',
    (layers) => ((layers[4].config.layer as Layer).config.return_sequences = true),
    'bidirectional (Bidirectional behind a mask)',
  ],
  ['of zeros', (layers) => (layers[2].config.zero_output_for_mask = true), 'lstm (LSTM behind a mask)'],
  [
    'that is no longer there for Keras',
    (layers) => (layers[3].class_name = 'ZeroPadding1D'),
    'bidirectional (Bidirectional behind a mask that dense',
  ],
  [
    'that a last state ends',
    (layers) => (layers[2].config.return_sequences = false),
    'bidirectional (Bidirectional behind a mask that lstm ends)',
  ],
])('a mask %s is refused, since TensorFlow.js computes it otherwise', async (_, change, expected) => {
  const path = withLayers('masked', change);
  const { message } = await userErrorOf(() => load(path));
  expect(message).toContain('has layers that TensorFlow.js does not have: ');
  expect(message).toContain(expected);
});

test('masks of a functional model, which are operators, are said to be those', async () => {
  const path = withLayers('operations', (layers) => (layerOf(layers, 'add').class_name = 'NotEqual'));
  expect((await userErrorOf(() => load(path))).message).toContain(
    'add (the operator NotEqual; masks are read in sequential models alone)',
  );
});

test('what TensorFlow.js refuses in a file of Keras has the way on of Keras', async () => {
  const regularizer = { module: 'keras.regularizers', class_name: 'OrthogonalRegularizer', config: {} };
  const path = withLayers('mlp', (layers) => (layerOf(layers, 'fc1').config.kernel_regularizer = regularizer));
  const error = await userErrorOf(() => load(path));
  expect(error.message).toContain('could not be made into a model: Unknown regularizer: OrthogonalRegularizer.');
  expect(error.remedy).toContain("model.export('net.onnx', format='onnx')");
});

test('an operator with a number is named', async () => {
  const path = withLayers('operations', (layers) => {
    const { inbound_nodes: nodes } = layerOf(layers, 'add') as { inbound_nodes: [{ args: unknown[] }] };
    nodes[0].args[1] = 2;
  });
  expect((await userErrorOf(() => load(path))).message).toContain('add (the operator Add)');
});

test('a model of a class of its own is refused', async () => {
  const path = withLayers('mlp', (_, model) => (model.class_name = 'MyModel'));
  const error = await userErrorOf(() => load(path));
  expect(error.message).toBe(
    `${join(folder, 'net.keras')} is not usable: its model is of a class of its own, MyModel, whose code is not in the file.`,
  );
  expect(error.remedy).toContain('keras.Model(inputs, outputs)');
});

test('a layer without its weights in the file is named', async () => {
  const path = withLayers('mlp', (layers) => (layerOf(layers, 'dense_4').config.units = 9));
  const { message } = await userErrorOf(() => load(path));
  expect(message).toBe(`${join(folder, 'net.keras')} does not hold the weight dense_4/kernel [4, 9] of its model.`);
});

test('bfloat16 in an .h5 file, which Keras leaves without a name, is refused with a way on', async () => {
  const error = await userErrorOf(() => load(writeKeras(folder, 'halves', 'model.h5')));
  expect(error.message).toContain("dense_4/kernel' holds opaque, not numbers.");
  expect(error.remedy).toContain("model.save('net.keras')");
});

test('weights of another model are refused', async () => {
  const other = unzipSync(bytesOfKeras('lstm', 'model.keras'));
  const path = rewrite('cnn', (entries) => (entries['model.weights.h5'] = other['model.weights.h5']));
  expect((await userErrorOf(() => load(path))).message).toContain(
    'does not hold the weight second/kernel [3, 3, 3, 4]',
  );
});

test.each<[string, (entries: Record<string, Uint8Array>) => void, string]>([
  [
    'no layers',
    (entries) => delete entries['config.json'],
    'it is a zip archive without config.json, which Keras writes',
  ],
  ['no weights', (entries) => delete entries['model.weights.h5'], 'it is a zip archive without model.weights.h5'],
  [
    'weights in parts',
    (entries) => {
      entries['model_00000.weights.h5'] = entries['model.weights.h5'];
      delete entries['model.weights.h5'];
    },
    'its weights are in several parts, which cannot be read',
  ],
  ['no JSON', (entries) => (entries['config.json'] = Buffer.from('{"class')), 'its config.json is not valid JSON'],
  ['a list', (entries) => (entries['config.json'] = Buffer.from('[]')), 'its config.json is not a table'],
  [
    'no list of layers',
    (entries) => (entries['config.json'] = Buffer.from('{"class_name": "Sequential", "config": {}}')),
    'its model has no list of layers',
  ],
  [
    'other weights',
    (entries) => (entries['model.weights.h5'] = Buffer.alloc(5000)),
    'its model.weights.h5 is no HDF5 file',
  ],
  [
    'weights that unpack to more than they say',
    (entries) => (entries['model.weights.h5'] = Buffer.concat([entries['model.weights.h5'], Buffer.alloc(50_000_000)])),
    'it decompresses to more than the',
  ],
  [
    'layers of gigabytes',
    (entries) => (entries['config.json'] = Buffer.concat([entries['config.json'], Buffer.alloc(150_000_000, ' ')])),
    'it decompresses to more than the 100000000 bytes',
  ],
])('an archive with %s is refused', async (_, change, expected) => {
  const error = await userErrorOf(() => load(rewrite('mlp', change)));
  expect(error.message).toContain(`${join(folder, 'net.keras')} is not usable: ${expected}`);
  expect(error.remedy).toContain('model.save');
});

test.each(['model.keras', 'model.h5'] as const)('%s that is cut off is refused', async (file) => {
  const bytes = bytesOfKeras('nested', file);
  for (const part of [0.2, 0.5, 0.9, 0.999]) {
    writeFileSync(join(folder, file), bytes.subarray(0, Math.floor(part * bytes.length)));
    expect((await userErrorOf(() => load(`./${file}`))).message).toMatch(
      /is not usable: it is (cut off|no valid \.keras archive)/,
    );
  }
});

test('a file of weights alone is told from a model', async () => {
  writeKeras(folder, 'mlp', 'weights.weights.h5');
  const error = await userErrorOf(() => load('./weights.weights.h5'));
  expect(error.message).toBe(`${join(folder, 'weights.weights.h5')} holds weights without the layers of their model.`);
  expect(error.remedy).toContain('"start"');
});

test('a file that is missing or something else is refused', async () => {
  expect((await userErrorOf(() => load('./net.keras'))).message).toBe(`${join(folder, 'net.keras')} does not exist.`);
  writeFileSync(join(folder, 'net.h5'), '<!DOCTYPE html><html></html>');
  expect((await userErrorOf(() => load('./net.h5'))).message).toContain('it is a web page, not the data');
});
