/** @file The windows of convolutions and poolings, and the layouts of images: ONNX has channels first, TensorFlow.js last. */
import * as tf from '@tensorflow/tfjs';
import type { NodeCall } from '../nodeCall.ts';

/** A window over images; each entry is [vertical, horizontal]. */
export interface Window {
  readonly size: readonly [number, number];
  readonly strides: [number, number];
  readonly dilations: [number, number];
  /** [top, left, bottom, right] */
  readonly pads: readonly [number, number, number, number];
}

type Paddings = [[number, number], [number, number], [number, number], [number, number]];

/** Paddings of an image with channels last, as TensorFlow.js takes them. */
export function paddingsOf([top, left, bottom, right]: Window['pads']): Paddings {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

/** Places of an image that a window spans along an axis. */
export function extentOf({ size, dilations }: Pick<Window, 'size' | 'dilations'>, axis: 0 | 1): number {
  return (size[axis] - 1) * dilations[axis] + 1;
}

/** [batch, channels, height, width] -> [batch, height, width, channels] */
export function channelsLast(x: tf.Tensor): tf.Tensor4D {
  return tf.transpose<tf.Tensor4D>(x as tf.Tensor4D, [0, 2, 3, 1]);
}

export function channelsFirst(x: tf.Tensor4D): tf.Tensor4D {
  return tf.transpose(x, [0, 3, 1, 2]);
}

/** A signal [batch, channels, length] as an image of height 1; images as they are. @throws TypeError for more axes */
export function asImage(x: tf.Tensor): tf.Tensor4D {
  const { shape } = x;
  if (shape.length === 3) return tf.reshape(x, [shape[0], shape[1], 1, shape[2]]);
  if (x.rank === 4) return x as tf.Tensor4D;
  throw new TypeError(`its input has ${x.rank} axes; signals of 3 and images of 4 axes are computed`);
}

/** The inverse of {@link asImage}. */
export function likeInput(image: tf.Tensor4D, rank: number): tf.Tensor {
  return rank === 4 ? image : tf.reshape(image, [image.shape[0], image.shape[1], image.shape[3]]);
}

/** A vector with a number for each channel, as [1, channels, 1, …]. */
export function byChannel(vector: tf.Tensor, rank: number): tf.Tensor {
  return tf.reshape(vector, [1, vector.size, ...Array<number>(rank - 2).fill(1)]);
}

/** A list with a number for each axis of an image, of one for each axis of the input. */
function forImage(values: readonly number[], rank: number, first: number): [number, number] {
  if (values.length !== rank - 2)
    throw new TypeError(`it gives ${values.length} numbers for ${rank - 2} axes of its input`);
  return rank === 3 ? [first, values[0]] : [values[0], values[1]];
}

/**
 * The window of a node.
 * @param rank axes of its input
 * @param image [height, width] of the input
 * @param kernel sizes of the kernel, where they are not an attribute
 */
export function windowOf(
  call: NodeCall,
  rank: number,
  image: readonly [number, number],
  kernel?: readonly number[],
): Window {
  const ones = Array<number>(rank - 2).fill(1);
  const given = call.integers('kernel_shape') ?? kernel;
  if (!given) throw new TypeError('it has no kernel_shape');
  const size = forImage(given, rank, 1);
  const strides = forImage(call.integers('strides') ?? ones, rank, 1);
  const dilations = forImage(call.integers('dilations') ?? ones, rank, 1);
  if ([...size, ...strides, ...dilations].some((value) => !(value >= 1)))
    throw new TypeError('its window has a size below 1');
  const mode = call.word('auto_pad', ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID']);
  const explicit = call.integers('pads') ?? [...ones, ...ones].map(() => 0);
  if (mode === 'NOTSET' || mode === 'VALID') {
    const half = explicit.length / 2;
    const [top, left] = forImage(explicit.slice(0, half), rank, 0);
    const [bottom, right] = forImage(explicit.slice(half), rank, 0);
    return { size, strides, dilations, pads: mode === 'VALID' ? [0, 0, 0, 0] : [top, left, bottom, right] };
  }
  const both = ([0, 1] as const).map((axis) => {
    const extent = extentOf({ size, dilations }, axis);
    const output = Math.ceil(image[axis] / strides[axis]);
    const total = Math.max(0, (output - 1) * strides[axis] + extent - image[axis]);
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    return mode === 'SAME_UPPER' ? [less, more] : [more, less];
  });
  return { size, strides, dilations, pads: [both[0][0], both[1][0], both[0][1], both[1][1]] };
}
