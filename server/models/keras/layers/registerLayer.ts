/** @file Layers of Keras that TensorFlow.js does not have, known to it by their class names, so that it makes them of what a file says. */
import * as tf from '@tensorflow/tfjs';

const names = new Set<string>();

/** @param layer a class of layers with a static `className` */
export function registerLayer(layer: { readonly className: string }): void {
  tf.serialization.registerClass(layer as unknown as Parameters<typeof tf.serialization.registerClass>[0]);
  names.add(layer.className);
}

/** True for a class of layers that no other program with TensorFlow.js knows. */
export function isOwnLayer(className: string): boolean {
  return names.has(className);
}
