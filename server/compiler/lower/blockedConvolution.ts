/**
 * @file Convolutions in ONNX Runtime's blocked layout, in which the channels of a block lie side by side. ONNX Runtime changes to it by
 * itself only where the filter is a constant; here filters change at each step, and are put into blocks in the graph.
 * Measured by `npm run bench -- convolutions`: 1.3 to 2 times as fast, with the changes of layout.
 */
import { elementCount } from '../../protocol/shape.ts';
import type { Window } from '../ir.ts';
import type { Emitter, OnnxName } from './emitter.ts';
import { windowAttributes } from './window.ts';

export const BLOCKED_DOMAIN = 'com.microsoft.nchwc';

/** Larger filters take longer to put into blocks than is won. */
const LARGEST_FILTER = 1 << 18;
/** As do filters for fewer positions in the images of the batch. */
const LEAST_POSITIONS = 512;

export interface Convolution {
  readonly window: Window;
  readonly groups: number;
  /** Shape of the filter: [filters, channels, height, width]. */
  readonly filter: readonly number[];
  /** Shape of the result: [batch, filters, height, width]. */
  readonly output: readonly number[];
}

/** True where the blocked convolution is the faster one. @param block channels that are taken together */
export function isBlocked(convolution: Convolution, block: number): boolean {
  const { filter, output } = convolution;
  const [, , ...size] = filter;
  return (
    fitsBlocks(convolution, block) &&
    // One number a filter is a plain matrix product, which is as fast.
    elementCount(size) > 1 &&
    elementCount(filter) <= LARGEST_FILTER &&
    output[0] * elementCount(output.slice(2)) >= LEAST_POSITIONS
  );
}

/** True for convolutions of images that ONNX Runtime has in blocks. @param block channels that are taken together; 1 where it has none */
export function fitsBlocks({ groups, filter }: Pick<Convolution, 'groups' | 'filter'>, block: number): boolean {
  const [filters, channels, ...size] = filter;
  const isWhole = groups === 1 ? channels % block === 0 : isDepthwise(groups, filter);
  return block > 1 && size.length === 2 && filters % block === 0 && isWhole;
}

/** True for a convolution that has one filter for each channel, and of that channel alone. @param filter its shape */
export function isDepthwise(groups: number, [filters, channels]: readonly number[]): boolean {
  return groups > 1 && groups === filters && channels === 1;
}

/** A convolution of an image with a filter, both in the layout of ONNX, where {@link isBlocked}. */
export function blockedConvolution(
  [image, filter]: readonly OnnxName[],
  { window, groups, filter: shape }: Convolution,
  emitter: Emitter,
): OnnxName {
  const filterInBlocks = (groups === 1 ? blocksOfBoth : blocksOfFilters)(filter, shape, emitter);
  const convolved = emitter.emit(
    'Conv',
    [toBlocks(image, emitter), filterInBlocks],
    { ...windowAttributes(window), group: { int: groups }, kernel_shape: { ints: shape.slice(2) } },
    BLOCKED_DOMAIN,
  );
  return fromBlocks(convolved, shape[0], emitter);
}

/** [batch, channels, height, width], or with the channels last -> the same in blocks */
export function toBlocks(image: OnnxName, emitter: Emitter, { channelsLast = false } = {}): OnnxName {
  return emitter.emit('ReorderInput', [image], channelsLast ? { channels_last: { int: 1 } } : {}, BLOCKED_DOMAIN);
}

export function fromBlocks(image: OnnxName, channels: number, emitter: Emitter): OnnxName {
  return emitter.emit('ReorderOutput', [image], { channels: { int: channels } }, BLOCKED_DOMAIN);
}

/** A filter in blocks of its channels and of its filters. */
function blocksOfBoth(filter: OnnxName, shape: readonly number[], emitter: Emitter): OnnxName {
  const [filters, channels, ...size] = shape;
  const block = emitter.channelBlock;
  const parts = emitter.reshape(filter, [filters / block, block, channels / block, block, ...size]);
  return emitter.reshape(emitter.transpose(parts, [0, 2, 4, 5, 3, 1]), shape);
}

/** A filter of one channel, in blocks of its filters. */
function blocksOfFilters(filter: OnnxName, shape: readonly number[], emitter: Emitter): OnnxName {
  const [filters, , ...size] = shape;
  const block = emitter.channelBlock;
  const parts = emitter.reshape(filter, [filters / block, block, ...size]);
  return emitter.reshape(emitter.transpose(parts, [0, 2, 3, 1]), shape);
}
