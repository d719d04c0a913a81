/**
 * @file Gradients that TensorFlow.js 4.22 does not have, or has wrong, as functions of tensors: they serve every backend. Those of
 * {@link recordedGradients} are for the recording backend, whose kernels know more attributes than those of TensorFlow.js.
 */
import * as tf from '@tensorflow/tfjs';
import { mirrored } from '../import/structure.ts';

type Gradient = (dy: tf.Tensor, saved: tf.Tensor[], attributes: never) => Record<string, () => tf.Tensor>;

function gradient(kernelName: string, inputsToSave: string[], gradFunc: Gradient): tf.GradConfig {
  return { kernelName, inputsToSave, gradFunc: gradFunc as tf.GradConfig['gradFunc'] };
}

const zeros = ({ shape }: tf.Tensor) => tf.zeros(shape);

/** A comparison or the like: its result is constant around almost every point. */
const flat = (kernelName: string, ...inputs: string[]) =>
  gradient(kernelName, inputs, (_dy, saved) =>
    Object.fromEntries(inputs.map((name, index) => [name, () => zeros(saved[index])])),
  );

/** The gradient at the places that were taken, zeros at the others. */
function stridedSliceGradient(dy: tf.Tensor, [x]: tf.Tensor[], attributes: tf.StridedSliceAttrs): tf.Tensor {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
  const masks = [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] as const;
  const info = tf.slice_util.sliceInfo(x.shape, begin, end, strides, ...masks);
  const size = tf.slice_util.computeOutShape(info.begin, info.end, info.strides);
  return x.shape.reduce(
    (gradient, length, axis) => {
      const stride = info.strides[axis];
      const step = Math.abs(stride);
      const before = gradient.shape.slice(0, axis);
      const after = gradient.shape.slice(axis + 1);
      const forwards = stride < 0 ? tf.reverse(gradient, axis) : gradient;
      const first = stride < 0 ? info.begin[axis] + (size[axis] - 1) * stride : info.begin[axis];
      const none: [number, number] = [0, 0];
      const around = (...sides: [number, number][]) => [...before.map(() => none), ...sides, ...after.map(() => none)];
      // Zeros between the elements that were taken, those behind the last of them cut off again.
      const apart = tf.reshape(
        tf.pad(tf.reshape(forwards, [...before, size[axis], 1, ...after]), around(none, [0, step - 1])),
        [...before, size[axis] * step, ...after],
      );
      const extent = (size[axis] - 1) * step + 1;
      const cut = tf.slice(
        apart,
        apart.shape.map(() => 0),
        apart.shape.with(axis, extent),
      );
      return tf.pad(cut, around([first, length - first - extent]));
    },
    tf.reshape(dy, size),
  );
}

/** The gradient of an operand of a sum of products is one, too: axes that the operand alone has are repeated. */
function einsumGradient(dy: tf.Tensor, operands: tf.Tensor[], equation: string, index: number): tf.Tensor {
  const [left, result] = equation.replace(/\s/g, '').split('->');
  const terms = left.split(',');
  const others = terms.flatMap((term, other) => (other === index ? [] : [{ term, operand: operands[other] }]));
  const known = result + others.map(({ term }) => term).join('');
  const own = [...terms[index]];
  const kept = own.filter((axis) => known.includes(axis)).join('');
  const inputs = [result, ...others.map(({ term }) => term)].join(',');
  const found = tf.einsum(`${inputs}->${kept}`, dy, ...others.map(({ operand }) => operand));
  const { shape } = operands[index];
  const apart = tf.reshape(
    found,
    shape.map((size, axis) => (kept.includes(own[axis]) ? size : 1)),
  );
  return kept.length === own.length ? apart : tf.add(apart, tf.zeros(shape));
}

/** Each element has the gradients of all its mirror images. */
function mirrorPadGradient(dy: tf.Tensor, x: tf.Tensor, { paddings, mode }: tf.MirrorPadAttrs): tf.Tensor {
  return x.shape.reduce((gradient, length, axis) => {
    if (paddings[axis].every((count) => count === 0)) return gradient;
    const places = mirrored(length, paddings[axis], mode === 'reflect' ? 0 : 1);
    const first = [axis, ...x.shape.map((_, other) => other).filter((other) => other !== axis)];
    const sums = tf.unsortedSegmentSum(tf.transpose(gradient, first), tf.tensor1d(places, 'int32'), length);
    return tf.transpose(
      sums,
      first.map((_, other) => first.indexOf(other)),
    );
  }, dy);
}

const flatGradients: readonly tf.GradConfig[] = [
  ...['Equal', 'NotEqual', 'Greater', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr'].map((name) =>
    flat(name, 'a', 'b'),
  ),
  ...['LogicalNot', 'All', 'Any'].map((name) => flat(name, 'x')),
];

