/** @file Convolutions and poolings of TensorFlow.js, of images and of volumes, in IR operations. */
import * as tf from '@tensorflow/tfjs';
import { binary, constant, make, reshape, transpose } from '../build.ts';
import type { Node, OpParams, Shape, Window } from '../ir.ts';
import { windowExtent, windowOutput } from '../shapes.ts';
import { activated, biased } from './activation.ts';
import { asReals } from './elementwise.ts';
import { kernel, type KernelImport, type KernelImports, type KernelInputs } from './kernel.ts';

/** What TensorFlow.js works out about a convolution or pooling: one number an axis of the image. */
interface WindowInfo extends Window {
  readonly inputSize: readonly number[];
  readonly outputSize: readonly number[];
  readonly filterSize: readonly number[];
  readonly channelsFirst: boolean;
}

type Shape4 = [number, number, number, number];
type Shape5 = [number, number, number, number, number];

const axesOf = (count: number) => Array.from({ length: count }, (_, axis) => axis);

/** [batch, height, width, channels] -> [batch, channels, height, width] */
function toChannelsFirst(x: Node): Node {
  const rank = x.type.shape.length;
  return transpose(x, [0, rank - 1, ...axesOf(rank - 2).map((axis) => axis + 1)]);
}

function toChannelsLast(x: Node): Node {
  const rank = x.type.shape.length;
  return transpose(x, [0, ...axesOf(rank - 2).map((axis) => axis + 2), 1]);
}

/** [height, width, in, out] -> [out, in, height, width] */
function toFilter(x: Node): Node {
  const rank = x.type.shape.length;
  return transpose(x, [rank - 1, rank - 2, ...axesOf(rank - 2)]);
}

function fromFilter(x: Node): Node {
  const rank = x.type.shape.length;
  return transpose(x, [...axesOf(rank - 2).map((axis) => axis + 2), 1, 0]);
}

const imported = (x: Node, { channelsFirst }: WindowInfo) => (channelsFirst ? x : toChannelsFirst(x));
const exported = (x: Node, { channelsFirst }: WindowInfo) => (channelsFirst ? x : toChannelsLast(x));

/** @throws TypeError when the tensor is no image, or no volume where `rank` is 5 */
function checkRank(shape: Shape, rank: number): void {
  if (shape.length !== rank) throw new TypeError(`An image of rank ${shape.length}.`);
}

type Info2D = tf.backend_util.Conv2DInfo;
type Info3D = ReturnType<typeof tf.backend_util.computeConv3DInfo>;

function infoOf(info: Omit<Info2D, 'inShape' | 'outShape' | 'filterShape'>): WindowInfo {
  const { top, left, bottom, right } = info.padInfo;
  return {
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: [top, left, bottom, right],
    inputSize: [info.inHeight, info.inWidth],
    outputSize: [info.outHeight, info.outWidth],
    filterSize: [info.filterHeight, info.filterWidth],
    channelsFirst: info.dataFormat === 'channelsFirst',
  };
}

function infoOf3D(info: Omit<Info3D, 'inShape' | 'outShape' | 'filterShape'>): WindowInfo {
  const { front, top, left, back, bottom, right } = info.padInfo;
  return {
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilations: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    pads: [front, top, left, back, bottom, right],
    inputSize: [info.inDepth, info.inHeight, info.inWidth],
    outputSize: [info.outDepth, info.outHeight, info.outWidth],
    filterSize: [info.filterDepth, info.filterHeight, info.filterWidth],
    channelsFirst: false,
  };
}

/** Number of windows that fit beside those that TensorFlow.js computes: negative where it rounded the size of its result up. */
const unusedWindows = (info: WindowInfo) =>
  windowOutput(info, info.filterSize, info.inputSize).map((count, axis) => count - info.outputSize[axis]);

/**
 * The window with as much behind the image as the last of its places needs.
 * @throws TypeError where TensorFlow.js leaves out windows that fit
 */
