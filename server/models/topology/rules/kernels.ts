/** @file Layers with a kernel that multiplies all units of the input: dense layers, convolutions and embeddings. */
import type { KernelAxes } from '../connections.ts';
import { common, mapConstants, valuesOf, weightedSums, type Weights } from '../constants.ts';
import { positionsOf, type LayerCall, type Rule } from '../layerCall.ts';
import type { Signal } from '../topology.ts';
import { hasBorder, isChannelsFirst, CHANNELS_FIRST } from './windows.ts';

interface KernelLayer {
  /** Setting with the number of units. */
  readonly size: string;
  readonly axes: KernelAxes;
  readonly hasBorder?: boolean;
  /** Positions at which the kernel is multiplied. */
  readonly positions: number;
}

export const dense: Rule = (call) =>
  follow(call, { size: 'units', axes: { input: 0, output: 1 }, positions: positionsOf(call.shapes[0]) });

/** Kernel [...size, inputs, filters]. */
export const convolution: Rule = (call) => {
  if (isChannelsFirst(call)) return call.stops(CHANNELS_FIRST(call));
  const { length } = call.requiredWeight('kernel').shape;
  const axes = { input: length - 2, output: length - 1 };
  return follow(call, { size: 'filters', axes, hasBorder: hasBorder(call), positions: positionsOf(call.shapes[0]) });
};

/** Kernel [...size, filters, inputs]. Its windows overlap, less at the border: a constant input gives no constant output. */
export const transposedConvolution: Rule = (call) => {
  if (isChannelsFirst(call)) return call.stops(CHANNELS_FIRST(call));
  const { length } = call.requiredWeight('kernel').shape;
  const axes = { input: length - 1, output: length - 2 };
  return follow(call, { size: 'filters', axes, hasBorder: true, positions: positionsOf(call.inputs[0].shape) });
};

function follow(call: LayerCall, { size, axes, hasBorder = false, positions }: KernelLayer): readonly Signal[] {
  const { name, shape } = call.requiredWeight('kernel');
  const own = call.own(shape[axes.output]);
  call.label('kernel', axes.input, call.units);
  call.label('kernel', axes.output, own);
  call.label('bias', 0, own);
  call.reads('kernel', axes, call.inputs[0], { hasBorder });
  call.multiplies('kernel', positions);
  call.resize((settings, count) => ({ ...settings, [size]: count(own) }));
  const activation = call.activation(own);
  return call.returns([own], ([inputs], weights) => {
    const bias = call.valuesOf(weights, 'bias');
    return [activation(weightedSums(inputs, valuesOf(weights, name), shape, axes, { bias, hasBorder }))];
  });
}

/** `embeddings` [words, units]: a unit is constant where it is the same for all words. */
export const embedding: Rule = (call) => {
  const { name, shape } = call.requiredWeight('embeddings');
  const [words, units] = shape;
  const own = call.own(units);
  call.label('embeddings', 1, own);
  call.resize((settings, count) => ({ ...settings, output_dim: count(own) }));
  return call.returns([own], (_, weights) => {
    const values = valuesOf(weights, name);
    const column = (unit: number) => Array.from({ length: words }, (_, word) => values[word * units + unit]);
    return [Float32Array.from(own, (_, unit) => common(column(unit)))];
  });
};

/** `depthwise_kernel` [height, width, channels, multiplier]: a channel stays a unit, with all that is made of it. */
export const depthwiseConvolution: Rule = (call) => {
  if (isChannelsFirst(call)) return call.stops(CHANNELS_FIRST(call));
  const window = depthwise(call);
  call.label('bias', 0, window.units);
  call.produces(window.units);
  const activation = call.activation(window.units);
  return call.returns([window.units], ([inputs], weights) => {
    const bias = call.valuesOf(weights, 'bias');
    const sums = window.sums(inputs, valuesOf(weights, window.kernel));
    return [activation(bias ? sums.map((sum, place) => sum + bias[place]) : sums)];
  });
};

/** A depthwise convolution without bias and activation, then a dense kernel over the channels, [1, 1, channels x multiplier, filters]. */
export const separableConvolution: Rule = (call) => {
  if (isChannelsFirst(call)) return call.stops(CHANNELS_FIRST(call));
  const window = depthwise(call);
  const { name, shape } = call.requiredWeight('pointwise_kernel');
  const axes = { input: shape.length - 2, output: shape.length - 1 };
  const own = call.own(shape[axes.output]);
  const between: Signal = { shape: [...call.shapes[0].slice(0, -1), window.units.length], units: window.units };
  call.label('pointwise_kernel', axes.input, window.units);
  call.label('pointwise_kernel', axes.output, own);
  call.label('bias', 0, own);
  call.reads('pointwise_kernel', axes, between);
  call.multiplies('pointwise_kernel', positionsOf(call.shapes[0]));
  call.resize((settings, count) => ({ ...settings, filters: count(own) }));
  const activation = call.activation(own);
  const outputs = ([inputs]: readonly Float32Array[], weights: Weights) => {
    const sums = window.sums(inputs, valuesOf(weights, window.kernel));
    const bias = call.valuesOf(weights, 'bias');
    return [activation(weightedSums(sums, valuesOf(weights, name), shape, axes, { bias })), sums];
  };
  return call.returns([own], outputs, { inner: [between] });
};

function depthwise(call: LayerCall) {
  const { name: kernel, shape } = call.requiredWeight('depthwise_kernel');
  const multiplier = shape[3];
  const isPadded = hasBorder(call);
  const units = call.units.flatMap((unit) => Array.from({ length: multiplier }, () => unit));
  call.label('depthwise_kernel', 2, call.units);
  call.multiplies('depthwise_kernel', positionsOf(call.shapes[0]));
  return {
    kernel,
    units,
    /** What the windows make of each channel. */
    sums(inputs: Float32Array, values: Float32Array): Float32Array {
      const sums = new Float64Array(units.length);
      values.forEach((weight, index) => {
        const place = index % units.length;
        const input = inputs[Math.floor(place / multiplier)];
        if (weight !== 0 && input !== 0) sums[place] += isPadded ? NaN : input * weight;
      });
      return Float32Array.from(sums);
    },
  };
}

/** A slope for each number below 0, shared on some axes. */
export const parametricRelu: Rule = (call) => {
  const { name, shape } = call.requiredWeight('alpha');
  const places = call.units.length;
  const last = shape.length - 1;
  const isShared = shape[last] !== places;
  if (!isShared) call.label('alpha', last, call.units);
  return call.passes((constants, weights) => {
    const slopes = valuesOf(weights, name);
    const slopesAt = (place: number) => slopes.filter((_, index) => isShared || index % places === place);
    return constants.map((value, place) => (value < 0 ? value * common([...slopesAt(place)]) : value));
  });
};

/** Functions of each number by itself. */
export const elementwise: Rule = (call) => {
  if ('activation' in call.layer) {
    const activation = call.activation(call.units);
    return call.passes((constants) => activation(constants));
  }
  return call.passes((constants) => mapConstants(constants, (values) => call.layer.call(values, {}) as never));
};