/** Kernels whose gradient is 0 here, where TensorFlow.js has none: nothing is learned through them. */
export const flatKernels: ReadonlySet<string> = new Set(flatGradients.map(({ kernelName }) => kernelName));

/** Gradients that every backend can compute. */
const computedGradients: readonly tf.GradConfig[] = [
  ...flatGradients,
  gradient('Cumsum', [], (dy, _saved, { axis, exclusive, reverse }: tf.CumsumAttrs) => ({
    x: () => tf.cumsum(dy, axis, exclusive, !reverse),
  })),
  gradient('StridedSlice', ['x'], (dy, saved, attributes: tf.StridedSliceAttrs) => ({
    x: () => stridedSliceGradient(dy, saved, attributes),
  })),
  gradient('GatherNd', ['params', 'indices'], (dy, [params, indices]) => ({
    params: () => tf.scatterND(indices, dy, params.shape),
    indices: () => zeros(indices),
  })),
  gradient('ScatterNd', ['indices'], (dy, [indices]) => ({
    updates: () => tf.gatherND(dy, indices),
    indices: () => zeros(indices),
  })),
  {
    kernelName: 'TopK',
    inputsToSave: ['x'],
    outputsToSave: [false, true],
    gradFunc: (dys, [x, indices]) => ({
      x: () => {
        // A row of one element has no one-hot code.
        if (x.shape.at(-1) === 1) return tf.clone((dys as tf.Tensor[])[0]);
        const codes = tf.oneHot(indices, x.shape.at(-1) as number, 1, 0, 'float32');
        return tf.sum(tf.mul(codes, tf.expandDims((dys as tf.Tensor[])[0], -1)), -2);
      },
    }),
  },
  gradient('Diag', ['x'], (dy, [x]) => ({
    x: () => tf.reshape(tf.sum(tf.mul(tf.reshape(dy, [x.size, x.size]), tf.eye(x.size)), 1), x.shape),
  })),
  {
    kernelName: 'Einsum',
    saveAllInputs: true,
    gradFunc: (dy, operands, attributes) => {
      const { equation } = attributes as unknown as tf.EinsumAttrs;
      return Object.fromEntries(
        operands.map((_, index) => [index, () => einsumGradient(dy as tf.Tensor, operands, equation, index)]),
      );
    },
  },
  gradient('MirrorPad', ['x'], (dy, [x], attributes: tf.MirrorPadAttrs) => ({
    x: () => mirrorPadGradient(dy, x, attributes),
  })),
  gradient('DepthToSpace', ['x'], (dy, [x], { blockSize }: tf.DepthToSpaceAttrs) => ({
    x: () => {
      const [batch, height, width, depth] = x.shape;
      const blocks = tf.reshape(dy, [batch, height, blockSize, width, blockSize, depth / blockSize ** 2]);
      return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4, 5]), x.shape);
    },
  })),
  gradient('FlipLeftRight', [], (dy) => ({ image: () => tf.reverse(dy, 2) })),
  gradient(
    'Conv3DBackpropInputV2',
    ['dy', 'filter'],
    (ddx, [dy, filter], attributes: tf.Conv3DBackpropInputV2Attrs) => {
      const { strides, pad } = attributes;
      return {
        dy: () => tf.conv3d(ddx as tf.Tensor5D, filter as tf.Tensor5D, strides, pad),
        filter: () => run('Conv3DBackpropFilterV2', { x: ddx, dy }, { strides, pad, filterShape: filter.shape }),
      };
    },
  ),
];

function run(kernel: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
}

/** What the gradients of a convolution need of it. */
interface ConvolutionAttributes {
  strides: unknown;
  pad: unknown;
  dataFormat?: string;
  dilations?: unknown;
  dimRoundingMode?: string;
}

/** The gradient kernels, which take the dilations from the recording backend's own. */
function convolutionGradients(
  kernel: string,
  dy: tf.Tensor,
  [x, filter]: readonly tf.Tensor[],
  { strides, pad, dataFormat, dilations, dimRoundingMode }: ConvolutionAttributes,
) {
  const attributes = { strides, pad, dataFormat, dilations, dimRoundingMode };
  const version = kernel === 'Conv3D' ? 'V2' : '';
  return {
    x: () => run(`${kernel}BackpropInput${version}`, { dy, filter }, { ...attributes, inputShape: x.shape }),
    filter: () => run(`${kernel}BackpropFilter${version}`, { x, dy }, { ...attributes, filterShape: filter.shape }),
  };
}

/**
 * The gradient of a convolution that TensorFlow.js fuses with its bias, whose own refuses dilations.
 * @param scope that TensorFlow.js opens for the operation, which its tape has as the name
 * @param attributesOf attributes of the kernel whose result a tensor is
 */
