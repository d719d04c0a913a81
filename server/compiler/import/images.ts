/** @file Kernels of TensorFlow.js that move or mix the pixels of images, in IR operations. */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import { binary, cast, constant, make, matmul, reshape, scalar, slice, transpose } from '../build.ts';
import type { Node, NodeOf } from '../ir.ts';
import { asReals } from './elementwise.ts';
import { kernel, type KernelImport, type KernelImports, type KernelInputs } from './kernel.ts';

type ResizeAttributes = tf.ResizeBilinearAttrs;

/** Weights [out, in] of the linear map that resizes one axis, as TensorFlow.js's resize kernels have them. */
function resizeMatrix(input: number, output: number, nearest: boolean, attributes: ResizeAttributes): Node {
  const { alignCorners, halfPixelCenters } = attributes;
  const aligned = alignCorners && output > 1;
  const scale = aligned ? (input - 1) / (output - 1) : input / output;
  const weights = new Float32Array(output * input);
  for (let row = 0; row < output; row++) {
    if (nearest) {
      const position = scale * (halfPixelCenters ? row + 0.5 : row);
      const column = Math.min(input - 1, alignCorners ? Math.round(position) : Math.floor(position));
      weights[row * input + Math.max(0, column)] = 1;
    } else {
      const position = halfPixelCenters ? scale * (row + 0.5) - 0.5 : scale * row;
      const low = Math.max(0, Math.floor(position));
      const high = Math.min(input - 1, Math.ceil(position));
      const fraction = position - low;
      weights[row * input + low] += 1 - fraction;
      weights[row * input + high] += fraction;
    }
  }
  return constant(weights, [output, input]);
}

/** Resizing is linear in the image and separable: one matrix for the rows, one for the columns. */
function resize(images: Node, rows: Node, columns: Node, transposed: boolean): Node {
  const [batch, height, width, channels] = images.type.shape;
  const size = (map: Node) => map.type.shape[transposed ? 1 : 0];
  const wide = matmul(columns, reshape(images, [batch * height, width, channels]), transposed);
  const tall = matmul(rows, reshape(wide, [batch, height, size(columns) * channels]), transposed);
  return reshape(tall, [batch, size(rows), size(columns), channels]);
}

function resizeKernel(nearest: boolean): KernelImport {
  return kernel<ResizeAttributes>(({ images }, attributes) => {
    const [, height, width] = images.type.shape;
    const [newHeight, newWidth] = attributes.size;
    const rows = resizeMatrix(height, newHeight, nearest, attributes);
    const columns = resizeMatrix(width, newWidth, nearest, attributes);
    const resized = ([image]: Node[]) => resize(image, rows, columns, false);
    // The nearest pixel is one of the image's, what is between pixels a fraction.
    return asReals([images], resized, nearest ? images.type.dtype : 'float32');
  });
}

function resizeGradientKernel(nearest: boolean): KernelImport {
  return kernel<Omit<ResizeAttributes, 'size'>>(({ images, dy }, attributes) => {
    const [, height, width] = images.type.shape;
    const size: [number, number] = [dy.type.shape[1], dy.type.shape[2]];
    const forward = { ...attributes, size };
    return resize(
      dy,
      resizeMatrix(height, size[0], nearest, forward),
      resizeMatrix(width, size[1], nearest, forward),
      true,
    );
  });
}

/** Weights [size, length] that take a crop's pixels from an axis of the image, and which of them lie outside of it. */
function cropWeights(from: number, to: number, length: number, size: number, nearest: boolean) {
  const weights = new Float32Array(size * length);
  const outside = Array.from({ length: size }, (_, index) => {
    const step = size > 1 ? ((to - from) * (length - 1)) / (size - 1) : 0;
    const position = size > 1 ? from * (length - 1) + index * step : 0.5 * (from + to) * (length - 1);
    if (position < 0 || position > length - 1) return true;
    const low = nearest ? Math.round(position) : Math.floor(position);
    const fraction = nearest ? 0 : position - low;
    weights[index * length + low] += 1 - fraction;
    if (fraction > 0) weights[index * length + low + 1] += fraction;
    return false;
  });
  return { weights, outside };
}

