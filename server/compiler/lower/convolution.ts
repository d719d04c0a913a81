/**
 * @file Gradients of convolution and pooling in forward operators: ONNX Runtime's inference build has no gradient
 * kernels.
 */
import { elementCount } from '../../protocol/shape.ts';
import type { NodeOf } from '../ir.ts';
import type { Emitter, OnnxName } from './emitter.ts';
import { windowAttributes } from './window.ts';

/** The gradient of a convolution's input is a transposed convolution of the output's gradient. */
export function lowerInputGrad(
  node: NodeOf<'Conv2DInputGrad'>,
  inputs: readonly OnnxName[],
  emitter: Emitter,
): OnnxName {
  const { params } = node;
  const [dy, filter] = node.inputs.map((input) => input.type.shape);
  // The last rows and columns of an image that the stride does not divide were never read; their gradient is 0.
  const unread = ([0, 1] as const).map((axis) => {
    const extent = (filter[2 + axis] - 1) * params.dilations[axis] + 1;
    const covered = params.strides[axis] * (dy[2 + axis] - 1) + extent - params.pads[axis] - params.pads[axis + 2];
    return params.inputSize[axis] - covered;
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
  node: NodeOf<'Conv2DFilterGrad'>,
  inputs: readonly OnnxName[],
  emitter: Emitter,
): OnnxName {
  const { groups, strides, dilations, pads, filterSize } = node.params;
  const [batch, channels, height, width] = node.inputs[0].type.shape;
  const groupChannels = channels / groups;
  // [batch, groups, groupChannels, h, w] -> [groupChannels, groups * batch, h, w]
  const grouped = emitter.reshape(inputs[0], [batch, groups, groupChannels, height, width]);
  const image = emitter.reshape(emitter.transpose(grouped, [2, 1, 0, 3, 4]), [
    groupChannels,
    groups * batch,
    height,
    width,
  ]);
  const filter = emitter.transpose(inputs[1], [1, 0, 2, 3]);
  const gradient = emitter.emit('Conv', [image, filter], {
    strides: { ints: dilations },
    dilations: { ints: strides },
    pads: { ints: pads },
    group: { int: groups },
  });
  // The result reaches beyond the filter where the stride does not divide the image.
  const cropped = emitter.emit('Slice', [
    gradient,
    emitter.integers([0, 0]),
    emitter.integers(filterSize),
    emitter.integers([2, 3]),
  ]);
  return emitter.transpose(cropped, [1, 0, 2, 3]);
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
