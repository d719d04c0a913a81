/** @file A model without units that can be removed: its layers as they are saved, and its weights. */
import type { StoredTensor } from '../../formats/packed/packedFile.ts';
import { elementCount } from '../../protocol/shape.ts';
import { eachConnection } from '../topology/connections.ts';
import { valuesOf, type Weights } from '../topology/constants.ts';
import type { Resize, Settings, Topology } from '../topology/topology.ts';
import type { Units } from '../topology/units.ts';
import type { Removal } from './removal.ts';
import { mapLayers, type SavedModel } from './savedLayers.ts';

/** A model as it is saved. */
export interface StoredModel {
  /** As `modelTopology` gives it. */
  readonly topology: SavedModel;
  readonly tensors: Weights;
}

/** A model without some of its units. */
export interface ShrunkModel extends StoredModel {
  /** What is left of numbers that belong to the entries of a weight, one each, such as an optimizer's state. @param weight its name */
  leftOf(weight: string, numbers: StoredTensor): StoredTensor;
}

/** What the units put out that are removed becomes part of the biases of those that read them. */
export function removeUnits(model: StoredModel, topology: Topology, removal: Removal): ShrunkModel {
  const { tensors, added } = foldedBiases(model.tensors, topology, removal);
  const axesOf = (name: string) => topology.axes.get(name) ?? added.axes.get(name) ?? [];
  const count = (units: Units) => units.filter((unit) => removal.stays(unit)).length;
  const leftOf = (name: string, tensor: StoredTensor) =>
    keepPlaces(tensor, axesOf(name), (unit) => removal.stays(unit));
  return {
    leftOf,
    topology: mapLayers(model.topology, (path, layer) => {
      const changes: readonly Resize[] = [...(added.settings.get(path) ?? []), ...(topology.resizes.get(path) ?? [])];
      const settings = changes.reduce((changed: Settings, change) => change(changed, count), layer.config);
      return [{ ...layer, config: settings }];
    }),
    tensors: new Map([...tensors].map(([name, tensor]) => [name, leftOf(name, tensor)])),
  };
}

/** Biases that layers get because something is added to what they have not. */
interface AddedBiases {
  /** By weight: the units on its only axis. */
  readonly axes: Map<string, readonly Units[]>;
  /** By path of a layer. */
  readonly settings: Map<string, readonly Resize[]>;
}

function foldedBiases(
  weights: Weights,
  { readings, axes }: Topology,
  { folded, stays }: Removal,
): { tensors: Map<string, StoredTensor>; added: AddedBiases } {
  const tensors = new Map(weights);
  const added: AddedBiases = { axes: new Map(), settings: new Map() };
  for (const { kernel, bias, shape, axes: of, paths } of readings.values()) {
    const [inputs, outputs] = [of.input, of.output].map((axis) => axes.get(kernel)![axis]!);
    const constants = folded.get(kernel)!;
    const values = valuesOf(weights, kernel);
    const sums = new Float64Array(outputs.length);
    eachConnection(shape, of, (index, input, output) => {
      if (values[index] === 0 || stays(inputs[input]) || !stays(outputs[output])) return;
      sums[output] += constants[input] * values[index];
    });
    if (sums.every((sum) => sum === 0)) continue;
    const before = weights.has(bias) ? valuesOf(weights, bias) : undefined;
    tensors.set(bias, {
      shape: [sums.length],
      data: Float32Array.from(sums, (sum, place) => sum + (before?.[place] ?? 0)),
    });
    if (before) continue;
    added.axes.set(bias, [outputs]);
    for (const path of paths) added.settings.set(path, [(settings) => ({ ...settings, use_bias: true })]);
  }
  return { tensors, added };
}

/** What is left of a tensor. @param axes the units at the places of each axis; undefined for an axis that stays whole */
function keepPlaces(
  tensor: StoredTensor,
  axes: readonly (Units | undefined)[],
  stays: (unit: number) => boolean,
): StoredTensor {
  const { shape, data } = tensor;
  const kept = shape.map((size, axis) => {
    const places = Array.from({ length: size }, (_, place) => place);
    const units = axes[axis];
    return units ? places.filter((place) => stays(units[place])) : places;
  });
  if (kept.every((places, axis) => places.length === shape[axis])) return tensor;
  const left = kept.map(({ length }) => length);
  const values = new Float32Array(elementCount(left));
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  let written = 0;
  const copy = (axis: number, from: number): void => {
    if (axis === shape.length) values[written++] = Number(data[from]);
    else for (const place of kept[axis]) copy(axis + 1, from + place * strides[axis]);
  };
  copy(0, 0);
  return { shape: left, data: values };
}