function windowOf(info: WindowInfo): Window {
  const { strides, dilations, pads, inputSize, outputSize, filterSize } = info;
  if (unusedWindows(info).some((count) => count > 0)) throw new TypeError(misfit(info));
  if (pads.some((count) => count < 0))
    throw new TypeError('TensorFlow.js leaves out what is in front of its first window');
  const rank = inputSize.length;
  const behind = inputSize.map((size, axis) => {
    const last = strides[axis] * (outputSize[axis] - 1) + windowExtent(info, filterSize, axis);
    return Math.max(pads[axis + rank], last - size - pads[axis]);
  });
  return { strides, dilations, pads: [...pads.slice(0, rank), ...behind] };
}

const misfit = (info: WindowInfo) =>
  `its result is [${info.outputSize.join(', ')}] for TensorFlow.js, where ` +
  `[${windowOutput(info, info.filterSize, info.inputSize).join(', ')}] windows fit in the image`;

/** @throws TypeError when TensorFlow.js rounded the size of the result otherwise than its gradient does */
function checkGradient(dy: Node, { outputSize, channelsFirst }: WindowInfo): void {
  const size = channelsFirst ? dy.type.shape.slice(2) : dy.type.shape.slice(1, -1);
  if (size.join() !== outputSize.join())
    throw new TypeError(`its gradient is [${size.join(', ')}], not [${outputSize.join(', ')}]`);
}

