/** @file Layers that go over an image [height, width, channels], or a sequence [time, channels], window by window. */
import { elementCount } from '../../server/protocol/shape.ts';
import type { LayerConfig } from '../layerConfig.ts';
import type { Tensor } from '../plan.ts';
import { activateInPlace, activationOf } from './activations.ts';
import { axes, only, type LayerStore, type MakeLayer } from './layer.ts';

/** Positions whose patches are made at once: a multiple of the rows that a product of any form takes. */
const POSITIONS = 64;

/** Windows along one axis. */
interface Windows {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
}

/** The positions of the windows along one axis of `length`, and the zeros before its start. */
function place(
  config: LayerConfig,
  length: number,
  { size, stride, dilation }: Windows,
): { count: number; before: number } {
  const reach = (size - 1) * dilation + 1;
  switch (config.word('padding', ['valid', 'same'], 'valid')) {
    case 'same': {
      const count = Math.ceil(length / stride);
      return { count, before: Math.floor(Math.max((count - 1) * stride + reach - length, 0) / 2) };
    }
    case 'valid': {
      if (reach > length) throw config.error(`its windows of ${reach} do not fit into its input of ${length}`);
      return { count: Math.floor((length - reach) / stride) + 1, before: 0 };
    }
  }
}

/** Image of an input: a sequence is one of a single line. */
function imageOf(config: LayerConfig, input: Tensor, dimensions: 1 | 2): readonly [number, number, number] {
  const sizes = axes(config, input, dimensions + 1);
  const [height, width, channels] = dimensions === 1 ? [1, ...sizes] : sizes;
  return [height, width, channels];
}

const shapeOf = (dimensions: 1 | 2, height: number, width: number, channels: number) =>
  dimensions === 1 ? [width, channels] : [height, width, channels];

/** A setting with a number for each dimension: [height, width]. */
function pair(config: LayerConfig, key: string, dimensions: 1 | 2, otherwise?: number): readonly [number, number] {
  const sizes = config.counts(key, dimensions, otherwise);
  const [height, width] = dimensions === 1 ? [1, ...sizes] : sizes;
  return [height, width];
}

const convolution =
  (dimensions: 1 | 2): MakeLayer =>
  (config, store) => {
    config.requireChannelsLast();
    const filters = config.count('filters');
    const [kernelHeight, kernelWidth] = pair(config, 'kernel_size', dimensions);
    const [strideHeight, strideWidth] = pair(config, 'strides', dimensions, 1);
    const [dilationHeight, dilationWidth] = pair(config, 'dilation_rate', dimensions, 1);
    if (config.count('groups', 1) !== 1) throw config.error('it has several groups');
    const matrix = store.matrix('kernel', filters);
    const bias = store.bias({ has: config.flag('use_bias', true), length: filters });
    const activation = activationOf(config);
    return {
      isStepwise: false,
      plan(inputs, plan) {
        const input = only(config, inputs);
        const [height, width, channels] = imageOf(config, input, dimensions);
        const patch = kernelHeight * kernelWidth * channels;
        if (patch !== matrix.inputs)
          throw config.error(
            `its input has ${channels} channels, its kernel other ones: ${matrix.inputs} numbers a patch`,
          );
        const rows = place(config, height, { size: kernelHeight, stride: strideHeight, dilation: dilationHeight });
        const columns = place(config, width, { size: kernelWidth, stride: strideWidth, dilation: dilationWidth });
        const result = plan.tensor(shapeOf(dimensions, rows.count, columns.count, filters));
        const positions = rows.count * columns.count;
        const isPointwise = kernelHeight * kernelWidth * strideHeight * strideWidth === 1;
        const patchBytes = isPointwise ? 0 : 4 * Math.min(POSITIONS, positions) * patch;
        const chunk = isPointwise ? positions : POSITIONS;
        plan.reserveScratch(patchBytes + 16 + matrix.scratchBytes(Math.min(chunk, positions)));
        const x = input.address;
        plan.add(() => {
          const rest = (plan.scratch + patchBytes + 15) & ~15;
          for (let first = 0; first < positions; first += chunk) {
            const count = Math.min(chunk, positions - first);
            if (!isPointwise)
              plan.kernels.copyPatches(
                ...([x, height, width, channels, kernelHeight, kernelWidth, strideHeight, strideWidth] as const),
                ...([dilationHeight, dilationWidth, rows.before, columns.before, columns.count] as const),
                ...([first, count, plan.scratch] as const),
              );
            const to = result.address + 4 * first * filters;
            matrix.multiply(isPointwise ? x : plan.scratch, count, bias, to, rest);
          }
        });
        activateInPlace(activation, result, plan);
        return result;
      },
    };
  };

