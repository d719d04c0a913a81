/** @file What the outputs of a model with classes are: logits or probabilities. */
import * as tf from '@tensorflow/tfjs';
import { OnnxGraphLayer } from '../../models/onnx/graphLayer.ts';
import { lossFacts, type LossId } from '../../protocol/experiment/lossFacts.ts';

/** The activations of TensorFlow.js that operators of ONNX are, where they tell what an output is. */
const ACTIVATION_OF_OPERATOR: Readonly<Record<string, string | undefined>> = {
  Softmax: 'softmax',
  Sigmoid: 'sigmoid',
  HardSigmoid: 'hardSigmoid',
  Tanh: 'tanh',
};

/** What a model's outputs `[…, classes]` are. */
export type OutputKind = 'logits' | 'probabilities';

/** Activations that make neither logits, which have no bounds, nor probabilities, which sum to 1. */
const BOUNDED: ReadonlySet<string | undefined> = new Set(['sigmoid', 'hardSigmoid', 'tanh']);

/**
 * By the loss that the model was made for, where that is known and of classes; else probabilities where the last layer is a softmax,
 * logits where it is none.
 * @returns undefined for outputs that are neither
 */
export function outputKindOf(model: tf.LayersModel, loss: LossId | undefined): OutputKind | undefined {
  const known = loss === undefined ? undefined : lossFacts[loss].outputs;
  if (known !== undefined) return known;
  const activation = activationOf(model);
  if (BOUNDED.has(activation)) return undefined;
  return activation === 'softmax' ? 'probabilities' : 'logits';
}

/** The activation that a layer ends with, or the last one in it. */
function activationOf(layer: tf.layers.Layer): string | undefined {
  if (layer instanceof OnnxGraphLayer) return ACTIVATION_OF_OPERATOR[layer.lastOperator ?? ''];
  if (layer instanceof tf.LayersModel) return activationOf(layer.outputs[0].sourceLayer);
  if (layer.getClassName() === 'Softmax') return 'softmax';
  const inner = (layer as { layer?: unknown }).layer;
  if (inner instanceof tf.layers.Layer) return activationOf(inner);
  const { activation } = layer.getConfig();
  return typeof activation === 'string' ? activation : undefined;
}
