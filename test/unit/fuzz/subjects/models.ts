import * as tf from '@tensorflow/tfjs';
import { unzipSync, zipSync } from 'fflate';
import { graphFile, integers, node, seededFloats } from '../../models/onnx/onnxFiles.ts';
import { loadModel } from '../../../../server/models/loadModel.ts';
import { bytesOfKeras } from '../../models/keras/kerasFixtures.ts';
import { bytes, json, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';

const { positiveFloats, randomFloats } = seededFloats();

/** Two branches that come together: its topology names layers by their names, which can be made to go in circles. */
export async function saved(): Promise<{ 'model.json': string; 'weights.bin': Uint8Array }> {
  const input = tf.input({ shape: [4], name: 'in' });
  const left = tf.layers.dense({ units: 3, name: 'left', activation: 'relu' }).apply(input) as tf.SymbolicTensor;
  const right = tf.layers.dense({ units: 3, name: 'right' }).apply(left) as tf.SymbolicTensor;
  const sum = tf.layers.add({ name: 'sum' }).apply([left, right]) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: sum });
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save({
    save: (made: tf.io.ModelArtifacts) => {
      artifacts = made;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } });
    },
  });
  model.dispose();
  const { modelTopology, weightSpecs, weightData } = artifacts!;
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
  return {
    'model.json': JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest }),
    'weights.bin': new Uint8Array(weightData as ArrayBuffer),
  };
}

export const models: Subject = {
  name: 'model.json',
  cases: 200,
  files: saved,
  mutations: { 'model.json': json, 'weights.bin': bytes },
  read: async (folder) => {
    const samples = {
      batchSize: 2,
      inputs: [{ shape: [4], dtype: 'float32' as const }],
      targets: [{ shape: [3], dtype: 'float32' as const }],
    };
    const { model } = await loadModel('./model.json', { baseDirectory: folder, seed: 1, samples });
    model.dispose();
  },
};

/** A convolution, a normalization and a linear layer, between them the arithmetic of shapes that exporters write. */
const graph = () =>
  graphFile({
    input: ['batch', 2, 4, 4],
    nodes: [
      node('Conv', ['x', 'conv.weight', 'conv.bias'], 'c', { pads: { ints: [1, 1, 1, 1] } }),
      node('BatchNormalization', ['c', 'bn.weight', 'bn.bias', 'bn.mean', 'bn.var'], 'n'),
      node('Relu', ['n'], 'r'),
      node('MaxPool', ['r'], 'p', { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } }),
      node('Shape', ['p'], 's'),
      node('Gather', ['s', 'zero'], 'b', { axis: { int: 0 } }),
      node('Concat', ['b', 'rest'], 'shape', { axis: { int: 0 } }),
      node('Reshape', ['p', 'shape'], 'f'),
      node('Gemm', ['f', 'fc.weight', 'fc.bias'], 'y', { transB: { int: 1 } }),
    ],
    tensors: {
      'conv.weight': randomFloats([3, 2, 3, 3]),
      'conv.bias': randomFloats([3]),
      'bn.weight': positiveFloats([3]),
      'bn.bias': randomFloats([3]),
      'bn.mean': randomFloats([3]),
      'bn.var': positiveFloats([3]),
      zero: integers([0]),
      rest: integers([-1]),
      'fc.weight': randomFloats([2, 12]),
      'fc.bias': randomFloats([2]),
    },
  });

export const onnxModels: Subject = {
  name: 'net.onnx',
  cases: 150,
  files: () => Promise.resolve({ 'net.onnx': graph() }),
  mutations: { 'net.onnx': bytes },
  read: async (folder) => {
    const { model } = await loadModel('./net.onnx', { baseDirectory: folder, seed: 1 });
    model.dispose();
  },
};

/** Files of Keras, each read as a model: a `.keras` archive, and the HDF5 file of before. */
export const kerasModels: readonly Subject[] = (['model.keras', 'model.h5'] as const).map((name) => ({
  name: `Keras ${name}`,
  cases: 100,
  files: () => Promise.resolve({ [name]: bytesOfKeras('nested', name) }),
  mutations: { [name]: [...bytes, ...(name === 'model.keras' ? json.map(inConfig) : [])] },
  read: async (folder) => {
    const { model } = await loadModel(`./${name}`, { baseDirectory: folder, seed: 1 });
    model.dispose();
  },
}));

/** Makes a mutation one of the configuration in an archive. */
function inConfig(mutation: Mutation): Mutation {
  return (content, random) => {
    const entries = unzipSync(content);
    const changed = mutation(Buffer.from(entries['config.json']), random);
    const archive = zipSync({ ...entries, 'config.json': changed.content });
    return { content: Buffer.from(archive), what: `configuration: ${changed.what}` };
  };
}
