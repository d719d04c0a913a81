/** @file The models that export-check writes, each with its weights in a compressed form. */
import * as tf from '@tensorflow/tfjs';
import type { Predictor } from '../../server/compiler/program.ts';
import { Compressor } from '../../server/compression/compressor.ts';
import { planCompression } from '../../server/compression/plan.ts';
import { Random } from '../../server/formats/random.ts';
import { DenseWeight } from '../../server/formats/packed/dense.ts';
import type { PackedWeight } from '../../server/formats/packed/packedFile.ts';
import { builtinModels } from '../../server/models/builtinModels.ts';
import { modelWeights } from '../../server/models/modelWeights.ts';
import { placedCompressions } from '../../server/protocol/experiment/compressions.ts';
import { oneCompression } from '../../server/protocol/experiment/schema/compression.ts';
import { predictorOf } from '../../server/training/modelProgram.ts';

const { layers } = tf;

export interface ExportedModel {
  readonly name: string;
  /** The form in which its matrices are stored. */
  readonly form: PackedWeight['form'];
  readonly predictor: Predictor;
  readonly weights: ReadonlyMap<string, PackedWeight>;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** What the inputs count, where they are indices: words, say. */
  readonly indices?: number;
}

/** 90% pruned, quantized to 2 bits, or of rank 8. */
const compressions = {
  sparse: { method: 'prune', layers: { '*': { rate: 0.9 } } },
  'binary-codes': {
    method: 'quantize',
    layers: { '*': { levels: 'binary', bits: 2, scales: 'row', algorithm: 'alternating', iterations: 10 } },
  },
  factors: { method: 'low-rank', layers: { '*': { rank: 8, sharedProjection: false } } },
} as const;

type Form = keyof typeof compressions;

export async function exportedModels(): Promise<readonly ExportedModel[]> {
  return [
    await compressed('LeNet-5', builtinModels['lenet-5'](), 'sparse'),
    await compressed('LSTM', languageModel(), 'binary-codes', 50),
    await compressed('ResNet-20', resNet20(), 'sparse'),
    await compressed('Transformer block', transformerBlock(), 'sparse'),
    await compressed('two inputs', twoInputs(), 'factors'),
  ];
}

async function compressed(name: string, model: tf.LayersModel, form: Form, indices?: number): Promise<ExportedModel> {
  const random = new Random(2);
  const weights = modelWeights(model).map(({ variable, ...weight }) => {
    const values = Float32Array.from(variable.dataSync());
    // Vectors that begin as zeros or ones would hide a mistake.
    if (weight.shape.length === 1) values.forEach((value, i) => (values[i] = value + 0.2 * (random.uniform() - 0.5)));
    return { ...weight, variable, values };
  });
  const compression = oneCompression.parse({ ...compressions[form], distortEvery: 1 });
  const matrices = weights.filter(({ shape }) => shape.length > 1);
  const compressor = new Compressor(
    planCompression(placedCompressions({ compression }), matrices, { steps: 1, seed: 1 }),
    matrices,
  );
  await compressor.distort(1);
  for (const { variable, values } of weights) tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  const packed = compressor.packed();
  const inputs = model.inputs.map(({ shape }) => ({
    dtype: indices === undefined ? ('float32' as const) : ('int32' as const),
    shape: shape.slice(1).map(Number),
  }));
  return {
    name,
    form,
    predictor: predictorOf(model, weights, inputs),
    weights: new Map(
      weights.map(({ name: weight, shape, values }) => [weight, packed.get(weight) ?? new DenseWeight(shape, values)]),
    ),
    inputNames: model.inputs.map(({ sourceLayer }) => sourceLayer.name),
    outputNames: model.outputs.map(({ sourceLayer }) => sourceLayer.name),
    ...(indices !== undefined && { indices }),
  };
}

const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
  layer.apply(x) as tf.SymbolicTensor;