/** Plans the convolution of each channel by itself, without an activation. */
function depthwise(
  config: LayerConfig,
  store: LayerStore,
  [dilationHeight, dilationWidth]: readonly [number, number],
  bias?: number,
) {
  config.requireChannelsLast();
  const [kernelHeight, kernelWidth] = pair(config, 'kernel_size', 2);
  const [strideHeight, strideWidth] = pair(config, 'strides', 2, 1);
  const kernelShape = store.shape('depthwise_kernel');
  const kernel = store.vector('depthwise_kernel', elementCount(kernelShape));
  // TensorFlow.js does not write the depth_multiplier of a separable convolution.
  const [rows, columns, , multiplier] = kernelShape;
  if (kernelShape.length !== 4 || rows !== kernelHeight || columns !== kernelWidth)
    throw config.error(`its kernel has the shape [${kernelShape}]`);
  const filters = elementCount(kernelShape.slice(2));
  const start = bias ?? store.bias({ has: config.flag('use_bias', true), length: filters });
  return (input: Tensor, plan: Parameters<ReturnType<MakeLayer>['plan']>[1]): Tensor => {
    const [height, width, channels] = imageOf(config, input, 2);
    if (channels * multiplier !== filters)
      throw config.error(`its input has ${channels} channels, its kernel the shape [${kernelShape}]`);
    const rows = place(config, height, { size: kernelHeight, stride: strideHeight, dilation: dilationHeight });
    const columns = place(config, width, { size: kernelWidth, stride: strideWidth, dilation: dilationWidth });
    const result = plan.tensor([rows.count, columns.count, filters]);
    plan.add(() =>
      plan.kernels.convolveDepthwise(
        ...([input.address, height, width, channels, kernel, kernelHeight, kernelWidth, multiplier] as const),
        ...([strideHeight, strideWidth, dilationHeight, dilationWidth, rows.before, columns.before] as const),
        ...([rows.count, columns.count, start, result.address] as const),
      ),
    );
    return result;
  };
}

const depthwiseConvolution: MakeLayer = (config, store) => {
  // TensorFlow.js writes the dilation_rate of a depthwise convolution, and computes without it.
  const convolve = depthwise(config, store, [1, 1]);
  const activation = activationOf(config);
  return {
    isStepwise: false,
    plan(inputs, plan) {
      const result = convolve(only(config, inputs), plan);
      activateInPlace(activation, result, plan);
      return result;
    },
  };
};

/** A convolution of each channel by itself, then a product with the pointwise kernel at each position. */
const separableConvolution: MakeLayer = (config, store) => {
  const filters = config.count('filters');
  const pointwise = store.matrix('pointwise_kernel', filters);
  const dilations = pair(config, 'dilation_rate', 2, 1);
  const convolve = depthwise(config, store, dilations, store.weights.zeros(pointwise.inputs));
  const bias = store.bias({ has: config.flag('use_bias', true), length: filters });
  const activation = activationOf(config);
  return {
    isStepwise: false,
    plan(inputs, plan) {
      const { address, shape } = convolve(only(config, inputs), plan);
      const [height, width, channels] = shape;
      if (channels !== pointwise.inputs)
        throw config.error(`its pointwise kernel has ${pointwise.inputs} rows for ${channels} channels`);
      const result = plan.tensor([height, width, filters]);
      plan.reserveScratch(pointwise.scratchBytes(height * width));
      plan.add(() => pointwise.multiply(address, height * width, bias, result.address, plan.scratch));
      activateInPlace(activation, result, plan);
      return result;
    },
  };
};

const pooling =
  (dimensions: 1 | 2, isMaximum: boolean): MakeLayer =>
  (config) => {
    config.requireChannelsLast();
    const [windowHeight, windowWidth] = pair(config, 'pool_size', dimensions, 2);
    const [strideHeight, strideWidth] = config.has('strides')
      ? pair(config, 'strides', dimensions)
      : [windowHeight, windowWidth];
    return {
      isStepwise: false,
      plan(inputs, plan) {
        const input = only(config, inputs);
        const [height, width, channels] = imageOf(config, input, dimensions);
        const rows = place(config, height, { size: windowHeight, stride: strideHeight, dilation: 1 });
        const columns = place(config, width, { size: windowWidth, stride: strideWidth, dilation: 1 });
        const result = plan.tensor(shapeOf(dimensions, rows.count, columns.count, channels));
        plan.add(() =>
          plan.kernels.pool(
            ...([Number(isMaximum), input.address, height, width, channels, windowHeight, windowWidth] as const),
            ...([
              strideHeight,
              strideWidth,
              rows.before,
              columns.before,
              rows.count,
              columns.count,
              result.address,
            ] as const),
          ),
        );
        return result;
      },
    };
  };

/** One window over all. */
const globalPooling =
  (dimensions: 1 | 2, isMaximum: boolean): MakeLayer =>
  (config) => {
    config.requireChannelsLast();
    const keepsAxes = config.flag('keepdims', false);
    return {
      isStepwise: false,
      plan(inputs, plan) {
        const input = only(config, inputs);
        const [height, width, channels] = imageOf(config, input, dimensions);
        const result = plan.tensor(keepsAxes ? shapeOf(dimensions, 1, 1, channels) : [channels]);
        plan.add(() =>
          plan.kernels.pool(
            ...([Number(isMaximum), input.address, height, width, channels, height, width] as const),
            ...([1, 1, 0, 0, 1, 1, result.address] as const),
          ),
        );
        return result;
      },
    };
  };

export const windowLayers: Readonly<Record<string, MakeLayer>> = {
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  DepthwiseConv2D: depthwiseConvolution,
  SeparableConv2D: separableConvolution,
  MaxPooling1D: pooling(1, true),
  MaxPooling2D: pooling(2, true),
  AveragePooling1D: pooling(1, false),
  AveragePooling2D: pooling(2, false),
  GlobalMaxPooling1D: globalPooling(1, true),
  GlobalMaxPooling2D: globalPooling(2, true),
  GlobalAveragePooling1D: globalPooling(1, false),
  GlobalAveragePooling2D: globalPooling(2, false),
};
