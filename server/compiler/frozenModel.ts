/**
 * @file A second model in a program, which is never trained: its outputs are part of the loss, as a teacher's are. Its weights are
 * a group of their own, so that what trains, saves or reports the weights of the program's model never meets them.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Program, ProgramWeight } from './program.ts';

/** A weight that a step reads; `trainable` of a layer or model counts for nothing here. */
export type FrozenWeight = Pick<ProgramWeight, 'name' | 'variable'>;

export interface FrozenModel {
  /** Their names are unique among themselves; weights of the program's model may have the same ones. */
  readonly weights: readonly FrozenWeight[];
  readonly layers: readonly tf.layers.Layer[];
}

/**
 * The name under which graphs and states have a weight or a layer of the frozen model. The program's model has none like it:
 * TensorFlow.js allows no colon in a name.
 */
export function frozenName(name: string): string {
  return `frozen:${name}`;
}

/** The layers that a step may call: those of the program's model, then those of the frozen one. */
export function calledLayers({ layers, frozen }: Program): readonly tf.layers.Layer[] {
  return frozen === undefined ? layers : [...layers, ...frozen.layers];
}