/** Crops of known places, each a linear map of an image: a matrix for its rows, one for its columns. */
function cropAndResize(
  { image, boxes, boxInd }: KernelInputs,
  { cropSize, method, extrapolationValue }: tf.CropAndResizeAttrs,
): Node {
  if (boxes.op !== 'Constant' || boxInd.op !== 'Constant') throw new TypeError('its boxes are not known in advance');
  const [batch, height, width, channels] = image.type.shape;
  const [rows, columns] = cropSize;
  const count = boxes.type.shape[0];
  const valueOf = ({ params: { values } }: NodeOf<'Constant'>, index: number) =>
    values[values.length === 1 ? 0 : index];
  const indices = Array.from({ length: count }, (_, index) => valueOf(boxInd, index));
  if (indices.some((index) => index < 0 || index >= batch))
    throw new TypeError('a box is of an image that is not there');
  const places = Array.from({ length: count }, (_, box) => [0, 1, 2, 3].map((side) => valueOf(boxes, 4 * box + side)));
  // Often all are the same: one matrix serves all images.
  const different = places.every((place) => place.join() === places[0].join()) ? places.slice(0, 1) : places;
  const nearest = method === 'nearest';
  const vertical = different.map(([top, , bottom]) => cropWeights(top, bottom, height, rows, nearest));
  const horizontal = different.map(([, left, , right]) => cropWeights(left, right, width, columns, nearest));
  const matrices = (maps: typeof vertical, shape: number[]) =>
    constant(Float32Array.from(maps.flatMap(({ weights }) => [...weights])), [different.length, ...shape]);
  const source = cast(image, 'float32');
  const inOrder = count === batch && indices.every((index, box) => index === box);
  const images = inOrder ? source : make('Gather', { axis: 0 }, [source, constant(indices, [count], 'int32')]);
  const wide = matmul(matrices(horizontal, [1, columns, width]), images);
  const tall = matmul(matrices(vertical, [rows, height]), reshape(wide, [count, height, columns * channels]));
  const crops = reshape(tall, [count, rows, columns, channels]);
  const beyond = vertical.flatMap(({ outside }, box) =>
    outside.flatMap((row) => horizontal[box].outside.map((column) => (row || column ? extrapolationValue : 0))),
  );
  return beyond.every((value) => value === 0)
    ? crops
    : binary('Add', crops, constant(beyond, [different.length, rows, columns, 1]));
}

type NormalizationAttributes = tf.LRNAttrs;

/** bias + alpha * (sum of the squares of the channels at most `depthRadius` away), of x [rows, channels]. */
function neighbourhood(x: Node, attributes: NormalizationAttributes): { norm: Node; summed: (y: Node) => Node } {
  const { depthRadius, bias, alpha } = attributes;
  const channels = x.type.shape[1];
  const band = constant(
    Float32Array.from({ length: channels ** 2 }, (_, i) =>
      Math.abs(Math.floor(i / channels) - (i % channels)) <= depthRadius ? 1 : 0,
    ),
    [channels, channels],
  );
  const summed = (y: Node) => matmul(y, band);
  return { norm: binary('Add', scalar(bias), binary('Mul', scalar(alpha), summed(binary('Mul', x, x)))), summed };
}

/** [rows, channels] */
function channelRows(x: Node): Node {
  const channels = x.type.shape.at(-1) as number;
  return reshape(cast(x, 'float32'), [elementCount(x.type.shape) / channels, channels]);
}

