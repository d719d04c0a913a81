/**
 * @file The gradient of a convolution's filter as a convolution in ONNX Runtime's blocked layout, in which samples take the place of channels.
 * Measured by `npm run bench -- convolutions`: 1.1 to 3 times as fast as products of patches, which it does without: they are copies of the
 * image, one for each number of a filter, made by one thread.
 */
import { elementCount } from '../../protocol/shape.ts';
import type { NodeOf } from '../ir.ts';
import { BLOCKED_DOMAIN, toBlocks } from './blockedConvolution.ts';
import type { Emitter, OnnxName } from './emitter.ts';
import { indicesOf } from './indices.ts';

type FilterGrad = NodeOf<'ConvFilterGrad'>;

/** Blocks of AVX-512. The way was not measured with others. */
const BLOCK = 16;
/** Numbers of the output's gradient that a convolution goes through for each of its results: they fit into half of a core's cache. */
const MOST_NUMBERS = 1 << 17;
/** Positions of a band, in all samples of a block together, from which on a result is worth its call. */
const LEAST_POSITIONS = 256;
/** The most numbers that may be computed, with samples and filters filled up to whole blocks, for each that is asked for. */
const MOST_FILLED = 1.65;

/** True where {@link filterGradInBlocks} computes the gradient, and is the faster way. @param block channels that are taken together */
export function isFilterGradBlocked(node: FilterGrad, block: number): boolean {
  const { groups, filterSize, dilations } = node.params;
  const [batch] = node.inputs[0].type.shape;
  const [, filters, , width] = node.inputs[1].type.shape;
  return (
    block === BLOCK &&
    groups === 1 &&
    filterSize.length === 2 &&
    elementCount(filterSize) > 1 &&
    dilations.every((dilation) => dilation === 1) &&
    wholeBlocks(batch, block) * wholeBlocks(filters, block) <= MOST_FILLED * batch * filters &&
    block * rowsOfBand(node, block) * width >= LEAST_POSITIONS
  );
}

const wholeBlocks = (count: number, block: number): number => Math.ceil(count / block) * block;

/**
 * Samples are the channels of the convolution, and the output's gradient is its filter. The rows of its image have [column, channel], so that a
 * row of its result has [column of the filter, channel]: all of it is used, and long. Each block of samples is a group of its own, with
 * each band of rows, so that the gradient of a band stays in the cache; the gradients of the groups are added up at the end.
 */
export function filterGradInBlocks(node: FilterGrad, [image, dy]: readonly OnnxName[], emitter: Emitter): OnnxName {
  const { strides, filterSize } = node.params;
  const [, , height, width] = node.inputs[1].type.shape;
  const block = emitter.channelBlock;
  // Samples and filters that fill the last blocks up have a gradient of 0.
  const [batch, filters] = node.inputs[1].type.shape.slice(0, 2).map((count) => wholeBlocks(count, block));
  const rows = rowsOfBand(node, block);
  const bands = height / rows;
  const blocks = batch / block;
  const groups = bands * blocks;

  const { name, shape, parts, channels } = imageOf(image, node, { rows, bands, blocks }, emitter);
  const filter = filterOf(
    filledUp(dy, node, [batch, filters], emitter),
    { batch, filters, bands, positions: rows * width },
    emitter,
  );
  const gradient = emitter.emit(
    'Conv',
    [emitter.reshape(name, shape), emitter.reshape(filter, [groups * filters, block, rows, width])],
    {
      group: { int: groups },
      kernel_shape: { ints: [rows, width] },
      strides: { ints: [1, 1] },
      dilations: { ints: [strides[0], strides[1] * channels] },
      pads: { ints: [0, 0, 0, 0] },
    },
    BLOCKED_DOMAIN,
  );
  const numbers = filters * elementCount(filterSize) * channels;
  const ofGroups = emitter.reshape(gradient, [parts, groups, numbers]);
  const sum = emitter.emit('ReduceSum', [ofGroups, emitter.integers([1])], { keepdims: { int: 0 } });
  const places = emitter.reshape(sum, [parts, filters / block, elementCount(filterSize), channels, block]);
  const all = emitter.reshape(emitter.transpose(places, [1, 4, 0, 3, 2]), node.type.shape.with(0, filters));
  const [wanted] = node.type.shape;
  if (filters === wanted) return all;
  return emitter.emit('Slice', [all, ...[[0], [wanted], [0]].map((values) => emitter.integers(values))]);
}

/** The output's gradient with zeros behind its samples and filters. */
function filledUp(dy: OnnxName, node: FilterGrad, [batch, filters]: readonly number[], emitter: Emitter): OnnxName {
  const [samples, present] = node.inputs[1].type.shape;
  if (samples === batch && present === filters) return dy;
  return emitter.emit('Pad', [dy, emitter.integers([0, 0, 0, 0, batch - samples, filters - present, 0, 0])]);
}

