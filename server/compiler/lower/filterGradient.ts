/**
 * @file The gradient of a convolution's filter. One of several ways is taken by shapes and the processor alone, so that a resumed run computes
 * the same; the ways are measured by `npm run bench -- convolutions`.
 */
import { elementCount } from '../../protocol/shape.ts';
import type { NodeOf } from '../ir.ts';
import { BLOCKED_DOMAIN, fitsBlocks, fromBlocks, toBlocks } from './blockedConvolution.ts';
import { filterGradInBlocks, isFilterGradBlocked, withBorder } from './blockedFilterGradient.ts';
import type { Emitter, OnnxName } from './emitter.ts';
import { indicesOf } from './indices.ts';

/** Channels from which on a product for each number of a filter fills the vectors. */
const MANY_CHANNELS = 8;
/** Numbers of a filter up to which, with fewer channels, a product of all patches beats a convolution. */
const SMALL_FILTER = 9;
/** Positions of a sample from which on a product for each sample is worth its call: with one patch, and with several. */
const MANY_POSITIONS = { one: 64, several: 512 } as const;

type FilterGrad = NodeOf<'ConvFilterGrad'>;
type Way = (node: FilterGrad, inputs: readonly OnnxName[], emitter: Emitter) => OnnxName;

export function lowerFilterGrad(node: FilterGrad, inputs: readonly OnnxName[], emitter: Emitter): OnnxName {
  return wayFor(node, emitter.channelBlock)(node, inputs, emitter);
}

function wayFor(node: FilterGrad, channelBlock: number): Way {
  if (isFilterGradBlocked(node, channelBlock)) return filterGradInBlocks;
  const { groups, strides } = node.params;
  const { channels, positions, numbers } = extents(node);
  if (groups > 1)
    return fitsBlocks({ groups, filter: node.type.shape }, channelBlock) ? depthwiseInBlocks : filterGradOfConvolution;
  if (channels < MANY_CHANNELS) return numbers <= SMALL_FILTER ? productOfAllPatches : filterGradOfConvolution;
  if (numbers === 1) return positions >= MANY_POSITIONS.one ? productsOfSamples : productsOfPatches;
  // A patch of every second number is slow to cut out, unless the samples of the batch lie side by side.
  const isDense = strides.every((stride) => stride === 1);
  return isDense && positions >= MANY_POSITIONS.several ? productsOfSamples : productsOfPatches;
}

/**
 * The gradient of each number of a filter, over all channels, is the product of the output's gradient with the patch of the image that this
 * number meets. A product for each patch; the samples of a batch lie side by side in image and gradient.
 */
function productsOfPatches(node: FilterGrad, inputs: readonly OnnxName[], emitter: Emitter): OnnxName {
  const { batch, channels, filters, positions } = extents(node);
  const { rows, patches } = batchLast(node, inputs, emitter);
  const products = patches.map((patch) => {
    const product = productOf(rows, emitter.reshape(patch, [channels, positions * batch]), emitter);
    return emitter.reshape(product, [filters, channels, 1]);
  });
  return emitter.reshape(join(products, 2, emitter), node.type.shape);
}

/** One product for all patches. */
function productOfAllPatches(node: FilterGrad, inputs: readonly OnnxName[], emitter: Emitter): OnnxName {
  const { batch, channels, positions, numbers } = extents(node);
  const { rows, patches } = batchLast(node, inputs, emitter);
  const ofNumbers = patches.map((patch) => emitter.reshape(patch, [channels, 1, positions * batch]));
  const joined = emitter.reshape(join(ofNumbers, 1, emitter), [channels * numbers, positions * batch]);
  return emitter.reshape(productOf(rows, joined, emitter), node.type.shape);
}

/** A product for each patch and sample, the samples added up at the end: image and gradient stay as they are. */
function productsOfSamples(node: FilterGrad, [image, dy]: readonly OnnxName[], emitter: Emitter): OnnxName {
  const { batch, channels, filters, positions, numbers } = extents(node);
  const rows = emitter.reshape(dy, [batch, filters, positions]);
  const products = patchesOf(image, node, 2, emitter).map((patch) =>
    emitter.products([rows, emitter.reshape(patch, [batch, channels, positions])], [3, 3], { transposeB: true }),
  );
  const sum = emitter.emit('ReduceSum', [join(products, 2, emitter), emitter.integers([0])], { keepdims: { int: 0 } });
  const places = emitter.reshape(sum, [filters, numbers, channels]);
  return emitter.reshape(emitter.transpose(places, [0, 2, 1]), node.type.shape);
}

