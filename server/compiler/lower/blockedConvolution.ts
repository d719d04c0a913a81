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
export function isBlocked({ groups, filter, output }: Convolution, block: number): boolean {
  const [filters, channels, ...size] = filter;
  return (
    block > 1 &&
    groups === 1 &&
    size.length === 2 &&
    filters % block === 0 &&
    channels % block === 0 &&
    // One number a filter is a plain matrix product, which is as fast.
    elementCount(size) > 1 &&
    elementCount(filter) <= LARGEST_FILTER &&
    output[0] * elementCount(output.slice(2)) >= LEAST_POSITIONS
  );
}

/** A convolution of an image with a filter, both in the layout of ONNX, where {@link isBlocked}. */
export function blockedConvolution(
  [image, filter]: readonly OnnxName[],
  { window, filter: shape }: Convolution,
  emitter: Emitter,
): OnnxName {
  const [filters, channels, ...size] = shape;
  const block = emitter.channelBlock;
  const parts = [filters / block, block, channels / block, block, ...size];
  const blocks = emitter.reshape(emitter.transpose(emitter.reshape(filter, parts), [0, 2, 4, 5, 3, 1]), shape);
  const inBlocks = (op: string, inputs: readonly OnnxName[], attributes = {}) =>
    emitter.emit(op, inputs, attributes, BLOCKED_DOMAIN);
  const convolved = inBlocks('Conv', [inBlocks('ReorderInput', [image]), blocks], {
    ...windowAttributes(window),
    kernel_shape: { ints: size },
  });
  return inBlocks('ReorderOutput', [convolved], { channels: { int: filters } });
}