/** The output's gradient as [blocks of samples, bands, blocks of filters, positions of a band, samples of a block, filters of a block]. */
function filterOf(
  dy: OnnxName,
  size: Readonly<Record<'batch' | 'filters' | 'bands' | 'positions', number>>,
  emitter: Emitter,
): OnnxName {
  const { batch, filters, bands, positions } = size;
  const block = emitter.channelBlock;
  const inBlocks = toBlocks(dy, emitter);
  if (bands > 1 && filters > block) {
    const parts = [batch / block, block, filters / block, bands, positions, block];
    return emitter.transpose(emitter.reshape(inBlocks, parts), [0, 3, 2, 4, 1, 5]);
  }
  // Putting all numbers of a sample into blocks exchanges samples and blocks, in all threads, which Transpose does in one.
  const samples = emitter.reshape(inBlocks, [batch / block, 1, block, filters * bands * positions]);
  return toBlocks(samples, emitter, { channelsLast: true });
}

/** Rows of the output's gradient that a group has: as many as fit, without a rest. */
function rowsOfBand(node: FilterGrad, block: number): number {
  const [, filters, height, width] = node.inputs[1].type.shape;
  const fitting = MOST_NUMBERS / (block * width * wholeBlocks(filters, block));
  for (let rows = Math.min(height, Math.floor(fitting)); rows > 1; rows--) if (height % rows === 0) return rows;
  return 1;
}

/**
 * The image in blocks of samples, [parts of the channels, groups, rows of a band, columns and channels of the part, samples], with its
 * border. A band has all rows that the filter meets there, so that bands overlap.
 */
function imageOf(
  image: OnnxName,
  node: FilterGrad,
  { rows, bands, blocks }: Readonly<Record<'rows' | 'bands' | 'blocks', number>>,
  emitter: Emitter,
) {
  const { strides, filterSize } = node.params;
  const [batch] = node.inputs[0].type.shape;
  const block = emitter.channelBlock;
  const { name, parts, channels } = channelsLast(image, node, emitter);
  const { padded, met } = withBorder(name, node, { parts: batch * parts, channels }, emitter);
  const rowLength = met[1] * channels;
  const bandRows = strides[0] * (rows - 1) + filterSize[0];
  // Places of rows in [samples, parts, rows], in the order of [parts, blocks of samples, bands, samples of a block, rows of a band].
  const places = indicesOf([parts, blocks, bands, block, bandRows]).map(([part, ofSamples, band, inBlock, row]) => {
    // The last block is filled up with the last sample, whose gradient is 0 there.
    const sample = Math.min(ofSamples * block + inBlock, batch - 1);
    return (sample * parts + part) * met[0] + band * rows * strides[0] + row;
  });
  const inOrder = places.length === batch * parts * met[0] && places.every((place, index) => place === index);
  const allRows = emitter.reshape(padded, [batch * parts * met[0], rowLength]);
  const chosen = inOrder ? allRows : emitter.emit('Gather', [allRows, emitter.integers(places)], { axis: { int: 0 } });
  return {
    name: toBlocks(emitter.reshape(chosen, [parts * blocks * bands, block, bandRows, rowLength]), emitter),
    shape: [parts, blocks * bands * block, bandRows, rowLength],
    parts,
    channels,
  };
}

/**
 * An image [parts, height, width, channels of a part] with its border, and its size with it: all rows and columns that the filter meets. Those that
 * the stride does not reach are cut off, by a pad below 0.
 */
export function withBorder(
  image: OnnxName,
  node: FilterGrad,
  { parts, channels }: Readonly<Record<'parts' | 'channels', number>>,
  emitter: Emitter,
) {
  const { strides, dilations, pads, filterSize } = node.params;
  const [, , ...size] = node.inputs[0].type.shape;
  const [, , ...positions] = node.inputs[1].type.shape;
  const met = positions.map((extent, i) => strides[i] * (extent - 1) + dilations[i] * (filterSize[i] - 1) + 1);
  const behind = met.map((extent, i) => extent - size[i] - pads[i]);
  const border = [...pads.slice(0, 2), ...behind];
  if (border.every((pad) => pad === 0)) return { padded: image, met };
  if (channels !== emitter.channelBlock || border.some((pad) => pad < 0)) {
    const ofAxes = [0, ...border.slice(0, 2), 0, 0, ...behind, 0];
    return { padded: emitter.emit('Pad', [image, emitter.integers(ofAxes)]), met };
  }
  // A convolution with ones, which uses all threads; Pad uses one.
  const ones = emitter.ones([channels, 1, 1, 1]);
  const padded = emitter.emit(
    'Conv',
    [emitter.reshape(image, [parts, channels, ...size]), ones],
    { group: { int: channels }, kernel_shape: { ints: [1, 1] }, pads: { ints: border } },
    BLOCKED_DOMAIN,
  );
  return { padded: emitter.reshape(padded, [parts, ...met, channels]), met };
}

/** [batch and parts, height, width, channels of a part]: blocks of channels as the forward convolution uses them, too, or all channels. */
function channelsLast(image: OnnxName, node: FilterGrad, emitter: Emitter) {
  const [batch, channels, ...size] = node.inputs[0].type.shape;
  const block = emitter.channelBlock;
  if (channels % block > 0) return { name: emitter.transpose(image, [0, 2, 3, 1]), parts: 1, channels };
  const parts = channels / block;
  return { name: emitter.reshape(toBlocks(image, emitter), [batch * parts, ...size, block]), parts, channels: block };
}
