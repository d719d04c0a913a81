/** @file The classes of layers whose units are followed, a rule for each. */
import type { Rule } from './layerCall.ts';
import {
  convolution,
  dense,
  depthwiseConvolution,
  elementwise,
  embedding,
  parametricRelu,
  separableConvolution,
  transposedConvolution,
} from './rules/kernels.ts';
import { concatenate, merging } from './rules/merge.ts';
import { flatten, permute, reshape, same, zeroPadding } from './rules/movement.ts';
import { batchNormalization } from './rules/normalization.ts';
import { bidirectional, gru, lstm, simpleRnn } from './rules/recurrent.ts';
import { timeDistributed } from './rules/wrappers.ts';

/** By class name in TensorFlow.js. */
const rules: Readonly<Record<string, Rule>> = {
  Dense: dense,
  Conv1D: convolution,
  Conv2D: convolution,
  Conv3D: convolution,
  Conv2DTranspose: transposedConvolution,
  Conv3DTranspose: transposedConvolution,
  DepthwiseConv2D: depthwiseConvolution,
  SeparableConv2D: separableConvolution,
  Embedding: embedding,

  LSTM: lstm,
  GRU: gru,
  SimpleRNN: simpleRnn,
  Bidirectional: bidirectional,
  TimeDistributed: timeDistributed,

  Activation: elementwise,
  ReLU: elementwise,
  LeakyReLU: elementwise,
  ELU: elementwise,
  ThresholdedReLU: elementwise,
  PReLU: parametricRelu,
  BatchNormalization: batchNormalization,

  Add: merging('add'),
  Average: merging('average'),
  Multiply: merging('multiply'),
  Maximum: merging('maximum'),
  Minimum: merging('minimum'),
  Concatenate: concatenate,

  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: same,
  Cropping2D: same,
  UpSampling2D: same,
  ZeroPadding2D: zeroPadding,

  Dropout: same,
  SpatialDropout1D: same,
  GaussianDropout: same,
  GaussianNoise: same,
  AlphaDropout: same,

  MaxPooling1D: same,
  MaxPooling2D: same,
  MaxPooling3D: same,
  AveragePooling1D: same,
  AveragePooling2D: same,
  AveragePooling3D: same,
  GlobalMaxPooling1D: same,
  GlobalMaxPooling2D: same,
  GlobalAveragePooling1D: same,
  GlobalAveragePooling2D: same,
};

const OVER_ALL = (path: string) => `${path} computes with all of them together`;

/** Why a class stops: a clause about the units before it. */
const stops: Readonly<Record<string, (path: string) => string>> = {
  Softmax: OVER_ALL,
  LayerNormalization: OVER_ALL,
  Dot: OVER_ALL,
  Masking: OVER_ALL,
};

/** The rule of a class; one that stops for a class that is not known. */
export function ruleOf(className: string): Rule {
  if (Object.hasOwn(rules, className)) return rules[className];
  const reason = Object.hasOwn(stops, className) ? stops[className] : undefined;
  return (call) =>
    call.stops(reason?.(call.path) ?? `${call.path} is of the class ${className}, which is not followed`);
}
