/**
 * @file Dilations that a model sets and TensorFlow.js computes without: it has none for depthwise and transposed convolutions, and says
 * nothing (tfjs-layers 4.22, convolutional_depthwise.ts and convolutional.ts).
 */
import type * as tf from '@tensorflow/tfjs';
import { nestedLayers } from '../compiler/trace/statefulLayers.ts';

/** Classes of layers whose dilation is left out. */
export const WITHOUT_DILATION = new Set(['DepthwiseConv2D', 'Conv2DTranspose', 'Conv3DTranspose']);

/** A warning for each layer with such a dilation, those in nested models included. */
export function dilationWarnings(model: tf.LayersModel): string[] {
  return nestedLayers(model.layers).flatMap((layer) => {
    const { dilationRate } = layer as unknown as { dilationRate?: readonly number[] };
    const className = layer.getClassName();
    if (!WITHOUT_DILATION.has(className) || (dilationRate ?? []).every((rate) => rate === 1)) return [];
    return [
      `the layer '${layer.name}' (${className}) is trained and exported without its dilationRate of ${dilationRate!.join(' x ')}: ` +
        'TensorFlow.js has no dilation of such layers. Set it to 1, or use a separableConv2d or conv2d, which have one.',
    ];
  });
}
