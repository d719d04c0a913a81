/** @file Recurrent layers that carry their state from batch to batch. */
import type * as tf from '@tensorflow/tfjs';
import { frozenName } from '../frozenModel.ts';
import type { Program } from '../program.ts';

/** The part of tfjs-layers' RNN that holds the state; `states_` is its own name for it. */
export interface StatefulLayer {
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

export interface NamedStatefulLayer {
  /** That of the layer, as a {@link frozenName} where it belongs to the frozen model. */
  readonly name: string;
  readonly layer: StatefulLayer;
}

/** All stateful recurrent layers of a program's models, those inside wrappers and nested models included. */
export function statefulLayers({ layers, frozen }: Pick<Program, 'layers' | 'frozen'>): NamedStatefulLayer[] {
  const statefulAmong = (models: readonly tf.layers.Layer[], nameOf: (name: string) => string) =>
    nestedLayers(models)
      .map((layer) => ({ name: nameOf(layer.name), layer: layer as unknown as StatefulLayer }))
      .filter(({ layer }) => layer.stateful && Array.isArray(layer.states_));
  return [...statefulAmong(layers, (name) => name), ...statefulAmong(frozen?.layers ?? [], frozenName)];
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
