/** @file Cases of the kernels in import/convolution.ts. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { distinct, operand, type KernelCase, type KernelRow } from './kernelCase.ts';
import { activations } from './matrixRows.ts';

type Pair = [number, number];
type Activation = tf.fused.Activation;

const size = (maximum: number) => fc.integer({ min: 1, max: maximum });
const pair = (maximum: number): fc.Arbitrary<Pair> => fc.tuple(size(maximum), size(maximum));

interface WindowSettings {
  filter: Pair;
  strides: Pair;
  dilations: Pair;
  pad: 'same' | 'valid' | number;
  image: Pair;
  format?: 'NHWC' | 'NCHW';
  rounding?: 'floor' | 'ceil';
}

/** Strided or dilated, not both, as TensorFlow.js asks; the image holds the filter at least once. */
const windows = (dilated: boolean): fc.Arbitrary<WindowSettings> =>
  fc
    .record({
      filter: pair(3),
      strides: pair(3),
      dilations: dilated ? pair(2) : fc.constant<Pair>([1, 1]),
      pad: fc.constantFrom('same', 'valid'),
      beyond: fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })),
    })
    .map(({ filter, strides, dilations, pad, beyond }) => ({
      filter,
      strides: dilations.some((dilation) => dilation > 1) ? [1, 1] : strides,
      dilations,
      pad,
      image: [0, 1].map((axis) => (filter[axis] - 1) * dilations[axis] + 1 + beyond[axis]) as Pair,
    }));

const channels = fc.record({ batch: size(3), inputs: size(5), outputs: size(5) });

type Convolve = (operands: tf.Tensor[], settings: WindowSettings & { activation: Activation }) => tf.Tensor;

/**
 * x [batch, height, width, inputs], filter [height, width, inputs, outputs], bias and slopes [outputs]; a depthwise filter
 * has up to 2 filters an input. TensorFlow.js has no gradient of a dilated convolution.
 */
function convolution(
  compute: Convolve,
  { depthwise = false, dilated = false, extra = 0, settings: given = windows(dilated) }: ConvolutionOptions = {},
): KernelRow {
  return fc.tuple(given, channels, activations).chain(([window, { batch, inputs, outputs }, activation]) => {
    const multiplier = depthwise ? Math.min(outputs, 2) : outputs;
    const results = depthwise ? inputs * multiplier : outputs;
    const operands = [
      window.format === 'NCHW' ? [batch, inputs, ...window.image] : [batch, ...window.image, inputs],
      [...window.filter, inputs, multiplier],
      ...Array.from({ length: extra }, () => [results]),
    ];
    const settings = { ...window, activation };
    return fc.tuple(...operands.map((shape) => operand(shape))).map((drawn): KernelCase => ({
      operands: drawn,
      compute: (tensors) => compute(tensors, settings),
      settings,
      untrainable: dilated || window.rounding === 'ceil',
    }));
  });
}

interface ConvolutionOptions {
  depthwise?: boolean;
  dilated?: boolean;
  /** Number of vectors along the channels of the result. */
  extra?: number;
  settings?: fc.Arbitrary<WindowSettings>;
}

const channelsFirst = windows(false).map((settings) => ({ ...settings, format: 'NCHW' as const }));
/** A size that is rounded up has a window that reaches beyond the image, or lies there. */
const roundedUp = fc.tuple(windows(false), fc.integer({ min: 0, max: 2 }), size(3)).map(([settings, pad, side]) => ({
  ...settings,
  filter: [side, side] as Pair,
  // One stride alone is read where the padding is a number.
  strides: [settings.strides[0], settings.strides[0]] as Pair,
  image: settings.image.map((length) => length + side) as Pair,
  pad,
  rounding: 'ceil' as const,
}));

const conv2d: Convolve = ([x, filter], { strides, pad, dilations, format = 'NHWC', rounding }) =>
  tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, format, dilations, rounding);
const depthwiseConv2d: Convolve = ([x, filter], { strides, pad, dilations }) =>
  tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC', dilations);

