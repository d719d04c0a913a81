/** @file Finds out that a loss depends on no trained weight but through comparisons, whose gradient is 0 whatever the batch. */
import * as tf from '@tensorflow/tfjs';
import { flatKernels } from './gradients.ts';
import { unreachedWeights } from './layerErrors.ts';

/** The part of the engine that is watched. */
interface TapedEngine {
  addTapeNode(kernel: string, inputs: tf.NamedTensorMap, outputs: tf.Tensor[], ...rest: unknown[]): void;
}

/**
 * Computes a loss, as TensorFlow.js does to differentiate it.
 * @throws UserError when no gradient can reach a weight
 */
export function reachingWeights(weights: readonly tf.Variable[], compute: () => tf.Scalar): tf.Scalar {
  const engine = tf.engine() as unknown as TapedEngine;
  const own = Object.getOwnPropertyDescriptor(engine, 'addTapeNode');
  const addTapeNode = engine.addTapeNode.bind(engine);
  /** Tensors that a weight has a gradient through, by their numbers. */
  const dependent = new Set(weights.map(({ id }) => id));
  engine.addTapeNode = (kernel, inputs, outputs, ...rest) => {
    addTapeNode(kernel, inputs, outputs, ...rest);
    if (!flatKernels.has(kernel) && Object.values(inputs).some(({ id }) => dependent.has(id)))
      outputs.forEach(({ id }) => dependent.add(id));
  };
  try {
    const loss = compute();
    if (!dependent.has(loss.id)) throw unreachedWeights();
    return loss;
  } finally {
    if (own === undefined) Reflect.deleteProperty(engine, 'addTapeNode');
    else Object.defineProperty(engine, 'addTapeNode', own);
  }
}
