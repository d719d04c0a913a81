/**
 * @file Gradients of convolution and pooling in forward operators: ONNX Runtime's inference build has no gradient
 * kernels.
 */
import { elementCount } from '../../protocol/shape.ts';
import type { NodeOf } from '../ir.ts';
import { windowExtent } from '../shapes.ts';
import type { Emitter, OnnxName } from './emitter.ts';
import { windowAttributes } from './window.ts';

/** The gradient of a convolution's input is a transposed convolution of the output's gradient. */
export function lowerInputGrad(node: NodeOf<'ConvInputGrad'>, inputs: readonly OnnxName[], emitter: Emitter): OnnxName {
  const { params } = node;
  const [dy, filter] = node.inputs.map((input) => input.type.shape);
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
 * The gradient of a filter is a convolution in which batch and channels change places: the images of one input channel
 * are the channels, the gradients of one output channel are the filter, strides and dilations are exchanged.
 */
export function lowerFilterGrad(
  node: NodeOf<'ConvFilterGrad'>,
  inputs: readonly OnnxName[],
  emitter: Emitter,
): OnnxName {
  const { groups, strides, dilations, pads, filterSize } = node.params;
  const [batch, channels, ...size] = node.inputs[0].type.shape;
  const groupChannels = channels / groups;
  const axes = size.map((_, axis) => axis);
  // [batch, groups, groupChannels, h, w] -> [groupChannels, groups * batch, h, w]
  const grouped = emitter.reshape(inputs[0], [batch, groups, groupChannels, ...size]);
  const image = emitter.reshape(emitter.transpose(grouped, [2, 1, 0, ...axes.map((axis) => axis + 3)]), [
    groupChannels,
    groups * batch,
    ...size,
  ]);
  const exchanged = [1, 0, ...axes.map((axis) => axis + 2)];
  const filter = emitter.transpose(inputs[1], exchanged);
  const gradient = emitter.emit('Conv', [image, filter], {
    strides: { ints: dilations },
    dilations: { ints: strides },
    pads: { ints: pads },
    group: { int: groups },
  });
  // The result reaches beyond the filter where the stride does not divide the image.
  const cropped = emitter.emit('Slice', [
    gradient,
    emitter.integers(axes.map(() => 0)),
    emitter.integers(filterSize),
    emitter.integers(axes.map((axis) => axis + 2)),
  ]);
  return emitter.transpose(cropped, exchanged);
}

/** Adds each output's gradient at the index of the maximum that MaxPool reports. */
export function lowerMaxPoolGrad(
  node: NodeOf<'MaxPoolGrad'>,
  [x, dy]: readonly OnnxName[],
  emitter: Emitter,
): OnnxName {
  const { params, type } = node;
  const [, indices] = emitter.emitMany('MaxPool', [x], 2, {
    ...windowAttributes(params),
    kernel_shape: { ints: params.filterSize },
  });
  const zeros = emitter.emit('Expand', [emitter.scalar(0, 'float32'), emitter.integers([elementCount(type.shape)])]);
  const scattered = emitter.emit(
    'ScatterElements',
    [zeros, emitter.reshape(indices, [-1]), emitter.reshape(dy, [-1])],
    {
      reduction: { string: 'add' },
    },
  );
  return emitter.reshape(scattered, type.shape);
}
