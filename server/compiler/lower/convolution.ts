/**
 * @file Convolutions and the gradients of their inputs. Which of several ways is taken depends on shapes and the processor alone, so
 * that a resumed run computes the same; the ways are measured by `npm run bench -- convolutions`.
 */
import { elementCount } from '../../protocol/shape.ts';
import type { NodeOf } from '../ir.ts';
import { windowExtent } from '../shapes.ts';
import { blockedConvolution, isBlocked, isDepthwise, type Convolution } from './blockedConvolution.ts';
import type { Emitter, OnnxName } from './emitter.ts';
import { windowAttributes } from './window.ts';

/** Channels from which on a convolution beats a transposed one of as many positions. */
const MANY_CHANNELS = 16;

export function lowerConvolution(
  { params, type, inputs: [, filter] }: NodeOf<'Conv'>,
  inputs: readonly OnnxName[],
  emitter: Emitter,
): OnnxName {
  return convolve(
    inputs,
    { window: params, groups: params.groups, filter: filter.type.shape, output: type.shape },
    emitter,
  );
}

function convolve(inputs: readonly OnnxName[], convolution: Convolution, emitter: Emitter): OnnxName {
  if (isBlocked(convolution, emitter.channelBlock)) return blockedConvolution(inputs, convolution, emitter);
  const { window, groups } = convolution;
  return emitter.emit('Conv', inputs, { ...windowAttributes(window), group: { int: groups } });
}

/**
 * The gradient of a convolution's input is a transposed convolution of the output's gradient. With a stride of 1 it is also the
 * convolution of that gradient with the filter turned by 180 degrees, its two axes of channels exchanged.
 */
export function lowerInputGrad(node: NodeOf<'ConvInputGrad'>, inputs: readonly OnnxName[], emitter: Emitter): OnnxName {
  const { params } = node;
  const [dy, filter] = node.inputs.map((input) => input.type.shape);
  const turned = turnedConvolution(node);
  if (turned && isTurnedFaster(turned, dy, emitter.channelBlock))
    return convolve([inputs[0], turn(inputs[1], filter, params.groups, emitter)], turned, emitter);
  // The last rows and columns of an image that the stride does not divide were never read; their gradient is 0.
  const rank = params.inputSize.length;
  const unread = params.inputSize.map((size, axis) => {
    const extent = windowExtent(params, filter.slice(2), axis);
    return size + params.pads[axis] + params.pads[axis + rank] - params.strides[axis] * (dy[2 + axis] - 1) - extent;
  });
  return emitter.emit('ConvTranspose', inputs, {
    ...windowAttributes(params),
    group: { int: params.groups },
    output_padding: { ints: unread },
  });
}

/**
 * The convolution that computes the gradient of an input; undefined with strides, groups of several channels, and pads larger than the
 * filter.
 */
function turnedConvolution({
  params,
  type,
  inputs: [, { type: filter }],
}: NodeOf<'ConvInputGrad'>): Convolution | undefined {
  const { strides, dilations, groups } = params;
  const [filters, channels, ...size] = filter.shape;
  const pads = params.pads.map((pad, i) => windowExtent(params, size, i % size.length) - 1 - pad);
  const channelwise = isDepthwise(groups, filter.shape);
  if ((groups > 1 && !channelwise) || strides.some((stride) => stride > 1) || pads.some((pad) => pad < 0))
    return undefined;
  const exchanged = channelwise ? filter.shape : [channels, filters, ...size];
  return { window: { strides, dilations, pads }, groups, filter: exchanged, output: type.shape };
}

/** @param dy shape of the output's gradient */
function isTurnedFaster(turned: Convolution, dy: readonly number[], channelBlock: number): boolean {
  if (isBlocked(turned, channelBlock)) return true;
  if (turned.groups > 1) return false;
  const [, channels, ...size] = turned.output;
  return channels >= MANY_CHANNELS && elementCount(size) <= elementCount(dy.slice(2));
}

/** The filter turned by 180 degrees, with the two axes of its channels exchanged in each group. @param shape of the filter */
function turn(filter: OnnxName, shape: readonly number[], groups: number, emitter: Emitter): OnnxName {
  const size = shape.slice(2);
  const axes = size.map((_, axis) => axis + 2);
  const last = size.map(() => -1);
  const beforeFirst = size.map((extent) => -extent - 1);
  const operands = [last, beforeFirst, axes, last].map((values) => emitter.integers(values));
  const turned = emitter.emit('Slice', [filter, ...operands]);
  return groups > 1 ? turned : emitter.transpose(turned, [1, 0, ...axes]);
}
