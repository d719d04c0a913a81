/** @file What the outputs of a model with classes are: logits or probabilities. */
import type * as tf from '@tensorflow/tfjs';
import { outputActivation } from '../../models/modelOutputs.ts';
import { lossFacts, type LossId } from '../../protocol/experiment/lossFacts.ts';

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
  const activation = outputActivation(model);
  if (BOUNDED.has(activation)) return undefined;
  return activation === 'softmax' ? 'probabilities' : 'logits';
}
