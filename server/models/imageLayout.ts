/** @file Layouts of images: a data set of images has channels last, a model of PyTorch takes them first. */

/** For each axis of a batch with channels first the axis of one with channels last. */
export const TO_CHANNELS_FIRST = [0, 3, 1, 2];

/**
 * The shape of an image [height, width, channels] with channels first, for an input that takes it so and not as it is.
 * @param input sizes without that of the batch; null for one that is open
 * @returns undefined where the sample keeps its layout
 */
export function channelsFirstShape(
  input: readonly (number | null)[],
  sample: readonly number[],
): [channels: number, height: number, width: number] | undefined {
  if (input.length !== 3 || sample.length !== 3) return undefined;
  const fits = (sizes: readonly number[]) => input.every((size, axis) => size === null || size === sizes[axis]);
  const [height, width, channels] = sample;
  return !fits(sample) && fits([channels, height, width]) ? [channels, height, width] : undefined;
}
