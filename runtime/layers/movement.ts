/** @file Layers that give numbers another place or another shape. */
import { elementCount } from '../../server/protocol/shape.ts';
import type { Plan, Tensor } from '../plan.ts';
import { axes, only, type MakeLayer } from './layer.ts';

/** The same numbers in another shape. */
const reshaped =
  (shapeFor: (shape: readonly number[]) => readonly number[]) =>
  ({ address, shape }: Tensor): Tensor => ({ address, shape: shapeFor(shape) });

const reshape: MakeLayer = (config) => {
  const target = config.list('target_shape');
  const sizes = target.map((size) => (size === null ? -1 : Number(size)));
  return {
    isStepwise: false,
    plan(inputs) {
      const input = only(config, inputs);
      const rest = elementCount(input.shape) / elementCount(sizes.filter((size) => size !== -1));
      const shape = sizes.map((size) => (size === -1 ? rest : size));
      if (
        !shape.every((size) => Number.isSafeInteger(size) && size > 0) ||
        elementCount(shape) !== elementCount(input.shape)
      )
        throw config.error(`its input of the shape [${input.shape}] cannot have the shape [${sizes}]`);
      return reshaped(() => shape)(input);
    },
  };
};

/** A tensor of the input's numbers at the places that `sourceOf` gives; -1 is a zero. */
export function gatherTensor(
  plan: Plan,
  input: Tensor,
  shape: readonly number[],
  sourceOf: (position: readonly number[]) => number,
): Tensor {
  const length = elementCount(shape);
  const index = new Int32Array(length);
  const position = shape.map(() => 0);
  for (let i = 0; i < length; i++) {
    index[i] = sourceOf(position);
    for (let axis = shape.length - 1; axis >= 0 && ++position[axis] === shape[axis]; axis--) position[axis] = 0;
  }
  const table = plan.memory.store(index);
  const result = plan.tensor(shape);
  plan.add(() => plan.kernels.gather(input.address, table, length, result.address));
  return result;
}

/** Numbers between neighbours along each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** The axes of a sample in another order: axis `i` of the result is axis `order[i]` of the input. */
function transpose(plan: Plan, input: Tensor, order: readonly number[]): Tensor {
  const strides = stridesOf(input.shape);
  return gatherTensor(
    plan,
    input,
    order.map((axis) => input.shape[axis]),
    (position) => position.reduce((sum, at, i) => sum + at * strides[order[i]], 0),
  );
}

const permute: MakeLayer = (config) => {
  const dims = config.list('dims').map(Number);
  return {
    isStepwise: false,
    plan(inputs, plan) {
      const input = only(config, inputs);
      axes(config, input, dims.length);
      // Axis 1 is the first behind the batch.
      if (dims.toSorted((a, b) => a - b).some((axis, i) => axis !== i + 1))
        throw config.error(`its dims [${dims}] are no order of its axes`);
      return transpose(
        plan,
        input,
        dims.map((axis) => axis - 1),
      );
    },
  };
};

/** Channels that are first go last before the numbers stand behind one another. */
const flatten: MakeLayer = (config) => {
  const isChannelsFirst =
    config.word('data_format', ['channels_last', 'channels_first'], 'channels_last') === 'channels_first';
  return {
    isStepwise: false,
    plan(inputs, plan) {
      const input = only(config, inputs);
      const order = [...input.shape.keys()];
      const ordered = isChannelsFirst ? transpose(plan, input, [...order.slice(1), 0]) : input;
      return reshaped((shape) => [elementCount(shape)])(ordered);
    },
  };
};

const repeatVector: MakeLayer = (config) => {
  const count = config.count('n');
  return {
    isStepwise: false,
    plan(inputs, plan) {
      const { address, shape } = only(config, inputs);
      const result = plan.tensor([count, ...shape]);
      const bytes = 4 * elementCount(shape);
      plan.add(() => plan.kernels.copyBlocks(address, 0, bytes, count, result.address, bytes));
      return result;
    },
  };
};

/** Pixels of the result, each a pixel of the input or, outside it, zero. */
const movedPixels =
  (
    read: (config: Parameters<MakeLayer>[0]) => {
      readonly size: (height: number, width: number) => readonly [number, number];
      readonly source: (row: number, column: number) => readonly [number, number];
    },
  ): MakeLayer =>
  (config) => {
    config.requireChannelsLast();
    const { size, source } = read(config);
    return {
      isStepwise: false,
      plan(inputs, plan) {
        const input = only(config, inputs);
        const [height, width, channels] = axes(config, input, 3);
        const [newHeight, newWidth] = size(height, width);
        if (newHeight < 1 || newWidth < 1)
          throw config.error(`nothing is left of its input of the shape [${input.shape}]`);
        return gatherTensor(plan, input, [newHeight, newWidth, channels], ([row, column, channel]) => {
          const [i, j] = source(row, column);
          return i < 0 || j < 0 || i >= height || j >= width ? -1 : (i * width + j) * channels + channel;
        });
      },
    };
  };

/** `[[top, bottom], [left, right]]`, also written as one number or one for each axis. */
function margins(config: Parameters<MakeLayer>[0], key: string) {
  const value = config.value(key);
  const pairs = Array.isArray(value) && Array.isArray(value[0]) ? value : undefined;
  const [vertical, horizontal] = pairs ?? config.counts(key, 2, undefined, 0).map((size) => [size, size]);
  const numbers = [vertical, horizontal].flat().map(Number);
  if (numbers.length !== 4 || !numbers.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw config.error(`its ${key} is no pair of pairs of whole numbers`);
  const [top, bottom, left, right] = numbers;
  return { top, bottom, left, right };
}

export const movementLayers: Readonly<Record<string, MakeLayer>> = {
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
  ZeroPadding2D: movedPixels((config) => {
    const { top, bottom, left, right } = margins(config, 'padding');
    return {
      size: (height, width) => [height + top + bottom, width + left + right],
      source: (row, column) => [row - top, column - left],
    };
  }),
  Cropping2D: movedPixels((config) => {
    const { top, bottom, left, right } = margins(config, 'cropping');
    return {
      size: (height, width) => [height - top - bottom, width - left - right],
      source: (row, column) => [row + top, column + left],
    };
  }),
  UpSampling2D: movedPixels((config) => {
    const [rows, columns] = config.counts('size', 2, 2);
    config.word('interpolation', ['nearest'], 'nearest');
    return {
      size: (height, width) => [height * rows, width * columns],
      source: (row, column) => [Math.floor(row / rows), Math.floor(column / columns)],
    };
  }),
};