function fusedGradient(scope: string, kernel: string, attributesOf: (result: tf.Tensor) => unknown): tf.GradConfig {
  return {
    kernelName: scope,
    gradFunc: (dys, [filter, x, y, bias]: (tf.Tensor | undefined)[] & tf.Tensor[]) => {
      const dy = dys as tf.Tensor;
      const attributes = attributesOf(y) as ConvolutionAttributes;
      const { x: ofX, filter: ofFilter } = convolutionGradients(kernel, dy, [x, filter], attributes);
      const ofBias = (vector: tf.Tensor) => {
        const axes = attributes.dataFormat === 'NCHW' && vector.rank === 1 ? [0, 2, 3] : reducedAxes(vector, dy);
        return tf.reshape(tf.sum(dy, axes), vector.shape);
      };
      return { 0: ofX, 1: ofFilter, ...((bias as tf.Tensor | undefined) && { 2: () => ofBias(bias) }) };
    },
  };
}

const reducedAxes = (vector: tf.Tensor, dy: tf.Tensor) => tf.backend_util.getReductionAxes(vector.shape, dy.shape);

const batchNormalization = tf.getGradient('FusedBatchNorm');

/**
 * The gradient of a normalization along another axis than the last. TensorFlow.js has none, and its plain and its WebAssembly kernels take
 * the mean for a vector along the last axis all the same.
 */
function batchNormGradient(
  dy: tf.Tensor,
  [x, mean, variance, scale]: (tf.Tensor | undefined)[] & tf.Tensor[],
  { varianceEpsilon }: tf.FusedBatchNormAttrs,
): Record<string, () => tf.Tensor> {
  const summed = (gradient: tf.Tensor) =>
    tf.reshape(tf.sum(gradient, tf.backend_util.getReductionAxes(mean.shape, x.shape)), mean.shape);
  const inverse = tf.rsqrt(tf.add(variance, varianceEpsilon));
  const centred = tf.sub(x, mean);
  const scaled = tf.mul(dy, (scale as tf.Tensor | undefined) ?? 1);
  return {
    x: () => tf.mul(scaled, inverse),
    mean: () => summed(tf.neg(tf.mul(scaled, inverse))),
    variance: () => summed(tf.mul(tf.mul(scaled, centred), tf.mul(-0.5, tf.pow(inverse, 3)))),
    scale: () => summed(tf.mul(dy, tf.mul(centred, inverse))),
    offset: () => summed(dy),
  };
}

/** One sum: TensorFlow.js adds up one slice a copy, thousands of them for a layer normalization of sequences. */
const tileGradient = gradient('Tile', ['x'], (dy, [x], { reps }: tf.TileAttrs) => {
  // [copies, size, copies, size, …]
  const apart = x.shape.flatMap((size, axis) => [reps[axis], size]);
  const copies = x.shape.map((_, axis) => 2 * axis);
  return { x: () => tf.reshape(tf.sum(tf.reshape(dy, apart), copies), x.shape) };
});

/** @param attributesOf attributes of the recorded kernel whose result a tensor is */
export function recordedGradients(attributesOf: (result: tf.Tensor) => unknown): readonly tf.GradConfig[] {
  return [
    ...computedGradients,
    tileGradient,
    gradient('FusedBatchNorm', ['x', 'mean', 'variance', 'scale'], (dy, saved, attributes: tf.FusedBatchNormAttrs) =>
      saved[1].rank === 1 || saved[1].size === saved[0].size
        ? (batchNormalization.gradFunc(dy, saved, attributes as unknown as tf.NamedAttrMap) as Record<
            string,
            () => tf.Tensor
          >)
        : batchNormGradient(dy, saved, attributes),
    ),
    ...['Conv2D', 'DepthwiseConv2dNative', 'Conv3D'].map((kernel) =>
      gradient(kernel, ['x', 'filter'], (dy, saved, attributes: ConvolutionAttributes) =>
        convolutionGradients(kernel, dy, saved, attributes),
      ),
    ),
    fusedGradient('fusedConv2d__op', 'Conv2D', attributesOf),
    fusedGradient('fusedDepthwiseConv2d__op', 'DepthwiseConv2dNative', attributesOf),
  ];
}

/** Lets TensorFlow.js take these gradients while `body` runs; the ones of backends unless told otherwise. */
export function withGradients<R>(body: () => R, gradients: readonly tf.GradConfig[] = computedGradients): R {
  const originals = gradients.map(({ kernelName }) => ({ kernelName, original: getGradient(kernelName) }));
  gradients.forEach((config) => tf.registerGradient(config));
  try {
    return body();
  } finally {
    for (const { kernelName, original } of originals) {
      if (original === undefined) tf.unregisterGradient(kernelName);
      else tf.registerGradient(original);
    }
  }
}

/** TensorFlow.js's type does not tell that there may be none. */
const getGradient = (kernelName: string) => tf.getGradient(kernelName) as tf.GradConfig | undefined;
