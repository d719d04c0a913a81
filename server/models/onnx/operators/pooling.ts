/** @file Poolings: over windows, and over whole images. */
import * as tf from '@tensorflow/tfjs';
import type { NodeCall, Operator, Operators } from '../nodeCall.ts';
import { asImage, channelsFirst, channelsLast, likeInput, paddingsOf, windowOf, type Window } from './windows.ts';

/** The window with what is added at the end of an axis so that a last window fits which only begins in the image. */
function roundedUp(window: Window, image: readonly [number, number]): Window {
  const added = ([0, 1] as const).map((axis) => {
    const [before, after] = [window.pads[axis], window.pads[axis + 2]];
    const [size, stride] = [window.size[axis], window.strides[axis]];
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
  readonly image: tf.Tensor4D;
  readonly window: Window;
  readonly isRoundedUp: boolean;
}

function poolOf(call: NodeCall): Pool {
  const given = call.floats(0);
  const x = asImage(given);
  const window = windowOf(call, given.rank, [x.shape[2], x.shape[3]]);
  if (window.dilations.some((dilation) => dilation !== 1)) throw new TypeError('its dilations are not known here');
  return { given, image: channelsLast(x), window, isRoundedUp: call.integer('ceil_mode', 0) !== 0 };
}

const sizeOf = ({ shape }: tf.Tensor4D): [number, number] => [shape[1], shape[2]];

function maxPool(call: NodeCall): tf.Tensor {
  call.onlyOutput('indices');
  const { given, image, window, isRoundedUp } = poolOf(call);
  const { size, strides, pads } = isRoundedUp ? roundedUp(window, sizeOf(image)) : window;
  const y = tf.maxPool(image, [...size], strides, paddingsOf(pads) as never);
  return likeInput(channelsFirst(y), given.rank);
}

function averagePool(call: NodeCall): tf.Tensor {
  const { given, image, window, isRoundedUp } = poolOf(call);
  const isPaddingCounted = call.integer('count_include_pad', 0) !== 0 && window.pads.some((pad) => pad > 0);
  // Zeros that count are part of the image; what rounding up adds never counts.
  const whole = isPaddingCounted ? tf.pad(image, paddingsOf(window.pads)) : image;
  const over: Window = isPaddingCounted ? { ...window, pads: [0, 0, 0, 0] } : window;
  const { size, strides, pads } = isRoundedUp ? roundedUp(over, sizeOf(whole)) : over;
  const y = tf.avgPool(whole, [...size], strides, paddingsOf(pads) as never);
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
