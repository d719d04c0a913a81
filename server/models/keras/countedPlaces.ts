/** @file The places of the layers of a model, counted as Keras counts them in files of weights that have no names. */
import type * as tf from '@tensorflow/tfjs';
import { snakeCase } from '../../formats/keras/kerasLayers.ts';
import { countedGroup } from '../../formats/keras/kerasTensors.ts';
import { children, isModel, layerPaths, type Composite } from '../modelWeights.ts';

/** Groups of classes that have another name here than in Keras. */
const GROUPS: Readonly<Record<string, string>> = { Model: 'functional', ResetAfterGRU: 'gru' };

/**
 * For each layer of a model, by its path (`encoder/fc1`), its place as {@link countedGroup} has it in a file without names: `functional[0]/dense[1]`,
 * the second dense layer of the first functional model.
 */
export function countedPlaces(model: tf.LayersModel): ReadonlyMap<string, string> {
  const places = new Map<tf.layers.Layer, string>();
  const visit = (layer: tf.layers.Layer, place: readonly string[]): void => {
    const counts = new Map<string, number>();
    const { forwardLayer, backwardLayer } = layer as tf.layers.Layer & Composite;
    for (const child of children(layer)) {
      const group = groupOf(child);
      const count = counts.get(group) ?? 0;
      counts.set(group, count + 1);
      const part = isModel(layer)
        ? countedGroup(count === 0 ? group : `${group}_${count}`)
        : child === forwardLayer
          ? 'forward_layer'
          : child === backwardLayer
            ? 'backward_layer'
            : 'layer';
      if (!places.has(child)) places.set(child, [...place, part].join('/'));
      visit(child, [...place, part]);
    }
  };
  visit(model, []);
  return new Map(
    [...layerPaths(model)].flatMap(([layer, paths]) => paths.map((path) => [path, places.get(layer) ?? ''] as const)),
  );
}

function groupOf(layer: tf.layers.Layer): string {
  const name = layer.getClassName();
  return Object.hasOwn(GROUPS, name) ? GROUPS[name] : snakeCase(name);
}