/**
 * With a filter for each channel, channels of all samples are alike: a depthwise convolution of their images with their gradients, strides
 * and dilations exchanged, and the samples added up. Image and gradient in blocks are what the convolution and its input gradient use.
 */
function depthwiseInBlocks(node: FilterGrad, [image, dy]: readonly OnnxName[], emitter: Emitter): OnnxName {
  const { strides, dilations } = node.params;
  const { batch, channels, numbers } = extents(node);
  const [, , ...imageSize] = node.inputs[0].type.shape;
  const [, , ...size] = node.inputs[1].type.shape;
  const block = emitter.channelBlock;
  const all = batch * channels;
  const inBlocks = emitter.reshape(toBlocks(image, emitter), [all / block, ...imageSize, block]);
  // With its border in the image, no result has to look where the border is.
  const { padded, met } = withBorder(inBlocks, node, { parts: all / block, channels: block }, emitter);
  const gradient = emitter.emit(
    'Conv',
    [emitter.reshape(padded, [1, all, ...met]), emitter.reshape(toBlocks(dy, emitter), [all, 1, ...size])],
    {
      group: { int: all },
      kernel_shape: { ints: size },
      strides: { ints: dilations },
      dilations: { ints: strides },
      pads: { ints: [0, 0, 0, 0] },
    },
    BLOCKED_DOMAIN,
  );
  const ofSamples = emitter.reshape(fromBlocks(gradient, all, emitter), [batch, channels * numbers]);
  const sum = emitter.emit('ReduceSum', [ofSamples, emitter.integers([0])], { keepdims: { int: 0 } });
  return emitter.reshape(sum, node.type.shape);
}

function extents({ inputs: [image, gradient], params }: FilterGrad) {
  const [batch, channels] = image.type.shape;
  const [, filters, ...size] = gradient.type.shape;
  return { batch, channels, filters, positions: elementCount(size), numbers: elementCount(params.filterSize) };
}

/** The output's gradient [filters, positions of all samples], and the patches of the image [channels, …positions, batch]. */
function batchLast(node: FilterGrad, [image, dy]: readonly OnnxName[], emitter: Emitter) {
  const { batch, filters, positions } = extents(node);
  const samplesLast = (x: OnnxName, [, ...sample]: readonly number[]) => {
    const transposed = emitter.transpose(emitter.reshape(x, [batch, elementCount(sample)]), [1, 0]);
    return emitter.reshape(transposed, [...sample, batch]);
  };
  const [imageShape, gradientShape] = node.inputs.map(({ type }) => type.shape);
  return {
    rows: emitter.reshape(samplesLast(dy, gradientShape), [filters, positions * batch]),
    patches: patchesOf(samplesLast(image, imageShape), node, 1, emitter),
  };
}

/** The patches of an image that the numbers of a filter meet, in the order of these. @param firstAxis of the image's size */
function patchesOf(x: OnnxName, node: FilterGrad, firstAxis: number, emitter: Emitter): readonly OnnxName[] {
  const { strides, dilations, pads, filterSize } = node.params;
  const [, , ...size] = node.inputs[1].type.shape;
  const axes = size.map((_, axis) => firstAxis + axis);
  const around = (side: readonly number[]) =>
    Array.from({ length: size.length + 2 }, (_, axis) => (axes.includes(axis) ? side[axis - firstAxis] : 0));
  const border = emitter.integers([...around(pads.slice(0, size.length)), ...around(pads.slice(size.length))]);
  const padded = pads.some((pad) => pad > 0) ? emitter.emit('Pad', [x, border]) : x;
  return indicesOf(filterSize).map((place) => {
    const starts = place.map((index, axis) => index * dilations[axis]);
    const ends = starts.map((start, axis) => start + strides[axis] * (size[axis] - 1) + 1);
    const operands = [starts, ends, axes, strides].map((values) => emitter.integers(values));
    return emitter.emit('Slice', [padded, ...operands]);
  });
}

/** a [m, k] and b [n, k] -> [m, n] */
function productOf(a: OnnxName, b: OnnxName, emitter: Emitter): OnnxName {
  return emitter.emit('Gemm', [a, b], { transB: { int: 1 } });
}

function join(parts: readonly OnnxName[], axis: number, emitter: Emitter): OnnxName {
  return emitter.emit('Concat', parts, { axis: { int: axis } });
}

/**
 * The gradient of a filter is a convolution in which batch and channels change places: the images of one input channel
 * are the channels, the gradients of one output channel are the filter, strides and dilations are exchanged.
 */
function filterGradOfConvolution(node: FilterGrad, inputs: readonly OnnxName[], emitter: Emitter): OnnxName {
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
