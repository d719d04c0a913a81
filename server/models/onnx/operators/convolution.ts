/** @file Convolutions, and transposed ones. Filters keep the shape of the file; the compiler's graph has channels first as well. */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../../protocol/shape.ts';
import type { NodeCall, Operators } from '../nodeCall.ts';
import {
  asImage,
  byChannel,
  channelsFirst,
  channelsLast,
  extentOf,
  likeInput,
  paddingsOf,
  windowOf,
  type Window,
} from './windows.ts';

/** x [batch, in, height, width], w [out, in / groups, height, width], bias [out] */
function convolution(call: NodeCall): tf.Tensor {
  const given = call.floats(0);
  const x = asImage(given);
  const weight = call.floats(1);
  const filter = asImage(weight);
  const window = windowOf(call, given.rank, [x.shape[2], x.shape[3]], weight.shape.slice(2));
  const groups = call.integer('group', 1);
  const [outputs, ofGroup] = filter.shape;
  if (ofGroup * groups !== x.shape[1] || outputs % groups !== 0)
    throw new TypeError(
      `its filter [${weight.shape.join(', ')}] in ${groups} groups does not fit its input [${given.shape.join(', ')}]`,
    );
  const image = channelsLast(x);
  const convolve = (part: tf.Tensor4D, w: tf.Tensor4D) =>
    tf.conv2d(part, kernelOf(w, window), window.strides, paddingsOf(window.pads) as never);
  const y =
    ofGroup === 1 && groups > 1 ? depthwise(image, filter, groups, window) : inGroups(image, filter, groups, convolve);
  return biased(call, likeInput(channelsFirst(y), given.rank));
}

/** Each group of channels with the filters that are its part of their first axis. */
function inGroups(
  image: tf.Tensor4D,
  filter: tf.Tensor4D,
  groups: number,
  convolve: (part: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  if (groups === 1) return convolve(image, filter);
  const images = tf.split<tf.Tensor4D>(image, groups, 3);
  const filters = tf.split<tf.Tensor4D>(filter, groups, 0);
  return tf.concat(
    images.map((part, i) => convolve(part, filters[i])),
    3,
  );
}

/** A filter of the file as TensorFlow.js takes it: [height, width, its second axis, its first axis]. */
function kernelOf(filter: tf.Tensor4D, window: Window): tf.Tensor4D {
  return spread(tf.transpose<tf.Tensor4D>(filter, [2, 3, 1, 0]), window);
}

/** A group for each channel: the filter [channels * multiplier, 1, height, width]. */
function depthwise(image: tf.Tensor4D, filter: tf.Tensor4D, channels: number, window: Window): tf.Tensor4D {
  const [outputs, , height, width] = filter.shape;
  const last = tf.reshape(tf.transpose(filter, [2, 3, 1, 0]), [height, width, channels, outputs / channels]);
  const kernel = spread(last as tf.Tensor4D, window);
  return tf.depthwiseConv2d(image, kernel, window.strides, paddingsOf(window.pads) as never);
}

/**
 * x [batch, in, height, width], w [in, out / groups, height, width]. Each input is multiplied with the kernel and added to what its
 * window covers: the gradient of a convolution.
 */
function transposed(call: NodeCall): tf.Tensor {
  const given = call.floats(0);
  const x = asImage(given);
  const weight = call.floats(1);
  const filter = asImage(weight);
  const groups = call.integer('group', 1);
  const [inputs, ofGroup] = filter.shape;
  if (inputs !== x.shape[1] || inputs % groups !== 0)
    throw new TypeError(`its filter [${weight.shape.join(', ')}] does not fit its input [${given.shape.join(', ')}]`);
  if (call.integers('output_shape')) throw new TypeError('its attribute output_shape is not known here; pads are');
  if (call.text('auto_pad', 'NOTSET') !== 'NOTSET') throw new TypeError('its auto_pad is not known here; pads are');
  const more = call.integers('output_padding') ?? Array<number>(given.rank - 2).fill(0);
  const outputPadding = given.rank === 3 ? [0, more[0]] : more;
  const window = windowOf(call, given.rank, [x.shape[2], x.shape[3]], weight.shape.slice(2));
  const { strides, pads } = window;
  const sizes = ([0, 1] as const).map((axis) => {
    const extent = extentOf(window, axis);
    return (x.shape[2 + axis] - 1) * strides[axis] + extent + outputPadding[axis] - pads[axis] - pads[axis + 2];
  });
  const convolve = (part: tf.Tensor4D, w: tf.Tensor4D) =>
    tf.conv2dTranspose(
      part,
      kernelOf(w, window),
      [part.shape[0], sizes[0], sizes[1], ofGroup],
      strides,
      paddingsOf(pads) as never,
    );
  const y = inGroups(channelsLast(x), filter, groups, convolve);
  return biased(call, likeInput(channelsFirst(y), given.rank));
}

function biased(call: NodeCall, y: tf.Tensor): tf.Tensor {
  return call.has(2) ? tf.add(y, byChannel(call.floats(2), y.rank)) : y;
}

/** A filter [height, width, …] with zeros between its entries: TensorFlow.js has no gradient of dilations. */
function spread(filter: tf.Tensor4D, { dilations, size }: Window): tf.Tensor4D {
  return ([0, 1] as const).reduce((spread, axis) => {
    const dilation = dilations[axis];
    if (dilation === 1 || size[axis] === 1) return spread;
    const { shape } = spread;
    const inner = elementCount(shape.slice(axis + 1));
    const outer = elementCount(shape.slice(0, axis));
    const padded = tf.pad(tf.reshape(spread, [outer, size[axis], 1, inner]), [
      [0, 0],
      [0, 0],
      [0, dilation - 1],
      [0, 0],
    ]);
    const length = (size[axis] - 1) * dilation + 1;
    const cut = tf.slice(tf.reshape(padded, [outer, size[axis] * dilation, inner]), [0, 0, 0], [outer, length, inner]);
    return tf.reshape(cut, shape.toSpliced(axis, 1, length) as [number, number, number, number]);
  }, filter);
}

export const convolutionOperators: Operators = { Conv: convolution, ConvTranspose: transposed };
