/**
 * @file Normalizations without a scale or a center, which TensorFlow.js cannot train: it reads weights that the layer does not
 * have (https://github.com/tensorflow/tfjs/issues/2868). They get a constant 1 or 0 in their place.
 */
import * as tf from '@tensorflow/tfjs';
import { nestedLayers } from '../compiler/trace/statefulLayers.ts';

/** The part of BatchNormalization and LayerNormalization that holds the weights. */
interface Normalization {
  scale: boolean;
  center: boolean;
  gamma?: Constant;
  beta?: Constant;
}
type Constant = Pick<tf.LayerVariable, 'read'>;

/** Makes the normalizations of a model trainable, those in nested models included. They get no weights. */
export function completeNormalizations(model: tf.LayersModel): void {
  for (const layer of nestedLayers(model.layers)) {
    const name = layer.getClassName();
    if (name !== 'BatchNormalization' && name !== 'LayerNormalization') continue;
    const normalization = layer as unknown as Normalization;
    const { axis, scale, center } = layer.getConfig() as { axis: number | number[]; scale: boolean; center: boolean };
    const input = [layer.input].flat()[0].shape;
    const shape = [axis].flat().map((one) => input.at(one) as number);
    normalization.gamma ??= { read: () => tf.ones(shape) };
    normalization.beta ??= { read: () => tf.zeros(shape) };
    if (name === 'BatchNormalization') continue;
    // This layer reads them only where it believes that it has them.
    normalization.scale = true;
    normalization.center = true;
    // What is saved of the layer still says which weights it has.
    const config = layer.getConfig.bind(layer);
    layer.getConfig = () => ({ ...config(), scale, center });
  }
}
