/** @file Networks that are trained on both devices: LeNet-5, ResNet-20, an LSTM language model, a Transformer encoder, in any width. */
import * as tf from '@tensorflow/tfjs';
import type { Program, SampleType } from '../../server/compiler/program.ts';
import { losses } from '../../server/models/losses.ts';
import type { OptimizerConfig } from '../../server/protocol/experiment/schema.ts';
import { modelProgram } from '../unit/compiler/programs.ts';

export interface Network {
  readonly program: Program;
  readonly batchSize: number;
  /** Inputs that are integers, and targets, are below it. */
  readonly classes: number;
  readonly optimizer: OptimizerConfig;
}

/** How large networks are: 'whole' as in their papers, but for batches and sequences. */
export type NetworkSize = 'small' | 'whole';

const { layers } = tf;
const momentum = (learningRate: number): OptimizerConfig => ({
  ...{ type: 'sgd', learningRate, momentum: 0.9, nesterov: false, weightDecay: 0 },
});
const adam: OptimizerConfig = {
  ...{ type: 'adam', learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-5, weightDecay: 0 },
};

function network(
  model: tf.LayersModel,
  targetShape: readonly number[],
  settings: Omit<Network, 'program'>,
  dtype: SampleType['dtype'] = 'float32',
): Network {
  const loss = losses['sparse-categorical-crossentropy-from-logits'];
  const program = modelProgram(model, (y, outputs) => loss(y, outputs), { dtype: 'int32', shape: targetShape }, dtype);
  return { program, ...settings };
}

const glorot = () => tf.initializers.glorotUniform({ seed: 1 });

/** LeNet-5 as in Caffe. */
function lenet5(size: NetworkSize): Network {
  const kernelInitializer = glorot();
  const [first, second, units] = size === 'whole' ? [20, 50, 500] : [4, 6, 20];
  const model = tf.sequential({
    layers: [
      layers.conv2d({ filters: first, kernelSize: 5, kernelInitializer, inputShape: [28, 28, 1] }),
      layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      layers.conv2d({ filters: second, kernelSize: 5, kernelInitializer }),
      layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      layers.flatten(),
      layers.dense({ units, activation: 'relu', kernelInitializer }),
      layers.dense({ units: 10, kernelInitializer }),
    ],
  });
  return network(model, [], { batchSize: 4, classes: 10, optimizer: momentum(1e-3) });
}

/** ResNet-20 (He et al. 2016, section 4.2) with convolutions as shortcuts. */
function resnet20(size: NetworkSize): Network {
  const [stages, side] = size === 'whole' ? [[16, 32, 64], 32] : [[2, 4, 8], 8];
  const convolved = (x: tf.SymbolicTensor, filters: number, kernelSize: number, strides: number) => {
    const settings = { filters, kernelSize, strides, padding: 'same', useBias: false } as const;
    const y = layers.conv2d({ ...settings, kernelInitializer: glorot() }).apply(x);
    return layers.batchNormalization({ momentum: 0.9 }).apply(y) as tf.SymbolicTensor;
  };
  const relu = (x: tf.SymbolicTensor) => layers.reLU().apply(x) as tf.SymbolicTensor;
  const pixels = tf.input({ shape: [side, side, 3] });
  let x = relu(convolved(pixels, stages[0], 3, 1));
  stages.forEach((filters, stage) => {
    for (let block = 0; block < 3; block++) {
      const strides = stage > 0 && block === 0 ? 2 : 1;
      const change = convolved(relu(convolved(x, filters, 3, strides)), filters, 3, 1);
      const shortcut = strides === 1 ? x : convolved(x, filters, 1, 2);
      x = relu(layers.add().apply([shortcut, change]) as tf.SymbolicTensor);
    }
  });
  const pooled = layers.globalAveragePooling2d({}).apply(x);
  const logits = layers.dense({ units: 10, kernelInitializer: glorot() }).apply(pooled) as tf.SymbolicTensor;
  return network(tf.model({ inputs: pixels, outputs: logits }), [], {
    ...{ batchSize: 4, classes: 10, optimizer: momentum(1e-3) },
  });
}

