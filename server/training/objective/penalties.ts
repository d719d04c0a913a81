/**
 * @file The penalties that the regularizers of a model add to its loss. Each weight counts once, as in Keras: the `fit` of TensorFlow.js passes over
 * recurrent layers, whose cells have the weights, and over a model that a Sequential begins with, and counts a layer once for each of its calls.
 */
import * as tf from '@tensorflow/tfjs';
import { nestedLayers } from '../../compiler/trace/statefulLayers.ts';

/** What tfjs-layers' recurrent layers, and their cells that are made of several, hold. */
interface WithCells {
  readonly cell?: tf.layers.Layer;
  readonly cells?: readonly tf.layers.Layer[];
}

/** @returns a penalty for each weight with a regularizer, in the order of the layers */
export function penaltiesOf(model: Pick<tf.LayersModel, 'layers'>): tf.Scalar[] {
  // A wrapper names those of its layer once more.
  const penalties = new Set(
    nestedLayers(model.layers)
      .flatMap(withCells)
      .flatMap(({ losses }) => losses),
  );
  return [...penalties].map((penalty) => tf.mean<tf.Scalar>(penalty()));
}

function withCells(layer: tf.layers.Layer): tf.layers.Layer[] {
  const { cell, cells = [] } = layer as unknown as WithCells;
  return [layer, ...[...(cell ? [cell] : []), ...cells].flatMap(withCells)];
}
