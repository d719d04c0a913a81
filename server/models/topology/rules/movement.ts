/** @file Layers that move numbers without computing, and those that take the mean or largest of a window. */
import { elementCount } from '../../../protocol/shape.ts';
import { common, type Constants } from '../constants.ts';
import type { LayerCall, Rule } from '../layerCall.ts';
import type { Signal } from '../topology.ts';
import { CHANNELS_FIRST, isChannelsFirst } from './windows.ts';

/** A constant stays what it is, and each unit at its place: dropout as it predicts, pooling, repetition. */
export const same: Rule = (call) => (isChannelsFirst(call) ? call.stops(CHANNELS_FIRST(call)) : call.passes());

/** The border has zeros. */
export const zeroPadding: Rule = (call) =>
  isChannelsFirst(call)
    ? call.stops(CHANNELS_FIRST(call))
    : call.passes((constants) => constants.map((value) => (value === 0 ? 0 : NaN)));

export const permute: Rule = (call) => {
  const dims = call.setting('dims');
  return Array.isArray(dims) && dims.at(-1) === dims.length
    ? call.passes()
    : call.stops(`${call.path} moves them to another axis`);
};

export const flatten: Rule = (call) => (isChannelsFirst(call) ? call.stops(CHANNELS_FIRST(call)) : regroup(call));

export const reshape: Rule = (call) => {
  const outputs = regroup(call);
  if (outputs[0].units) call.resizeLastAxis('target_shape', outputs[0].units);
  return outputs;
};

/**
 * The numbers of a sample in their order, in another shape: behind one another, they stand at each place of the last axis in turn. Units that
 * come to stand at one place become one group.
 */
function regroup(call: LayerCall): readonly Signal[] {
  const [{ shape, units }] = call.inputs;
  const places = call.shapes[0].at(-1);
  if (!units || typeof places !== 'number') return call.stops(`${call.path} has an open number of units`);
  if (places === units.length) return call.passes();
  const sizes = shape.slice(1);
  if (!sizes.every((size) => size !== null)) return call.stops(`${call.path} reshapes tensors of an open size`);
  const numbers = elementCount(sizes);
  const order = Array.from({ length: numbers }, (_, number) => units[number % units.length]);
  const outputs = order.slice(0, places);
  for (let start = places; start < numbers; start += places) call.unite(outputs, order.slice(start, start + places));
  return call.returns([outputs], ([constants]) => [regrouped(constants, places, numbers)]);
}

function regrouped(constants: Constants, places: number, numbers: number): Constants {
  return Float32Array.from({ length: places }, (_, place) => {
    const values: number[] = [];
    for (let number = place; number < numbers; number += places) values.push(constants[number % constants.length]);
    return common(values);
  });
}