interface ConvolutionAttributes {
  strides: number | number[];
  pad: tf.Conv2DAttrs['pad'];
  /** Gradients of depthwise convolutions have none. */
  dataFormat?: string;
  /** The depthwise layer gives null. Those of gradients come from ours (trace/gradients.ts). */
  dilations?: number | number[] | null;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Kind = 'images' | 'depthwise' | 'volumes';

/** @throws TypeError for what TensorFlow.js's own kernels do not compute as they are told */
function convolutionInfo(image: Shape, filter: Shape, attributes: ConvolutionAttributes, kind: Kind): WindowInfo {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes;
  if (kind === 'volumes') {
    checkRank(image, 5);
    if ((dataFormat ?? 'NDHWC') !== 'NDHWC') throw new TypeError(`its data format is ${dataFormat}`);
    return infoOf3D(
      tf.backend_util.computeConv3DInfo(
        image as Shape5,
        filter as Shape5,
        strides as number,
        (dilations ?? 1) as number,
        pad as 'same' | 'valid',
      ),
    );
  }
  checkRank(image, 4);
  // Those of the kernel of TensorFlow.js are wrong: it takes the channels for the width.
  if (kind === 'depthwise' && (dataFormat ?? 'NHWC') !== 'NHWC') throw new TypeError('its data format is NCHW');
  return infoOf(
    tf.backend_util.computeConv2DInfo(
      image as Shape4,
      filter as Shape4,
      strides as number,
      (dilations ?? 1) as number,
      pad,
      dimRoundingMode,
      kind === 'depthwise',
      tf.backend_util.convertConv2DDataFormat((dataFormat ?? 'NHWC') as 'NHWC'),
    ),
  );
}

/** The filter channels first; a depthwise one, [height, width, in, multiplier], as that of a convolution in `in` groups. */
function importFilter(filter: Node, kind: Kind): Node {
  if (kind !== 'depthwise') return toFilter(filter);
  const [height, width, inChannels, multiplier] = filter.type.shape;
  return toFilter(reshape(filter, [height, width, 1, inChannels * multiplier]));
}

const paramsOf = (info: WindowInfo, filter: Shape, kind: Kind): OpParams['Conv'] => ({
  ...windowOf(info),
  groups: kind === 'depthwise' ? filter[2] : 1,
});

function convolve({ x, filter }: KernelInputs, attributes: ConvolutionAttributes, kind: Kind): Node {
  const info = convolutionInfo(x.type.shape, filter.type.shape, attributes, kind);
  const operands = [imported(x, info), importFilter(filter, kind)];
  return exported(make('Conv', paramsOf(info, filter.type.shape, kind), operands), info);
}

const convolution = (kind: Kind): KernelImport =>
  kernel<ConvolutionAttributes>((inputs, attributes) => convolve(inputs, attributes, kind));

const fusedConvolution = (kind: Kind): KernelImport =>
  kernel<tf.FusedConv2DAttrs>((inputs, attributes) => {
    const { activation, leakyreluAlpha } = attributes;
    const perChannel = (vector: Node | undefined) => vector && alongChannels(vector, attributes.dataFormat);
    const y = biased(convolve(inputs, attributes, kind), perChannel(inputs.bias));
    return activated(y, activation, perChannel(inputs.preluActivationWeights), leakyreluAlpha);
  });

/** A number a channel, as it broadcasts to an image. */
function alongChannels(vector: Node, dataFormat: string): Node {
  const { shape } = vector.type;
  return dataFormat === 'NCHW' && shape.length === 1 ? reshape(vector, [...shape, 1, 1]) : vector;
}

const inputGradient = (kind: Kind): KernelImport =>
  kernel<ConvolutionAttributes & { inputShape: number[] }>(({ dy, filter }, attributes) => {
    const { inputShape } = attributes;
    const info = convolutionInfo(inputShape, filter.type.shape, attributes, kind);
    checkGradient(dy, info);
    const params = { ...paramsOf(info, filter.type.shape, kind), inputSize: info.inputSize };
    return exported(make('ConvInputGrad', params, [imported(dy, info), importFilter(filter, kind)]), info);
  });

const filterGradient = (kind: Kind): KernelImport =>
  kernel<ConvolutionAttributes & { filterShape: number[] }>(({ x, dy }, attributes) => {
    const { filterShape } = attributes;
    const info = convolutionInfo(x.type.shape, filterShape, attributes, kind);
    checkGradient(dy, info);
    const params = { ...paramsOf(info, filterShape, kind), filterSize: info.filterSize };
    const gradient = make('ConvFilterGrad', params, [imported(x, info), imported(dy, info)]);
    return reshape(fromFilter(gradient), filterShape);
  });

interface PoolAttributes extends Omit<tf.MaxPoolAttrs, 'filterSize' | 'strides'> {
  filterSize: number | number[];
  strides: number | number[];
  /** A pooling of volumes has one. */
  dataFormat?: string;
}

function poolInfo(image: Shape, attributes: PoolAttributes): WindowInfo {
  const { filterSize, strides, pad, dimRoundingMode, dataFormat } = attributes;
  if ((dataFormat ?? 'NDHWC') !== 'NDHWC') throw new TypeError(`its data format is ${dataFormat}`);
  if (image.length === 5) {
    const volume = image as Shape5;
    const [filter, steps] = [filterSize as number, strides as number];
    return infoOf3D(
      tf.backend_util.computePool3DInfo(volume, filter, steps, 1, pad as 'same' | 'valid', dimRoundingMode),
    );
  }
  checkRank(image, 4);
  return infoOf(
    tf.backend_util.computePool2DInfo(
      image as Shape4,
      filterSize as number,
      strides as number,
      1,
      pad,
      dimRoundingMode,
    ),
  );
}

/** @throws TypeError where a window of TensorFlow.js lies behind the image, which it has no value for */
function poolParams(info: WindowInfo): OpParams['MaxPool'] {
  const window = windowOf(info);
  const rank = info.inputSize.length;
  if (info.filterSize.some((size, axis) => window.pads[axis + rank] >= size)) throw new TypeError(misfit(info));
  return { ...window, filterSize: info.filterSize };
}

const pool = (op: 'MaxPool' | 'AvgPool'): KernelImport =>
  kernel<PoolAttributes>(({ x }, attributes) => {
    const params = poolParams(poolInfo(x.type.shape, attributes));
    const pooled = ([image]: Node[]) => toChannelsLast(make(op, params, [toChannelsFirst(image)]));
    return asReals([x], pooled, x.type.shape.length === 5 ? 'float32' : x.type.dtype);
  });

/** TensorFlow.js takes the last of equal values for the largest of a volume, not the first. */
const maxPoolGradient: KernelImport = kernel<PoolAttributes>(({ dy, input }, attributes) => {
  const info = poolInfo(input.type.shape, attributes);
  checkGradient(dy, info);
  return toChannelsLast(make('MaxPoolGrad', poolParams(info), [toChannelsFirst(input), toChannelsFirst(dy)]));
});

/**
 * Each output's gradient, over the number of inputs that it averaged, goes to all of them: a transposed depthwise
 * convolution with ones. (TensorFlow.js's `cpu` backend divides by the whole window also at a padded border, unlike its
 * forward pass; this is the gradient of the forward pass.)
 */
const averagePoolGradient: KernelImport = kernel<PoolAttributes>(({ dy, input }, attributes) => {
  const info = poolInfo(input.type.shape, attributes);
  checkGradient(dy, info);
  const { filterSize, ...window } = poolParams(info);
  const { inputSize, outputSize } = info;
  const channels = input.type.shape.at(-1) as number;
  const inside = inputSize.map((length, axis) =>
    Array.from({ length: outputSize[axis] }, (_, index) => {
      const start = index * window.strides[axis] - window.pads[axis];
      return Math.min(start + filterSize[axis], length) - Math.max(start, 0);
    }),
  );
  const counts = inside.reduce((outer, along) => outer.flatMap((count) => along.map((other) => count * other)), [1]);
  const share = constant(
    counts.map((count) => 1 / count),
    [1, 1, ...outputSize],
  );
  const ones = constant([1], [channels, 1, ...filterSize]);
  const shared = binary('Mul', toChannelsFirst(dy), share);
  return toChannelsLast(make('ConvInputGrad', { ...window, groups: channels, inputSize }, [shared, ones]));
});

const forward: Readonly<Record<string, Kind | 'pool'>> = {
  MaxPool: 'pool',
  AvgPool: 'pool',
  MaxPool3D: 'pool',
  AvgPool3D: 'pool',
  Conv2D: 'images',
  FusedConv2D: 'images',
  DepthwiseConv2dNative: 'depthwise',
  FusedDepthwiseConv2D: 'depthwise',
  Conv3D: 'volumes',
};

/**
 * Checks a kernel of TensorFlow.js: the result of a convolution or pooling has as many windows as fit in its image.
 * @throws TypeError where it has more or fewer
 */
export function checkWindows(name: string, { x, filter }: tf.NamedTensorInfoMap, attributes: unknown): void {
  const kind = forward[name] as Kind | 'pool' | undefined;
  if (kind === undefined || x === undefined) return;
  const info =
    kind === 'pool'
      ? poolInfo(x.shape, attributes as PoolAttributes)
      : convolutionInfo(x.shape, filter?.shape ?? [], attributes as ConvolutionAttributes, kind);
  if (unusedWindows(info).some((count) => count !== 0)) throw new TypeError(misfit(info));
}

export const convolutionKernels: KernelImports = {
  Conv2D: convolution('images'),
  FusedConv2D: fusedConvolution('images'),
  Conv2DBackpropInput: inputGradient('images'),
  Conv2DBackpropFilter: filterGradient('images'),
  DepthwiseConv2dNative: convolution('depthwise'),
  FusedDepthwiseConv2D: fusedConvolution('depthwise'),
  DepthwiseConv2dNativeBackpropInput: inputGradient('depthwise'),
  DepthwiseConv2dNativeBackpropFilter: filterGradient('depthwise'),
  Conv3D: convolution('volumes'),
  Conv3DBackpropInputV2: inputGradient('volumes'),
  Conv3DBackpropFilterV2: filterGradient('volumes'),
  MaxPool: pool('MaxPool'),
  MaxPoolGrad: maxPoolGradient,
  AvgPool: pool('AvgPool'),
  AvgPoolGrad: averagePoolGradient,
  MaxPool3D: pool('MaxPool'),
  MaxPool3DGrad: maxPoolGradient,
  AvgPool3D: pool('AvgPool'),
  AvgPool3DGrad: averagePoolGradient,
};
