/** @file Poolings: over windows, and over whole images. */
import * as tf from '@tensorflow/tfjs';
import type { NodeCall, Operator, Operators } from '../nodeCall.ts';
import { sliced } from './movement.ts';
import {
  asImage,
  channelsFirst,
  channelsLast,
  extentOf,
  likeInput,
  paddingsOf,
  windowOf,
  type Window,
} from './windows.ts';

/**
 * The window with what is added at the end of an axis so that a last window fits which only begins in the image, or in the padding before
 * it.
 */
function roundedUp(window: Window, image: readonly [number, number]): Window {
  const added = ([0, 1] as const).map((axis) => {
    const [before, after] = [window.pads[axis], window.pads[axis + 2]];
    const [size, stride] = [extentOf(window, axis), window.strides[axis]];
    let count = Math.ceil((image[axis] + before + after - size) / stride) + 1;
    // A window that would begin behind the image is none.
    if ((count - 1) * stride >= image[axis] + before) count--;
    return Math.max(0, (count - 1) * stride + size - image[axis] - before - after);
  });
  const [top, left, bottom, right] = window.pads;
  return { ...window, pads: [top, left, bottom + added[0], right + added[1]] };
}

interface Pool {
  readonly given: tf.Tensor;
  /** Channels first. */
  readonly x: tf.Tensor4D;
  readonly window: Window;
  readonly isRoundedUp: boolean;
}

function poolOf(call: NodeCall): Pool {
  const given = call.floats(0);
  const x = asImage(given);
  const window = windowOf(call, given.rank, [x.shape[2], x.shape[3]]);
  return { given, x, window, isRoundedUp: call.integer('ceil_mode', 0) !== 0 };
}

const sizeOf = ({ shape }: tf.Tensor4D): [number, number] => [shape[1], shape[2]];
const isDilated = ({ dilations }: Window) => dilations.some((dilation) => dilation !== 1);

function maxPool(call: NodeCall): tf.Tensor {
  call.onlyOutput('indices');
  const { given, x, window, isRoundedUp } = poolOf(call);
  const whole = isRoundedUp ? roundedUp(window, [x.shape[2], x.shape[3]]) : window;
  if (isDilated(window)) return likeInput(dilatedMaximum(x, whole), given.rank);
  const y = tf.maxPool(channelsLast(x), [...whole.size], whole.strides, paddingsOf(whole.pads) as never);
  return likeInput(channelsFirst(y), given.rank);
}

/** The lowest number of float32: less than anything in an image. */
const LOWEST = -3.4028234663852886e38;

/** TensorFlow.js has no gradient of dilations: the maximum over the rows of each window, then over its columns, shifted image by image. */
function dilatedMaximum(x: tf.Tensor4D, window: Window): tf.Tensor4D {
  const [top, left, bottom, right] = window.pads;
  const padded = tf.pad(
    x,
    [
      [0, 0],
      [0, 0],
      [top, bottom],
      [left, right],
    ],
    LOWEST,
  );
  return ([0, 1] as const).reduce((image, axis) => {
    const [step, dilation] = [window.strides[axis], window.dilations[axis]];
    const size = Math.floor((image.shape[axis + 2] - extentOf(window, axis)) / step) + 1;
    const shifted = Array.from({ length: window.size[axis] }, (_, i) => {
      const ranges = image.shape.map((length, at) =>
        at === axis + 2 ? { begin: i * dilation, step, size } : { begin: 0, step: 1, size: length },
      );
      return sliced(image, ranges) as tf.Tensor4D;
    });
    return shifted.reduce((largest, one) => tf.maximum(largest, one));
  }, padded);
}

function averagePool(call: NodeCall): tf.Tensor {
  const { given, x, window, isRoundedUp } = poolOf(call);
  if (isDilated(window)) throw new TypeError('its dilations are not known here');
  const image = channelsLast(x);
  const isPaddingCounted = call.integer('count_include_pad', 0) !== 0 && window.pads.some((pad) => pad > 0);
  const { size, strides, pads } = isRoundedUp ? roundedUp(window, sizeOf(image)) : window;
  // Zeros that count are made part of the image; what rounding up adds never counts.
  const [whole, [top, left, bottom, right]] = isPaddingCounted
    ? [tf.pad(image, paddingsOf(window.pads)), window.pads]
    : [image, [0, 0, 0, 0]];
  const rest: Window['pads'] = [pads[0] - top, pads[1] - left, pads[2] - bottom, pads[3] - right];
  const y = tf.avgPool(whole, [...size], strides, paddingsOf(rest) as never);
  return likeInput(channelsFirst(y), given.rank);
}

const global =
  (reduce: (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor): Operator =>
  (call) => {
    const x = call.floats(0);
    return reduce(
      x,
      Array.from({ length: x.rank - 2 }, (_, i) => i + 2),
      true,
    );
  };

export const poolingOperators: Operators = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: global(tf.mean),
  GlobalMaxPool: global(tf.max),
};
