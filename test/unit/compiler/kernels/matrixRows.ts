/** @file Cases of the kernels in import/matrix.ts. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { operand, shapes, type KernelCase, type KernelRow } from './kernelCase.ts';

type Pair = [number, number];
type Activation = tf.fused.Activation;

const size = (maximum: number) => fc.integer({ min: 1, max: maximum });
const pair = (maximum: number): fc.Arbitrary<Pair> => fc.tuple(size(maximum), size(maximum));

// Matrix products

interface ProductSettings {
  transposeA: boolean;
  transposeB: boolean;
}

const productSettings = fc.record({ transposeA: fc.boolean(), transposeB: fc.boolean() });

function productShapes({ transposeA, transposeB }: ProductSettings, batchA: number[], batchB: number[]) {
  return fc.record({ m: size(4), k: size(4), n: size(4) }).map(({ m, k, n }) => ({
    a: [...batchA, ...(transposeA ? [k, m] : [m, k])],
    b: [...batchB, ...(transposeB ? [n, k] : [k, n])],
    units: n,
  }));
}

const batches = fc
  .tuple(shapes(0, 2), fc.constantFrom('same', 'a is one', 'b is one'))
  .map(([batch, kind]): [number[], number[]] => {
    const one = batch.map(() => 1);
    return [kind === 'a is one' ? one : batch, kind === 'b is one' ? one : batch];
  });

const products: KernelRow = fc.tuple(productSettings, batches).chain(([settings, [batchA, batchB]]) =>
  productShapes(settings, batchA, batchB).chain(({ a, b }) =>
    // TensorFlow.js does not sum the gradient over the axes that an operand was broadcast along.
    fc
      .tuple(...[a, b].map((shape) => operand(shape, [-3, 3], batchA.join() === batchB.join() ? 'weight' : 'float32')))
      .map((operands): KernelCase => ({
        operands,
        compute: ([x, y]) => tf.matMul(x, y, settings.transposeA, settings.transposeB),
        settings,
      })),
  ),
);

const activations = fc.constantFrom<Activation>('linear', 'relu', 'relu6', 'elu', 'sigmoid', 'prelu', 'leakyrelu');

const fusedProducts: KernelRow = fc.tuple(productSettings, activations).chain(([settings, activation]) =>
  productShapes(settings, [], []).chain(({ a, b, units }) =>
    fc.tuple(operand(a), operand(b), operand([units]), operand([units])).map((operands): KernelCase => ({
      operands,
      compute: ([x, y, bias, preluActivationWeights]) =>
        tf.fused.matMul({ a: x, b: y, ...settings, bias, activation, preluActivationWeights, leakyreluAlpha: 0.3 }),
      settings: { ...settings, activation },
    })),
  ),
);

// Convolutions

interface WindowSettings {
  filter: Pair;
  strides: Pair;
  dilations: Pair;
  pad: 'same' | 'valid';
  image: Pair;
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
function convolution(compute: Convolve, { depthwise = false, dilated = false, extra = 0 } = {}): KernelRow {
  return fc.tuple(windows(dilated), channels, activations).chain(([window, { batch, inputs, outputs }, activation]) => {
    const multiplier = depthwise ? Math.min(outputs, 2) : outputs;
    const results = depthwise ? inputs * multiplier : outputs;
    const operands = [
      [batch, ...window.image, inputs],
      [...window.filter, inputs, multiplier],
      ...Array.from({ length: extra }, () => [results]),
    ];
    const settings = { ...window, activation };
    return fc
      .tuple(...operands.map((shape) => operand(shape, [-3, 3], dilated ? 'float32' : 'weight')))
      .map((drawn): KernelCase => ({ operands: drawn, compute: (tensors) => compute(tensors, settings), settings }));
  });
}

const conv2d: Convolve = ([x, filter], { strides, pad, dilations }) =>
  tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC', dilations);
const depthwiseConv2d: Convolve = ([x, filter], { strides, pad, dilations }) =>
  tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC', dilations);

const fused =
  (convolve: typeof tf.fused.conv2d | typeof tf.fused.depthwiseConv2d): Convolve =>
  ([x, filter, bias, preluActivationWeights], { strides, pad, activation }) =>
    convolve({
      x: x as tf.Tensor4D,
      filter: filter as tf.Tensor4D,
      strides,
      pad,
      bias,
      activation,
      preluActivationWeights,
      leakyreluAlpha: 0.3,
    });

// Pooling and resizing

type Pool = (x: tf.Tensor4D, filter: Pair, strides: Pair, pad: 'same' | 'valid') => tf.Tensor;

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

type Resize = (x: tf.Tensor4D, size: Pair, alignCorners: boolean, halfPixelCenters: boolean) => tf.Tensor;

interface ResizeSettings {
  image: Pair;
  newSize: Pair;
  align: boolean;
  centers: boolean;
}

const resized = (compute: Resize, kind: 'weight' | 'float32', settings: fc.Arbitrary<ResizeSettings>): KernelRow =>
  settings.chain(({ image, newSize, align, centers }) =>
    operand([2, ...image, 2], [-3, 3], kind).map((x): KernelCase => ({
      operands: [x],
      compute: ([tensor]) => compute(tensor as tf.Tensor4D, newSize, align, centers && !align),
      settings: { newSize, align, centers },
      differenceQuotients: true,
    })),
  );

/**
 * TensorFlow.js has no gradient with half-pixel centres. That of the `cpu` backend is transposed unless the image is a
 * square, does not end where corners are aligned to a single pixel, and mixes up the images of a batch.
 */
const trainedResizing = (compute: Resize): KernelRow => {
  const square = fc.integer({ min: 2, max: 4 }).map((side): Pair => [side, side]);
  return resized(
    compute,
    'weight',
    fc.record({ image: square, newSize: pair(7), align: fc.boolean(), centers: fc.constant(false) }),
  );
};
const resizing = (compute: Resize): KernelRow =>
  resized(
    compute,
    'float32',
    fc.record({ image: pair(4), newSize: pair(7), align: fc.boolean(), centers: fc.boolean() }),
  );

const conv = convolution(conv2d);
const depthwiseConv = convolution(depthwiseConv2d, { depthwise: true });
const bilinear: Resize = (...settings) => tf.image.resizeBilinear(...settings);
const nearest: Resize = (...settings) => tf.image.resizeNearestNeighbor(...settings);

export const matrixRows: Readonly<Record<string, KernelRow>> = {
  BatchMatMul: products,
  _FusedMatMul: fusedProducts,
  Conv2D: fc.oneof(conv, convolution(conv2d, { dilated: true })),
  FusedConv2D: convolution(fused(tf.fused.conv2d), { extra: 2 }),
  Conv2DBackpropInput: conv,
  Conv2DBackpropFilter: conv,
  DepthwiseConv2dNative: fc.oneof(depthwiseConv, convolution(depthwiseConv2d, { depthwise: true, dilated: true })),
  FusedDepthwiseConv2D: convolution(fused(tf.fused.depthwiseConv2d), { depthwise: true, extra: 2 }),
  DepthwiseConv2dNativeBackpropInput: depthwiseConv,
  DepthwiseConv2dNativeBackpropFilter: depthwiseConv,
  MaxPool: maxPooling,
  MaxPoolGrad: maxPooling,
  AvgPool: averagePooling,
  AvgPoolGrad: averagePooling,
  ResizeBilinear: resizing(bilinear),
  ResizeBilinearGrad: trainedResizing(bilinear),
  ResizeNearestNeighbor: resizing(nearest),
  ResizeNearestNeighborGrad: trainedResizing(nearest),
};