/** Two layers of LSTM units between an embedding and logits of words, as in Zaremba et al. 2014; its state goes from batch to batch. */
function lstm(size: NetworkSize): Network {
  const [units, words, steps, batchSize] = size === 'whole' ? [200, 1000, 20, 20] : [12, 20, 5, 4];
  const model = tf.sequential({
    layers: [
      layers.embedding({ inputDim: words, outputDim: units, batchInputShape: [batchSize, steps] }),
      ...[1, 2].map(() =>
        layers.lstm({
          ...{ units, returnSequences: true, stateful: true },
          kernelInitializer: glorot(),
          recurrentInitializer: glorot(),
        }),
      ),
      layers.dense({ units: words, kernelInitializer: glorot() }),
    ],
  });
  return network(model, [steps], { batchSize, classes: words, optimizer: momentum(0.05) }, 'int32');
}

/** Attention of several heads (Vaswani et al. 2017, section 3.2), without biases. */
class Attention extends layers.Layer {
  static readonly className = 'AttentionOfTests';
  readonly #heads: number;
  #projections: tf.LayerVariable[] = [];

  constructor({ heads }: { heads: number }) {
    super({});
    this.#heads = heads;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const [, , width] = inputShape as number[];
    this.#projections = ['query', 'key', 'value', 'output'].map((name) =>
      this.addWeight(name, [width, width], 'float32', glorot()),
    );
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat();
    const [, length, width] = x.shape;
    const ofHead = width / this.#heads;
    const rows = tf.reshape(x, [-1, width]);
    const [query, key, value] = this.#projections.slice(0, 3).map((projection) => {
      const projected = tf.matMul(rows, projection.read());
      return tf.transpose(tf.reshape(projected, [-1, length, this.#heads, ofHead]), [0, 2, 1, 3]);
    });
    const scores = tf.softmax(tf.div(tf.matMul(query, key, false, true), Math.sqrt(ofHead)));
    const heads = tf.reshape(tf.transpose(tf.matMul(scores, value), [0, 2, 1, 3]), [-1, width]);
    return tf.reshape(tf.matMul(heads, this.#projections[3].read()), [-1, length, width]);
  }
}

/** Two layers of a Transformer's encoder, their mean over time to logits. */
function transformer(size: NetworkSize): Network {
  const [length, width, heads] = size === 'whole' ? [128, 256, 8] : [8, 16, 2];
  const vectors = tf.input({ shape: [length, width] });
  const dense = (units: number, activation: 'relu' | 'linear') =>
    layers.dense({ units, activation, kernelInitializer: glorot() });
  const residual = (x: tf.SymbolicTensor, change: tf.SymbolicTensor) =>
    layers.layerNormalization().apply(layers.add().apply([x, change])) as tf.SymbolicTensor;
  let x = vectors;
  for (let layer = 0; layer < 2; layer++) {
    x = residual(x, new Attention({ heads }).apply(x) as tf.SymbolicTensor);
    const hidden = dense(4 * width, 'relu').apply(x) as tf.SymbolicTensor;
    x = residual(x, dense(width, 'linear').apply(hidden) as tf.SymbolicTensor);
  }
  const logits = dense(10, 'linear').apply(layers.globalAveragePooling1d().apply(x)) as tf.SymbolicTensor;
  return network(tf.model({ inputs: vectors, outputs: logits }), [], { batchSize: 4, classes: 10, optimizer: adam });
}

export const networks: Readonly<Record<string, (size: NetworkSize) => Network>> = {
  'LeNet-5': lenet5,
  'ResNet-20': resnet20,
  LSTM: lstm,
  Transformer: transformer,
};
