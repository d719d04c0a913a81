/** @file The names of a frozen model's weights and layers, and the layers that a step with one calls. */
import type * as tf from '@tensorflow/tfjs';
import type { Program } from './program.ts';

/**
 * The name under which graphs and states have a weight or a layer of the frozen model. The program's model has none like it:
 * TensorFlow.js allows no colon in a name.
 */
export function frozenName(name: string): string {
  return `frozen:${name}`;
}

/** The layers that a step may call: those of the program's model, then those of the frozen one. */
export function calledLayers({ layers, frozen }: Pick<Program, 'layers' | 'frozen'>): readonly tf.layers.Layer[] {
  return frozen === undefined ? layers : [...layers, ...frozen.layers];
}