const fused =
  (convolve: typeof tf.fused.conv2d | typeof tf.fused.depthwiseConv2d): Convolve =>
  ([x, filter, bias, preluActivationWeights], { strides, pad, dilations, format, activation }) =>
    convolve({
      x: x as tf.Tensor4D,
      filter: filter as tf.Tensor4D,
      strides,
      pad,
      dilations,
      dataFormat: format,
      bias,
      activation,
      preluActivationWeights,
      leakyreluAlpha: 0.3,
    });

/** A window that adds a linear bias to a dilated convolution, and no activation, is fused in training, too. */
const fusedLinear: Convolve = (operands, settings) =>
  fused(tf.fused.conv2d)(operands, { ...settings, activation: 'linear' });
const fusedLinearDepthwise: Convolve = (operands, settings) =>
  fused(tf.fused.depthwiseConv2d)(operands, { ...settings, activation: 'linear' });

// Volumes

type Triple = [number, number, number];
const triple = (maximum: number): fc.Arbitrary<Triple> => fc.tuple(size(maximum), size(maximum), size(maximum));

interface VolumeSettings {
  filter: Triple;
  strides: Triple;
  dilations: Triple;
  pad: 'same' | 'valid';
  volume: Triple;
}

const volumes = (dilated: boolean): fc.Arbitrary<VolumeSettings> =>
  fc
    .record({
      filter: triple(2),
      strides: triple(2),
      dilations: dilated ? triple(2) : fc.constant<Triple>([1, 1, 1]),
      pad: fc.constantFrom('same', 'valid'),
      beyond: triple(2),
    })
    .map(({ filter, strides, dilations, pad, beyond }) => ({
      filter,
      // Beyond the filter's size, TensorFlow.js takes the elements that "same" reads from another place than TensorFlow.
      strides: strides.map((stride, axis) => (dilations.includes(2) ? 1 : Math.min(stride, filter[axis]))) as Triple,
      dilations,
      pad,
      volume: filter.map((length, axis) => (length - 1) * dilations[axis] + beyond[axis]) as Triple,
    }));

/** x [batch, depth, height, width, inputs], filter [depth, height, width, inputs, outputs]. */
const volumeConvolution = (dilated: boolean): KernelRow =>
  fc.tuple(volumes(dilated), size(2), size(2), size(2)).chain(([settings, batch, inputs, outputs]) =>
    fc
      .tuple(operand([batch, ...settings.volume, inputs]), operand([...settings.filter, inputs, outputs]))
      .map((operands): KernelCase => ({
        operands,
        compute: ([x, filter]) => {
          const { strides, pad, dilations } = settings;
          return tf.conv3d(x as tf.Tensor5D, filter as tf.Tensor5D, strides, pad, 'NDHWC', dilations);
        },
        settings,
        untrainable: dilated,
      })),
  );

/** x [batch, depth, height, width, inputs], filter [depth, height, width, outputs, inputs]; TensorFlow.js has no gradient of it. */
const transposedConvolution: KernelRow = fc
  .tuple(volumes(false), size(2), size(2), size(2))
  .chain(([{ filter, strides, volume }, batch, inputs, outputs]) =>
    fc
      .tuple(operand([batch, ...volume, inputs]), operand([...filter, outputs, inputs]))
      .map((operands): KernelCase => ({
        operands,
        compute: ([x, weights]) => {
          const shape = volume.map((length, axis) => (length - 1) * strides[axis] + filter[axis]) as Triple;
          const whole: [number, ...Triple, number] = [batch, ...shape, outputs];
          return tf.conv3dTranspose(x as tf.Tensor5D, weights as tf.Tensor5D, whole, strides, 'valid');
        },
        settings: { filter, strides, volume },
        untrainable: true,
      })),
  );

type VolumePool = (x: tf.Tensor5D, filter: Triple, strides: Triple, pad: 'same' | 'valid') => tf.Tensor;