/** Zeros in front of and behind the axes that follow the first one. */
function padding(x: Node, paddings: readonly (readonly number[])[]): Node {
  const side = (which: 0 | 1) =>
    x.type.shape.map((_, axis) => (axis > 0 && axis <= paddings.length ? paddings[axis - 1][which] : 0));
  const [before, after] = [side(0), side(1)];
  return [...before, ...after].every((count) => count === 0) ? x : make('Pad', { before, after, value: 0 }, [x]);
}

export const imageKernels: KernelImports = {
  ResizeBilinear: resizeKernel(false),
  ResizeBilinearGrad: resizeGradientKernel(false),
  ResizeNearestNeighbor: resizeKernel(true),
  ResizeNearestNeighborGrad: resizeGradientKernel(true),
  CropAndResize: kernel<tf.CropAndResizeAttrs>(cropAndResize),
  FlipLeftRight: ({ image }) => {
    const [, , width] = image.type.shape;
    return slice(image, [0, 0, width - 1, 0], image.type.shape, [1, 1, -1, 1]);
  },
  DepthToSpace: kernel<tf.DepthToSpaceAttrs>(({ x }, { blockSize, dataFormat }) => {
    if (dataFormat !== 'NHWC') throw new TypeError(`its data format is ${dataFormat}`);
    const [batch, height, width, depth] = x.type.shape;
    const channels = depth / blockSize ** 2;
    const blocks = reshape(x, [batch, height, width, blockSize, blockSize, channels]);
    return reshape(transpose(blocks, [0, 1, 3, 2, 4, 5]), [batch, height * blockSize, width * blockSize, channels]);
  }),
  SpaceToBatchND: kernel<tf.SpaceToBatchNDAttrs>(({ x }, { blockShape, paddings }) => {
    const padded = padding(x, paddings);
    const shape = [...padded.type.shape];
    const count = blockShape.reduce((product, size) => product * size, 1);
    const blocks = reshape(padded, tf.backend_util.getReshaped(shape, blockShape, count, false));
    const permutation = tf.backend_util.getPermuted(blocks.type.shape.length, blockShape.length, false);
    const result = tf.backend_util.getReshapedPermuted(shape, blockShape, count, false);
    return reshape(transpose(blocks, permutation), result);
  }),
  BatchToSpaceND: kernel<tf.BatchToSpaceNDAttrs>(({ x }, { blockShape, crops }) => {
    const shape = [...x.type.shape];
    const count = blockShape.reduce((product, size) => product * size, 1);
    const blocks = reshape(x, tf.backend_util.getReshaped(shape, blockShape, count));
    const permutation = tf.backend_util.getPermuted(blocks.type.shape.length, blockShape.length);
    const whole = tf.backend_util.getReshapedPermuted(shape, blockShape, count);
    const cropped = (axis: number) => (axis > 0 && axis <= crops.length ? crops[axis - 1] : [0, 0]);
    return slice(
      reshape(transpose(blocks, permutation), whole),
      whole.map((_, axis) => cropped(axis)[0]),
      whole.map((length, axis) => length - cropped(axis)[0] - cropped(axis)[1]),
    );
  }),
  LRN: kernel<NormalizationAttributes>(({ x }, attributes) => {
    const rows = channelRows(x);
    const { norm } = neighbourhood(rows, attributes);
    return reshape(binary('Mul', rows, binary('Pow', norm, scalar(-attributes.beta))), x.type.shape);
  }),
  LRNGrad: kernel<NormalizationAttributes>(({ x, y, dy }, attributes) => {
    const { alpha, beta } = attributes;
    const [input, output, gradient] = [x, y, dy].map(channelRows);
    const { norm, summed } = neighbourhood(input, attributes);
    const own = binary('Mul', gradient, binary('Pow', norm, scalar(-beta)));
    const others = summed(binary('Div', binary('Mul', gradient, output), norm));
    const share = binary('Mul', binary('Mul', input, scalar(2 * alpha * beta)), others);
    return reshape(binary('Sub', own, share), x.type.shape);
  }),
};
