/** @file The built-in models, `builtin:NAME`. Their outputs are logits. */
import * as tf from '@tensorflow/tfjs';
import type { BuiltinName } from './builtinNames.ts';
import { lstmLanguageModel } from './lstmLanguageModel.ts';
import type { ModelSamples } from './modelSamples.ts';

const CLASSES = 10;
/** Glorot & Bengio 2010, eq. 16; tfjs would take a normal distribution. */
const kernelInitializer = 'glorotUniform';

/** LeNet-300-100 (LeCun et al. 1998): 28 x 28 pixels as a vector; 266,200 weights. */
function lenet300100(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({ name: 'fc1', units: 300, activation: 'relu', kernelInitializer, inputShape: [784] }),
      tf.layers.dense({ name: 'fc2', units: 100, activation: 'relu', kernelInitializer }),
      tf.layers.dense({ name: 'fc3', units: CLASSES, kernelInitializer }),
    ],
  });
}

/** LeNet-5 as in Caffe's examples/mnist/lenet.prototxt: no activation after the convolutions; 430,500 weights. */
function lenet5(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ name: 'conv1', filters: 20, kernelSize: 5, kernelInitializer, inputShape: [28, 28, 1] }),
      tf.layers.maxPooling2d({ name: 'pool1', poolSize: 2, strides: 2 }),
      tf.layers.conv2d({ name: 'conv2', filters: 50, kernelSize: 5, kernelInitializer }),
      tf.layers.maxPooling2d({ name: 'pool2', poolSize: 2, strides: 2 }),
      tf.layers.flatten({ name: 'flatten' }),
      tf.layers.dense({ name: 'fc1', units: 500, activation: 'relu', kernelInitializer }),
      tf.layers.dense({ name: 'fc2', units: CLASSES, kernelInitializer }),
    ],
  });
}

/** Small, medium and large of Zaremba et al. 2014, table 1, and the model of Xu et al. 2018. */
const languageModel =
  (layers: number, units: number, initialRange: number, dropout: number) => (samples?: ModelSamples) =>
    lstmLanguageModel({ builtin: 'lstm-lm', layers, units, initialRange, dropout, tied: false }, samples);

export const builtinModels: Readonly<Record<BuiltinName, (samples?: ModelSamples) => tf.LayersModel>> = {
  'lenet-300-100': lenet300100,
  'lenet-5': lenet5,
  'lstm-lm-small': languageModel(2, 200, 0.1, 0),
  'lstm-lm-medium': languageModel(2, 650, 0.05, 0.5),
  'lstm-lm-large': languageModel(2, 1500, 0.04, 0.65),
  'lstm-lm-300': languageModel(1, 300, 0.1, 0.5),
};