/** The gradient kernels of the `cpu` backend are wrong at borders, and where windows overlap. */
const volumePooling = (compute: VolumePool, elements: typeof distinct): KernelRow =>
  fc.tuple(volumes(false), size(2), size(2)).chain(([{ filter, strides, pad, volume }, batch, inputs]) =>
    elements([batch, ...volume, inputs]).map((x): KernelCase => ({
      operands: [x],
      compute: ([tensor]) => compute(tensor as tf.Tensor5D, filter, strides, pad),
      settings: { filter, strides, pad },
      differenceQuotients: true,
    })),
  );

const conv3d = volumeConvolution(false);
const maxPooling3d = volumePooling((...settings) => tf.maxPool3d(...settings), distinct);
const averagePooling3d = volumePooling(
  (...settings) => tf.avgPool3d(...settings),
  (shape) => operand(shape),
);

// Pooling

type Pool = (x: tf.Tensor4D, filter: Pair, strides: Pair, pad: WindowSettings['pad']) => tf.Tensor;

const pooling = (compute: Pool, differenceQuotients: boolean): KernelRow =>
  fc.tuple(windows(false), channels).chain(([{ image, filter, strides, pad }, { batch, inputs }]) =>
    operand([batch, ...image, inputs], [-1, 1]).map((x): KernelCase => ({
      operands: [x],
      compute: ([tensor]) => compute(tensor as tf.Tensor4D, filter, strides, pad),
      settings: { filter, strides, pad },
      differenceQuotients,
    })),
  );

const maxPooling = pooling((...settings) => tf.maxPool(...settings), false);
// The gradient kernel of the `cpu` backend divides by the whole window also where it reaches over the border.
const averagePooling = pooling((...settings) => tf.avgPool(...settings), true);

const conv = convolution(conv2d);
const depthwiseConv = convolution(depthwiseConv2d, { depthwise: true });

/** The operands without their gradients: that of a bias channels first is wrong in TensorFlow.js. */
const withoutGradient = (example: KernelCase): KernelCase => ({
  ...example,
  operands: example.operands.map((operand) => ({ ...operand, kind: 'float32' as const })),
});

export const convolutionRows: Readonly<Record<string, KernelRow>> = {
  Conv2D: fc.oneof(
    conv,
    convolution(conv2d, { dilated: true }),
    convolution(conv2d, { settings: channelsFirst }),
    convolution(conv2d, { settings: roundedUp }),
  ),
  FusedConv2D: fc.oneof(
    convolution(fused(tf.fused.conv2d), { extra: 2 }),
    convolution(fusedLinear, { extra: 1, dilated: true }),
    convolution(fusedLinear, { extra: 1, settings: channelsFirst }).map(withoutGradient),
  ),
  Conv2DBackpropInput: conv,
  Conv2DBackpropFilter: conv,
  DepthwiseConv2dNative: fc.oneof(depthwiseConv, convolution(depthwiseConv2d, { depthwise: true, dilated: true })),
  FusedDepthwiseConv2D: fc.oneof(
    convolution(fused(tf.fused.depthwiseConv2d), { depthwise: true, extra: 2 }),
    convolution(fusedLinearDepthwise, { depthwise: true, extra: 1, dilated: true }),
  ),
  DepthwiseConv2dNativeBackpropInput: depthwiseConv,
  DepthwiseConv2dNativeBackpropFilter: depthwiseConv,
  MaxPool: maxPooling,
  MaxPoolGrad: maxPooling,
  AvgPool: averagePooling,
  AvgPoolGrad: averagePooling,
  Conv3D: fc.oneof(conv3d, volumeConvolution(true)),
  Conv3DBackpropInputV2: fc.oneof(conv3d, transposedConvolution),
  Conv3DBackpropFilterV2: conv3d,
  MaxPool3D: maxPooling3d,
  MaxPool3DGrad: maxPooling3d,
  AvgPool3D: averagePooling3d,
  AvgPool3DGrad: averagePooling3d,
};
