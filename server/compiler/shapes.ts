/** @file The type (dtype and shape) of every operation's result, from its parameters and the types of its inputs. */
import { elementCount } from '../protocol/shape.ts';
import {
  sameShape,
  unaryOps,
  type Op,
  type OpParams,
  type Shape,
  type TensorType,
  type UnaryOp,
  type Window,
} from './ir.ts';

type TypeRule<O extends Op> = (params: OpParams[O], inputs: readonly TensorType[]) => TensorType;

/** The shape that both shapes broadcast to (NumPy's rule). */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new TypeError(`Shapes [${a}] and [${b}] do not broadcast.`);
    }
    return left === 1 ? right : left;
  });
}

const unchanged = (_params: unknown, [x]: readonly TensorType[]): TensorType => x;

const arithmetic = (_params: unknown, [a, b]: readonly TensorType[]): TensorType => {
  if (a.dtype !== b.dtype) throw new TypeError(`Operands of type ${a.dtype} and ${b.dtype}.`);
  return { dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) };
};

const comparison = (params: unknown, inputs: readonly TensorType[]): TensorType => ({
  dtype: 'bool',
  shape: arithmetic(params, inputs).shape,
});

const reduction = (
  { axes, keepDims }: { axes: readonly number[]; keepDims: boolean },
  [x]: readonly TensorType[],
): TensorType => {
  if (axes.some((axis) => axis < 0 || axis >= x.shape.length))
    throw new TypeError(`[${x.shape}] has not the axes ${axes}.`);
  return {
    dtype: x.dtype,
    shape: keepDims
      ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
      : x.shape.filter((_, axis) => !axes.includes(axis)),
  };
};

/** Number of windows that fit in an image of [height, width], along each axis. */
export function windowOutput(window: Window, filter: readonly number[], image: readonly number[]): number[] {
  return image.map((size, axis) => {
    const padded = size + window.pads[axis] + window.pads[axis + image.length];
    return Math.floor((padded - windowExtent(window, filter, axis)) / window.strides[axis]) + 1;
  });
}

/** Elements of the image from the first to the last that a window reads along an axis. */
export function windowExtent(
  { dilations }: Pick<Window, 'dilations'>,
  filter: readonly number[],
  axis: number,
): number {
  return (filter[axis] - 1) * dilations[axis] + 1;
}

const pooling = (params: Window & { filterSize: readonly number[] }, [x]: readonly TensorType[]): TensorType => ({
  dtype: x.dtype,
  shape: [x.shape[0], x.shape[1], ...windowOutput(params, params.filterSize, x.shape.slice(2))],
});

const declaredBySource = (): never => {
  throw new TypeError('A source declares its type itself.');
};

type Rules = { readonly [O in Op]: TypeRule<O> };