/** Two LSTM layers between an embedding and logits. */
function languageModel(): tf.LayersModel {
  const lstm = (name: string) =>
    layers.lstm({ name, units: 64, returnSequences: true, recurrentInitializer: 'glorotUniform' });
  return tf.sequential({
    layers: [
      layers.embedding({ name: 'embedding', inputDim: 50, outputDim: 32, batchInputShape: [null, 12] }),
      lstm('lstm1'),
      lstm('lstm2'),
      layers.dense({ name: 'logits', units: 50 }),
    ],
  });
}

/** That of He et al. 2016 for CIFAR-10, with 1 x 1 convolutions where the size changes. */
function resNet20(): tf.LayersModel {
  const convolution = (x: tf.SymbolicTensor, name: string, filters: number, kernelSize: number, strides: number) => {
    const kernelInitializer = 'heNormal';
    const layer = layers.conv2d({
      name,
      filters,
      kernelSize,
      strides,
      padding: 'same',
      useBias: false,
      kernelInitializer,
    });
    return apply(layers.batchNormalization({ name: `${name}-norm` }), apply(layer, x));
  };
  const relu = (x: tf.SymbolicTensor) => apply(layers.activation({ activation: 'relu' }), x);
  const image = tf.input({ shape: [32, 32, 3], name: 'image' });
  let x = relu(convolution(image, 'conv0', 16, 3, 1));
  for (const [stage, filters] of [16, 32, 64].entries()) {
    for (let block = 0; block < 3; block++) {
      const name = `stage${stage}-block${block}`;
      const strides = stage > 0 && block === 0 ? 2 : 1;
      const first = relu(convolution(x, `${name}-conv1`, filters, 3, strides));
      const second = convolution(first, `${name}-conv2`, filters, 3, 1);
      const shortcut = strides === 2 ? convolution(x, `${name}-shortcut`, filters, 1, 2) : x;
      x = relu(apply(layers.add(), [second, shortcut]));
    }
  }
  const pooled = apply(layers.globalAveragePooling2d({}), x);
  return tf.model({ inputs: image, outputs: apply(layers.dense({ name: 'logits', units: 10 }), pooled) });
}

/** Self-attention and a feed-forward layer, each normalized and with what goes past it (Vaswani et al. 2017). */
function transformerBlock(): tf.LayersModel {
  const width = 32;
  const dense = (name: string, units: number, x: tf.SymbolicTensor, activation?: 'relu') =>
    apply(layers.dense({ name, units, ...(activation && { activation }) }), x);
  const added = (name: string, a: tf.SymbolicTensor, b: tf.SymbolicTensor) =>
    apply(layers.layerNormalization({ name }), apply(layers.add(), [a, b]));
  const x = tf.input({ shape: [16, width], name: 'sequence' });
  const heads = [0, 1, 2, 3].map((head) => {
    const [query, key, value] = ['query', 'key', 'value'].map((name) => dense(`${name}${head}`, width / 4, x));
    const attention = apply(layers.softmax({ axis: -1 }), apply(layers.dot({ axes: [2, 2] }), [query, key]));
    return apply(layers.dot({ axes: [2, 1] }), [attention, value]);
  });
  const attended = added('norm1', x, dense('attention', width, apply(layers.concatenate(), heads)));
  const hidden = dense('hidden', 4 * width, attended, 'relu');
  return tf.model({ inputs: x, outputs: added('norm2', attended, dense('feed-forward', width, hidden)) });
}

/** A sequence and a vector in; a class and a value out. */
function twoInputs(): tf.LayersModel {
  const sequence = tf.input({ shape: [10, 16], name: 'sequence' });
  const vector = tf.input({ shape: [24], name: 'vector' });
  const gru = layers.gru({ name: 'gru', units: 32, recurrentInitializer: 'glorotUniform' });
  const joined = apply(layers.concatenate(), [apply(gru, sequence), vector]);
  const hidden = apply(layers.dense({ name: 'hidden', units: 40, activation: 'relu' }), joined);
  return tf.model({
    inputs: [sequence, vector],
    outputs: [
      apply(layers.dense({ name: 'class', units: 12, activation: 'softmax' }), hidden),
      apply(layers.dense({ name: 'value', units: 12, activation: 'tanh' }), hidden),
    ],
  });
}
