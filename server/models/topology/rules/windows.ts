/** @file What layers have in common that go over an image or a sequence in windows. */
import type { LayerCall } from '../layerCall.ts';

/** True where the channels are not the last axis. */
export function isChannelsFirst(call: LayerCall): boolean {
  return call.setting('dataFormat') === 'channelsFirst';
}

export const CHANNELS_FIRST = (call: LayerCall) => `${call.path} has its channels first, which is not followed`;

/** True where a convolution puts zeros around its input; for a size that the model leaves open, where it may. */
export function hasBorder(call: LayerCall): boolean {
  if (call.setting('padding') === 'valid') return false;
  const [kernelSize, strides, dilations] = ['kernelSize', 'strides', 'dilationRate'].map((name) =>
    sizesOf(call.setting(name)),
  );
  const sizes = call.inputs[0].shape.slice(1, -1);
  return sizes.some((size, axis) => {
    const window = (at(kernelSize, axis) - 1) * at(dilations, axis) + 1;
    const stride = at(strides, axis);
    if (size === null || call.setting('padding') !== 'same') return window > 1;
    return (Math.ceil(size / stride) - 1) * stride + window > size;
  });
}

/** One number stands for all axes. */
function sizesOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [typeof value === 'number' ? value : 1];
}

function at(sizes: readonly number[], axis: number): number {
  return sizes[axis] ?? sizes[0];
}
