/**
 * @file Names the layer in which TensorFlow.js fails: its own errors tell the operation, in words that say nothing to the author
 * of a model ("gradient function not found for Greater").
 */
import * as tf from '@tensorflow/tfjs';
import { UserError } from '../../protocol/userError.ts';
import { messageOf } from '../../protocol/thrown.ts';
import { UnsupportedKernel } from '../import/kernel.ts';
import { indexErrorOf } from '../indexBounds.ts';
import type { StepBatch } from '../program.ts';
import { nestedLayers } from './statefulLayers.ts';

type Layer = tf.layers.Layer;

/** The part of the engine's tape, and of the engine, that is watched. */
interface TapeNode {
  kernelName: string;
  gradient?: (outputGradients: tf.Tensor[]) => Record<string, () => tf.Tensor>;
}
interface TapedEngine {
  addTapeNode(...args: unknown[]): void;
  state: { activeTape: TapeNode[] };
}

/** Methods of a layer that compute. */
const COMPUTING = ['apply', 'call', 'computeMask'] as const;

/**
 * Runs a training step or an evaluation once.
 * @param layers of the model
 * @param batch that is computed with, where there is one
 * @throws UserError that names the layer for whatever TensorFlow.js or a layer of the user's throws; UserErrors and
 * UnsupportedKernels as they are
 */
export function explainingLayers<R>(
  layers: readonly Layer[],
  purpose: 'trained' | 'evaluated',
  run: () => R,
  batch?: StepBatch,
): R {
  const watch = new LayerWatch();
  const restore = [...nestedLayers(layers).map((layer) => watch.follow(layer)), watch.followGradients()];
  try {
    return run();
  } catch (error) {
    if (error instanceof UserError || error instanceof UnsupportedKernel) throw error;
    const message = messageOf(error);
    const indexError = batch && indexErrorOf(message, watch.failing?.name, batch);
    throw indexError ?? explain(error, watch.failing, purpose);
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}

/** Knows which layer is computing, forward or backward. */
class LayerWatch {
  /** The innermost layer that an error came out of, or whose gradient was computed last. */
  failing: Layer | undefined;
  #current: Layer | undefined;
  #failed = false;

  follow(layer: Layer): () => void {
    const undo = COMPUTING.map((method) => {
      const own = Object.getOwnPropertyDescriptor(layer, method);
      const compute = layer[method].bind(layer) as (...args: unknown[]) => unknown;
      Object.assign(layer, { [method]: (...args: unknown[]) => this.#within(layer, () => compute(...args)) });
      return () => {
        if (own === undefined) Reflect.deleteProperty(layer, method);
        else Object.defineProperty(layer, method, own);
      };
    });
    return () => undo.forEach((one) => one());
  }

  followGradients(): () => void {
    const engine = tf.engine() as unknown as TapedEngine;
    const addTapeNode = engine.addTapeNode.bind(engine);
    engine.addTapeNode = (...args) => {
      addTapeNode(...args);
      this.#followGradient(engine.state.activeTape.at(-1)!, this.#current);
    };
    return () => void Reflect.deleteProperty(engine, 'addTapeNode');
  }

  #followGradient(node: TapeNode, layer: Layer | undefined): void {
    const { gradient, kernelName } = node;
    node.gradient = (outputGradients) => {
      if (!this.#failed) this.failing = layer;
      if (gradient === undefined) throw new Error(`TensorFlow.js has no gradient of the operation ${kernelName}`);
      return gradient(outputGradients);
    };
  }

  #within<R>(layer: Layer, compute: () => R): R {
    const outer = this.#current;
    this.#current = layer;
    try {
      return compute();
    } catch (error) {
      if (!this.#failed) this.failing = layer;
      this.#failed = true;
      throw error;
    } finally {
      this.#current = outer;
    }
  }
}

function explain(error: unknown, layer: Layer | undefined, purpose: 'trained' | 'evaluated'): UserError {
  const message = messageOf(error).replace(/\.$/, '');
  if (message.includes('Cannot find a connection between any variable')) return unreachedWeights(error);
  const who = layer === undefined ? 'The model with its loss' : `The layer '${layer.name}' (${layer.getClassName()})`;
  return new UserError(`${who} cannot be ${purpose} by TensorFlow.js: ${message}.`, {
    remedy: remedyFor(message, layer),
    cause: error,
  });
}

/** The error for a loss whose gradient is 0, whatever the batch. */
export function unreachedWeights(cause?: unknown): UserError {
  return new UserError('The loss depends on no weight of the model that is trained, so that nothing can be learned.', {
    remedy:
      'Compute the loss from the outputs by operations that have a gradient (not argMax, round or a comparison), and ' +
      'have a layer with trained weights between the inputs and the outputs.',
    cause,
  });
}

const COMPILED_ALONE =
  'A compiled step has the gradient that TensorFlow.js lacks: set "executor": "compiled", and replace the operation that it names, if ' +
  'it names one.';

/** What to do about the limits of TensorFlow.js that models of Keras meet. */
function remedyFor(message: string, layer: Layer | undefined): string {
  if (/dilation/.test(message)) return COMPILED_ALONE;
  if (/CAUSAL/.test(message)) return 'Use the padding "same" or "valid"; pad in front of the layer for a causal one.';
  switch (layer?.getClassName()) {
    case undefined:
      return 'Use operations that have a gradient in the loss and the metrics, and correct what they expect of the shapes.';
    case 'BatchNormalization':
      return `${COMPILED_ALONE} Or use batchNormalization over the last axis, with scale and center.`;
    case 'LayerNormalization':
      return 'Use layerNormalization with scale and center.';
    default:
      return (
        'Replace the layer by one that TensorFlow.js can train, or, if only its gradient is missing, freeze all layers ' +
        'before it (trainable: false). Correct it if it is a layer of your own.'
      );
  }
}
