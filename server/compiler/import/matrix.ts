/** @file Matrix products, convolutions, pooling and resizing of TensorFlow.js in IR operations. */
import * as tf from '@tensorflow/tfjs';
import { binary, constant, make, matmul, reshape, transpose, unary } from '../build.ts';
import type { Node, Window } from '../ir.ts';
import { windowOutput } from '../shapes.ts';
import { leakyRelu, prelu } from './elementwise.ts';
import { kernel, type KernelImport, type KernelImports, type KernelInputs } from './kernel.ts';

/** What TensorFlow.js works out about a convolution or pooling. */
type WindowInfo = Pick<
  tf.backend_util.Conv2DInfo,
  | ('strideHeight' | 'strideWidth' | 'dilationHeight' | 'dilationWidth' | 'padInfo' | 'dataFormat')
  | ('inHeight' | 'inWidth' | 'outHeight' | 'outWidth' | 'filterHeight' | 'filterWidth')
>;

type Shape4 = [number, number, number, number];

/** [batch, height, width, channels] -> [batch, channels, height, width] */
const toChannelsFirst = (x: Node) => transpose(x, [0, 3, 1, 2]);
const toChannelsLast = (x: Node) => transpose(x, [0, 2, 3, 1]);
/** [height, width, in, out] -> [out, in, height, width] */
const toFilter = (x: Node) => transpose(x, [3, 2, 0, 1]);
const fromFilter = (x: Node) => transpose(x, [2, 3, 1, 0]);

const shapeOf = (x: Node) => shape4(x.type.shape);

function shape4(shape: readonly number[] = []): Shape4 {
  if (shape.length !== 4) throw new TypeError(`An image of rank ${shape.length}.`);
  return shape as unknown as Shape4;
}

/** @throws TypeError for windows that {@link Window} cannot express */
function windowOf(info: WindowInfo): Window {
  if (info.dataFormat !== 'channelsLast') throw new TypeError('its data format is NCHW');
  const { top, left, bottom, right } = info.padInfo;
  const window: Window = {
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: [top, left, bottom, right],
  };
  // TensorFlow.js rounds up where dimRoundingMode says so, and takes the filter's height for its width where pad is a number.
  const [height, width] = windowOutput(window, [info.filterHeight, info.filterWidth], [info.inHeight, info.inWidth]);
  if (height !== info.outHeight || width !== info.outWidth)
    throw new TypeError(
      `its result is [${info.outHeight}, ${info.outWidth}] for TensorFlow.js, where [${height}, ${width}] windows fit in the image`,
    );
  return window;
}

/** @throws TypeError when TensorFlow.js rounded the size of the result otherwise than its gradient does */
function checkGradient(dy: Node, { outHeight, outWidth }: WindowInfo): void {
  const [, height, width] = shapeOf(dy);
  if (height !== outHeight || width !== outWidth)
    throw new TypeError(`its gradient is [${height}, ${width}], not [${outHeight}, ${outWidth}]`);
}

function activated(
  x: Node,
  activation: string | undefined,
  { preluActivationWeights }: KernelInputs,
  alpha?: number,
): Node {
  switch (activation ?? 'linear') {
    case 'linear':
      return x;
    case 'relu':
      return unary('Relu', x);
    case 'relu6':
      return make('Clip', { minimum: 0, maximum: 6 }, [x]);
    case 'elu':
      return unary('Elu', x);
    case 'sigmoid':
      return unary('Sigmoid', x);
    case 'prelu':
      return prelu(x, preluActivationWeights);
    case 'leakyrelu':
      return leakyRelu(x, alpha ?? 0.2);
    default:
      throw new TypeError(`it applies ${activation}`);
  }
}

const biased = (x: Node, bias: Node | undefined) => (bias === undefined ? x : binary('Add', x, bias));

