/**
 * @file The gradient of a convolution's filter. Which of several ways is taken depends on shapes alone, so that a resumed run computes
 * the same; the ways are measured by `npm run bench -- convolutions`.
 */
import { elementCount } from '../../protocol/shape.ts';
import type { NodeOf } from '../ir.ts';
import type { Emitter, OnnxName } from './emitter.ts';

/** Filters with as many numbers or fewer leave most of a processor's vectors idle in the convolution that has their size as its result. */
const SMALL_FILTER = 9;
/** Channels from which on products of patches fill the vectors. */
const MANY_CHANNELS = 16;

export function lowerFilterGrad(
  node: NodeOf<'ConvFilterGrad'>,
  inputs: readonly OnnxName[],
  emitter: Emitter,
): OnnxName {
  const { groups, filterSize } = node.params;
  const [, channels] = node.inputs[0].type.shape;
  return groups === 1 && elementCount(filterSize) <= SMALL_FILTER && channels >= MANY_CHANNELS
    ? filterGradOfPatches(node, inputs, emitter)
    : filterGradOfConvolution(node, inputs, emitter);
}

/**
 * The gradient of each number of a filter, over all channels, is the product of the output's gradient with the patch of the image
 * that this number meets.
 */
function filterGradOfPatches(
  { params, type, inputs: [image, gradient] }: NodeOf<'ConvFilterGrad'>,
  [x, dy]: readonly OnnxName[],
  emitter: Emitter,
): OnnxName {
  const { strides, dilations, pads, filterSize } = params;
  const [batch, channels] = image.type.shape;
  const [, filters, ...size] = gradient.type.shape;
  const positions = elementCount(size);
  const axes = size.map((_, axis) => axis + 2);
  const product = (a: OnnxName, b: OnnxName, rank: number) => emitter.products([a, b], rank, { transposeB: true });
  const join = (parts: readonly OnnxName[], axis: number) => emitter.emit('Concat', parts, { axis: { int: axis } });
  const channelsFirst = (x: OnnxName) => emitter.transpose(x, [1, 0, ...axes]);
  const patches = (x: OnnxName) =>
    placesOf(filterSize).map((place) => {
      const starts = place.map((index, axis) => index * dilations[axis]);
      const ends = starts.map((start, axis) => start + strides[axis] * (size[axis] - 1) + 1);
      return emitter.emit('Slice', [x, ...[starts, ends, axes, strides].map((values) => emitter.integers(values))]);
    });
  /** @param columns place in the filter and channel, side by side */
  const toFilter = (columns: OnnxName) => {
    const places = emitter.reshape(columns, [filters, elementCount(filterSize), channels]);
    return emitter.reshape(emitter.transpose(places, [0, 2, 1]), type.shape);
  };
  const [before, behind] = [pads.slice(0, size.length), pads.slice(size.length)];
  const padded = pads.every((pad) => pad === 0)
    ? x
    : emitter.emit('Pad', [x, emitter.integers([0, 0, ...before, 0, 0, ...behind])]);
  // A product for each sample, added up at the end, copies less; but where a sample has few positions, its result is larger than it.
  if (positions > filters) {
    const rows = emitter.reshape(dy, [batch, filters, positions]);
    const products = patches(padded).map((patch) =>
      product(rows, emitter.reshape(patch, [batch, channels, positions]), 3),
    );
    const sum = emitter.emit('ReduceSum', [join(products, 2), emitter.integers([0])], { keepdims: { int: 0 } });
    return toFilter(sum);
  }
  const rows = emitter.reshape(channelsFirst(dy), [filters, batch * positions]);
  const joined = join(patches(channelsFirst(padded)), 0);
  return toFilter(product(rows, emitter.reshape(joined, [elementCount(filterSize) * channels, batch * positions]), 2));
}

/** All places in a window, in row-major order. */
function placesOf(size: readonly number[]): number[][] {
  return size.reduce<number[][]>(
    (places, extent) => places.flatMap((place) => Array.from({ length: extent }, (_, index) => [...place, index])),
    [[]],
  );
}

/**
 * The gradient of a filter is a convolution in which batch and channels change places: the images of one input channel
 * are the channels, the gradients of one output channel are the filter, strides and dilations are exchanged.
 */
function filterGradOfConvolution(
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