const typeRules: Rules = {
  Parameter: declaredBySource,
  Input: declaredBySource,
  Random: declaredBySource,
  Constant: declaredBySource,

  ...(Object.fromEntries(unaryOps.map((op) => [op, unchanged])) as Record<UnaryOp, typeof unchanged>),
  UpTo: unchanged,
  Clip: unchanged,
  Cast: ({ dtype }, [x]) => ({ dtype, shape: x.shape }),

  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Pow: arithmetic,
  Remainder: arithmetic,
  Maximum: arithmetic,
  Minimum: arithmetic,
  Equal: comparison,
  Greater: comparison,
  GreaterEqual: comparison,
  Less: comparison,
  LessEqual: comparison,
  And: comparison,
  Or: comparison,
  Select: (params, [condition, a, b]) => ({
    dtype: a.dtype,
    shape: broadcastShapes(condition.shape, arithmetic(params, [a, b]).shape),
  }),

  Sum: reduction,
  Mean: reduction,
  Max: reduction,
  Min: reduction,
  Prod: reduction,
  ArgMax: ({ axis }, [x]) => ({ dtype: 'int32', shape: x.shape.filter((_, other) => other !== axis) }),
  CumulativeSum: unchanged,
  TopK({ count, result }, [x]) {
    const last = x.shape.length - 1;
    if (last < 0 || count > x.shape[last]) throw new TypeError(`[${x.shape}] has no ${count} elements in a row.`);
    return { dtype: result === 'values' ? x.dtype : 'int32', shape: x.shape.with(last, count) };
  },
  Softmax: unchanged,
  LogSoftmax: unchanged,

  MatMul({ transposeA, transposeB }, [a, b]) {
    const matrix = (shape: Shape, transposed: boolean) => {
      const [rows, columns] = shape.slice(-2);
      return transposed ? [columns, rows] : [rows, columns];
    };
    const [m, k] = matrix(a.shape, transposeA);
    const [k2, n] = matrix(b.shape, transposeB);
    if (k !== k2 || Math.min(a.shape.length, b.shape.length) < 2)
      throw new TypeError(`Matrices [${a.shape}] and [${b.shape}] do not fit.`);
    return { dtype: a.dtype, shape: [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n] };
  },
  Conv(params, [x, filter]) {
    const [batch, channels, ...image] = x.shape;
    const [outChannels, groupChannels, ...size] = filter.shape;
    if (channels !== groupChannels * params.groups) {
      throw new TypeError(`A filter [${filter.shape}] in ${params.groups} groups does not fit an image [${x.shape}].`);
    }
    return { dtype: x.dtype, shape: [batch, outChannels, ...windowOutput(params, size, image)] };
  },
  ConvInputGrad: ({ groups, inputSize }, [dy, filter]) => ({
    dtype: dy.dtype,
    shape: [dy.shape[0], filter.shape[1] * groups, ...inputSize],
  }),
  ConvFilterGrad: ({ groups, filterSize }, [x, dy]) => ({
    dtype: x.dtype,
    shape: [dy.shape[1], x.shape[1] / groups, ...filterSize],
  }),
  MaxPool: pooling,
  MaxPoolGrad: unchanged,
  AvgPool: pooling,

  Recurrent({ cell, result }, [x, kernel, recurrentKernel, bias, ...states]) {
    const [time, batch, features] = x.shape;
    const [units, width] = recurrentKernel.shape;
    const fits =
      width === units * { LSTM: 4, GRU: 3, RNN: 1 }[cell] &&
      sameShape(kernel.shape, [features, width]) &&
      sameShape(bias.shape, [width]) &&
      states.every(({ shape }) => sameShape(shape, [batch, units]));
    if (!fits) throw new TypeError(`The weights of a ${cell} do not fit an input [${x.shape}].`);
    return { dtype: x.dtype, shape: result === 'sequence' ? [time, batch, units] : [batch, units] };
  },

  Reshape({ shape }, [x]) {
    if (elementCount(shape) !== elementCount(x.shape)) throw new TypeError(`[${x.shape}] cannot become [${shape}].`);
    return { dtype: x.dtype, shape };
  },
  Transpose: ({ permutation }, [x]) => ({ dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]) }),
  Broadcast({ shape }, [x]) {
    if (!sameShape(broadcastShapes(x.shape, shape), shape)) throw new TypeError(`[${x.shape}] cannot fill [${shape}].`);
    return { dtype: x.dtype, shape };
  },
  Tile: ({ repeats }, [x]) => ({ dtype: x.dtype, shape: x.shape.map((size, axis) => size * repeats[axis]) }),
  Concat({ axis }, inputs) {
    const [{ dtype, shape }] = inputs;
    for (const input of inputs) {
      const fits = input.dtype === dtype && sameShape(input.shape.with(axis, shape[axis]), shape);
      if (!fits) throw new TypeError(`[${input.shape}] cannot be joined to [${shape}] along the axis ${axis}.`);
    }
    return {
      dtype,
      shape: shape.with(
        axis,
        inputs.reduce((sum, input) => sum + input.shape[axis], 0),
      ),
    };
  },
  Slice({ begin, size, steps }, [x]) {
    const inside = begin.every((start, axis) => {
      const last = start + (size[axis] - 1) * steps[axis];
      return size[axis] === 0 || (Math.min(start, last) >= 0 && Math.max(start, last) < x.shape[axis]);
    });
    if (!inside) throw new TypeError(`[${size}] from [${begin}] on is not inside [${x.shape}].`);
    return { dtype: x.dtype, shape: size };
  },
  Pad: ({ before, after }, [x]) => ({
    dtype: x.dtype,
    shape: x.shape.map((size, axis) => size + before[axis] + after[axis]),
  }),
  Gather: ({ axis }, [x, indices]) => ({
    dtype: x.dtype,
    shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)],
  }),
  SegmentSum: ({ rows }, [values]) => ({ dtype: values.dtype, shape: [rows, ...values.shape.slice(1)] }),
  OneHot: ({ depth }, [indices]) => ({ dtype: 'float32', shape: [...indices.shape, depth] }),

  ScaleShift(_params, [x, scale, shift]) {
    const channels = [x.shape[1]];
    if (!sameShape(scale.shape, channels) || !sameShape(shift.shape, channels))
      throw new TypeError(`[${scale.shape}] and [${shift.shape}] are no numbers for the channels of [${x.shape}].`);
    return x;
  },
  SparseCrossEntropy: (_params, [logProbabilities]) => ({ dtype: 'float32', shape: [logProbabilities.shape[0]] }),
  SparseCrossEntropyGrad: (_params, [logProbabilities]) => logProbabilities,
};

/** @throws TypeError when the inputs do not fit the operation */
export function resultType<O extends Op>(op: O, params: OpParams[O], inputs: readonly TensorType[]): TensorType {
  return typeRules[op](params, inputs);
}
