/** @file The inputs and outputs of a model: their names, and what the numbers of an output are. */
import * as tf from '@tensorflow/tfjs';
import { graphOf, OnnxGraphLayer } from './onnx/graphLayer.ts';

/** The activations of TensorFlow.js that operators of ONNX are, where they tell what an output is. */
const ACTIVATION_OF_OPERATOR: Readonly<Record<string, string | undefined>> = {
  Softmax: 'softmax',
  Sigmoid: 'sigmoid',
  HardSigmoid: 'hardSigmoid',
  Tanh: 'tanh',
};

/**
 * Name of the activation in TensorFlow.js; undefined for an output that ends with none, or with one that is not known.
 * @param index of the output
 */
export function outputActivation(model: tf.LayersModel, index = 0): string | undefined {
  return activationOf(model.outputs[index].sourceLayer, index);
}

/** The activation of a layer, or the last one in it. @param index of the output of an ONNX graph */
function activationOf(layer: tf.layers.Layer, index = 0): string | undefined {
  if (layer instanceof OnnxGraphLayer) return ACTIVATION_OF_OPERATOR[layer.lastOperator(index) ?? ''];
  if (layer instanceof tf.LayersModel) return outputActivation(layer);
  if (layer.getClassName() === 'Softmax') return 'softmax';
  const inner = (layer as { layer?: unknown }).layer;
  if (inner instanceof tf.layers.Layer) return activationOf(inner);
  const { activation } = layer.getConfig();
  return typeof activation === 'string' ? activation : undefined;
}

/** Those of an ONNX graph, or else of the layers that make the outputs. */
export function outputNames(model: tf.LayersModel): string[] {
  const graph = graphOf(model)?.settings.graph;
  return graph ? graph.outputs.map(({ name }) => name) : model.outputs.map(({ sourceLayer }) => sourceLayer.name);
}

/** Those of an ONNX graph, or else of the layers that take the inputs. */
export function inputNames(model: tf.LayersModel): string[] {
  const graph = graphOf(model)?.settings.graph;
  // A sequential model has no `inputNames`.
  return graph ? graph.inputs.map(({ name }) => name) : model.inputs.map(({ sourceLayer }) => sourceLayer.name);
}