interface ConvolutionAttributes {
  strides: [number, number] | number;
  pad: tf.Conv2DAttrs['pad'];
  /** Gradients of depthwise convolutions have none. */
  dataFormat?: tf.Conv2DAttrs['dataFormat'];
  /** The depthwise layer gives null. */
  dilations?: [number, number] | number | null;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** What TensorFlow.js works out about a convolution, and its parameters in the IR. */
function convolutionInfo(
  image: Shape4,
  filter: Shape4,
  { strides, pad, dataFormat, dilations, dimRoundingMode }: ConvolutionAttributes,
  depthwise: boolean,
) {
  const info = tf.backend_util.computeConv2DInfo(
    image,
    filter,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
    tf.backend_util.convertConv2DDataFormat(dataFormat ?? 'NHWC'),
  );
  return { info, params: { ...windowOf(info), groups: depthwise ? info.inChannels : 1 } };
}

/** The filter channels first; a depthwise one, [height, width, in, multiplier], as that of a convolution in `in` groups. */
function importFilter(filter: Node, depthwise: boolean): Node {
  const [height, width, inChannels, multiplier] = shapeOf(filter);
  return toFilter(depthwise ? reshape(filter, [height, width, 1, inChannels * multiplier]) : filter);
}

function convolution(x: Node, filter: Node, attributes: ConvolutionAttributes, depthwise: boolean): Node {
  const { params } = convolutionInfo(shapeOf(x), shapeOf(filter), attributes, depthwise);
  return toChannelsLast(make('Conv2D', params, [toChannelsFirst(x), importFilter(filter, depthwise)]));
}

function inputGradient(
  { dy, filter }: KernelInputs,
  attributes: ConvolutionAttributes & { inputShape: Shape4 },
  depthwise: boolean,
): Node {
  const { inputShape } = attributes;
  const { info, params } = convolutionInfo(inputShape, shapeOf(filter), attributes, depthwise);
  checkGradient(dy, info);
  const inputSize = [info.inHeight, info.inWidth] as const;
  const channelsFirst = [toChannelsFirst(dy), importFilter(filter, depthwise)];
  return toChannelsLast(make('Conv2DInputGrad', { ...params, inputSize }, channelsFirst));
}

function filterGradient(
  { x, dy }: KernelInputs,
  attributes: ConvolutionAttributes & { filterShape: Shape4 },
  depthwise: boolean,
): Node {
  const { filterShape } = attributes;
  const { info, params } = convolutionInfo(shapeOf(x), filterShape, attributes, depthwise);
  checkGradient(dy, info);
  const filterSize = [info.filterHeight, info.filterWidth] as const;
  const channelsFirst = [toChannelsFirst(x), toChannelsFirst(dy)];
  return reshape(fromFilter(make('Conv2DFilterGrad', { ...params, filterSize }, channelsFirst)), filterShape);
}

type PoolAttributes = tf.MaxPoolAttrs;

function poolInfo(image: Shape4, { filterSize, strides, pad, dimRoundingMode }: PoolAttributes) {
  const info = tf.backend_util.computePool2DInfo(image, filterSize, strides, 1, pad, dimRoundingMode);
  return {
    info,
    window: windowOf(info),
    filterSize: [info.filterHeight, info.filterWidth] as const,
    outputSize: [info.outHeight, info.outWidth] as const,
  };
}

function pool(op: 'MaxPool' | 'AvgPool'): KernelImport {
  return kernel<PoolAttributes>(({ x }, attributes) => {
    const { window, filterSize } = poolInfo(shapeOf(x), attributes);
    return toChannelsLast(make(op, { ...window, filterSize }, [toChannelsFirst(x)]));
  });
}

/**
 * Checks a kernel of TensorFlow.js: the result of a convolution or pooling has as many windows as fit in its image.
 * @throws TypeError where it has more or fewer
 */
export function checkWindows(name: string, { x, filter }: tf.NamedTensorInfoMap, attributes: unknown): void {
  switch (name) {
    case 'MaxPool':
    case 'AvgPool':
      poolInfo(shape4(x?.shape), attributes as PoolAttributes);
      break;
    case 'Conv2D':
    case 'FusedConv2D':
      convolutionInfo(shape4(x?.shape), shape4(filter?.shape), attributes as ConvolutionAttributes, false);
      break;
    case 'DepthwiseConv2dNative':
    case 'FusedDepthwiseConv2D':
      convolutionInfo(shape4(x?.shape), shape4(filter?.shape), attributes as ConvolutionAttributes, true);
  }
}

/**
 * Each output's gradient, over the number of inputs that it averaged, goes to all of them: a transposed depthwise
 * convolution with ones. (TensorFlow.js's `cpu` backend divides by the whole window also at a padded border, unlike its
 * forward pass; this is the gradient of the forward pass.)
 */
function averagePoolGradient({ dy, input }: KernelInputs, attributes: PoolAttributes): Node {
  const { info, window, filterSize, outputSize } = poolInfo(shapeOf(input), attributes);
  checkGradient(dy, info);
  const [, height, width, channels] = shapeOf(input);
  const inside = (axis: 0 | 1, length: number) =>
    Array.from({ length: outputSize[axis] }, (_, index) => {
      const start = index * window.strides[axis] - window.pads[axis];
      return Math.min(start + filterSize[axis], length) - Math.max(start, 0);
    });
  const rows = inside(0, height);
  const columns = inside(1, width);
  const share = constant(
    rows.flatMap((row) => columns.map((column) => 1 / (row * column))),
    [1, 1, ...outputSize],
  );
  const ones = constant([1], [channels, 1, ...filterSize]);
  return toChannelsLast(
    make('Conv2DInputGrad', { ...window, groups: channels, inputSize: [height, width] }, [
      binary('Mul', toChannelsFirst(dy), share),
      ones,
    ]),
  );
}

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
  const [batch, height, width, channels] = shapeOf(images);
  const size = (map: Node) => map.type.shape[transposed ? 1 : 0];
  const wide = matmul(columns, reshape(images, [batch * height, width, channels]), transposed);
  const tall = matmul(rows, reshape(wide, [batch, height, size(columns) * channels]), transposed);
  return reshape(tall, [batch, size(rows), size(columns), channels]);
}

