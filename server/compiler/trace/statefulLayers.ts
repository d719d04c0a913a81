/** @file Recurrent layers that carry their state from batch to batch. */
import type * as tf from '@tensorflow/tfjs';

/** The part of tfjs-layers' RNN that holds the state; `states_` is its own name for it. */
export interface StatefulLayer {
  readonly name: string;
  stateful: boolean;
  states_: tf.Tensor[];
  keptStates: tf.Tensor[][];
  resetStates: (states?: tf.Tensor | tf.Tensor[], training?: boolean) => void;
}

/** Layers that a wrapper (bidirectional, time-distributed) or a nested model holds. */
interface Nesting {
  layers?: tf.layers.Layer[];
  layer?: tf.layers.Layer;
  forwardLayer?: tf.layers.Layer;
  backwardLayer?: tf.layers.Layer;
}

/** All stateful recurrent layers among `layers`, those inside wrappers and nested models included. */
export function statefulLayers(layers: readonly tf.layers.Layer[]): StatefulLayer[] {
  return nestedLayers(layers)
    .map((layer) => layer as unknown as StatefulLayer)
    .filter((layer) => layer.stateful && Array.isArray(layer.states_));
}

/** `layers` and the layers inside wrappers and nested models. */
export function nestedLayers(layers: readonly tf.layers.Layer[]): tf.layers.Layer[] {
  const found = new Set<tf.layers.Layer>();
  const visit = (layer: tf.layers.Layer): void => {
    found.add(layer);
    const nesting = layer as unknown as Nesting;
    const inner = [...(nesting.layers ?? []), nesting.layer, nesting.forwardLayer, nesting.backwardLayer];
    for (const nested of inner) if (nested !== undefined) visit(nested);
  };
  layers.forEach(visit);
  return [...found];
}