function resizeKernel(nearest: boolean): KernelImport {
  return kernel<ResizeAttributes>(({ images }, attributes) => {
    const [, height, width] = shapeOf(images);
    const [newHeight, newWidth] = attributes.size;
    return resize(
      images,
      resizeMatrix(height, newHeight, nearest, attributes),
      resizeMatrix(width, newWidth, nearest, attributes),
      false,
    );
  });
}

function resizeGradientKernel(nearest: boolean): KernelImport {
  return kernel<Omit<ResizeAttributes, 'size'>>(({ images, dy }, attributes) => {
    const [, height, width] = shapeOf(images);
    const size: [number, number] = [shapeOf(dy)[1], shapeOf(dy)[2]];
    // The gradient kernels of TensorFlow.js know no half-pixel centres.
    const forward = { ...attributes, halfPixelCenters: false, size };
    return resize(
      dy,
      resizeMatrix(height, size[0], nearest, forward),
      resizeMatrix(width, size[1], nearest, forward),
      true,
    );
  });
}

export const matrixKernels: KernelImports = {
  BatchMatMul: kernel<tf.BatchMatMulAttrs>(({ a, b }, { transposeA, transposeB }) =>
    matmul(a, b, transposeA, transposeB),
  ),
  _FusedMatMul: kernel<tf._FusedMatMulAttrs>((inputs, { transposeA, transposeB, activation, leakyreluAlpha }) => {
    const product = matmul(inputs.a, inputs.b, transposeA, transposeB);
    return activated(biased(product, inputs.bias), activation, inputs, leakyreluAlpha);
  }),
  Conv2D: kernel<tf.Conv2DAttrs>(({ x, filter }, attributes) => convolution(x, filter, attributes, false)),
  FusedConv2D: kernel<tf.FusedConv2DAttrs>((inputs, attributes) => {
    const y = convolution(inputs.x, inputs.filter, attributes, false);
    return activated(biased(y, inputs.bias), attributes.activation, inputs, attributes.leakyreluAlpha);
  }),
  Conv2DBackpropInput: kernel<tf.Conv2DBackpropInputAttrs>((inputs, attributes) =>
    inputGradient(inputs, attributes, false),
  ),
  Conv2DBackpropFilter: kernel<tf.Conv2DBackpropFilterAttrs>((inputs, attributes) =>
    filterGradient(inputs, attributes, false),
  ),
  DepthwiseConv2dNative: kernel<tf.DepthwiseConv2dNativeAttrs>(({ x, filter }, attributes) =>
    convolution(x, filter, attributes, true),
  ),
  FusedDepthwiseConv2D: kernel<tf.FusedDepthwiseConv2DAttrs>((inputs, attributes) => {
    const y = convolution(inputs.x, inputs.filter, attributes, true);
    return activated(biased(y, inputs.bias), attributes.activation, inputs, attributes.leakyreluAlpha);
  }),
  DepthwiseConv2dNativeBackpropInput: kernel<tf.DepthwiseConv2dNativeBackpropInputAttrs>((inputs, attributes) =>
    inputGradient(inputs, attributes, true),
  ),
  DepthwiseConv2dNativeBackpropFilter: kernel<tf.DepthwiseConv2dNativeBackpropFilterAttrs>((inputs, attributes) =>
    filterGradient(inputs, attributes, true),
  ),
  MaxPool: pool('MaxPool'),
  MaxPoolGrad: kernel<PoolAttributes>(({ dy, input }, attributes) => {
    const { info, window, filterSize } = poolInfo(shapeOf(input), attributes);
    checkGradient(dy, info);
    return toChannelsLast(
      make('MaxPoolGrad', { ...window, filterSize }, [toChannelsFirst(input), toChannelsFirst(dy)]),
    );
  }),
  AvgPool: pool('AvgPool'),
  AvgPoolGrad: kernel<PoolAttributes>(averagePoolGradient),
  ResizeBilinear: resizeKernel(false),
  ResizeBilinearGrad: resizeGradientKernel(false),
  ResizeNearestNeighbor: resizeKernel(true),
  ResizeNearestNeighborGrad: resizeGradientKernel(true),
};
