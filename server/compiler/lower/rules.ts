/** @file How every operation of the IR is written in ONNX operators (opset 17 and ONNX Runtime's own domain). */
import { elementCount } from '../../protocol/shape.ts';
import type { Node, NodeOf, Op, OpParams } from '../ir.ts';
import { lowerConvolution, lowerInputGrad } from './convolution.ts';
import { onnxType, type Emitter, type OnnxName } from './emitter.ts';
import { lowerFilterGrad } from './filterGradient.ts';
import { lowerMaxPoolGrad } from './pooling.ts';
import { lowerRecurrent } from './recurrent.ts';
import { windowAttributes } from './window.ts';

export type Lowering<O extends Op> = (node: NodeOf<O>, inputs: readonly OnnxName[], emitter: Emitter) => OnnxName;

const same =
  (op: string) =>
  (_node: unknown, inputs: readonly OnnxName[], emitter: Emitter): OnnxName =>
    emitter.emit(op, inputs);

/** ReduceSum takes its axes as an input, the other reductions as an attribute (opset 17). */
const reduction =
  (op: string) =>
  ({ params }: { params: OpParams['Mean'] }, [x]: readonly OnnxName[], emitter: Emitter): OnnxName =>
    emitter.emit(op, [x], { axes: { ints: params.axes }, keepdims: { int: params.keepDims ? 1 : 0 } });

function fedFromOutside(node: { op: string }): never {
  throw new Error(`A ${node.op} is an input of the graph and is not lowered.`);
}

/** Labels [rows] as a column [rows, 1] of indices that exist, and whether each is a class; the code of another is zeros. */
function checkedLabels(labels: OnnxName, rows: number, classes: number, emitter: Emitter) {
  const notNegative = emitter.emit('GreaterOrEqual', [labels, emitter.scalar(0, 'int32')]);
  const notBeyond = emitter.emit('Less', [labels, emitter.scalar(classes, 'int32')]);
  const isClass = emitter.emit('And', [notNegative, notBeyond]);
  const index = emitter.emit('Where', [isClass, labels, emitter.scalar(0, 'int32')]);
  return { isClass, column: emitter.reshape(index, [rows, 1]) };
}

const isTransposedProduct = ({ op, params, type }: Node): boolean =>
  op === 'MatMul' && type.shape.length === 2 && (params.transposeA || params.transposeB);

/**
 * ONNX Runtime transposes a matrix anew for each 128 columns of its product with another one. For many columns it is faster to do that once
 * before, unless the matrix has so many rows that its columns lie on as many pages.
 */
const TRANSPOSED_FIRST = { leastColumns: 768, mostRows: 1024 } as const;

/** @param a shape of the matrix that is transposed @param b shape of the other one */
const isTransposedFirst = ([rows]: readonly number[], [, columns]: readonly number[]): boolean =>
  columns >= TRANSPOSED_FIRST.leastColumns && rows <= TRANSPOSED_FIRST.mostRows;

/** TensorProto.DataType */
const CODES = { float32: 1, int32: 6, bool: 9 } as const;
/** Times the smallest normal float32, 1.18e-38, it is above 1. */
const STEEP = 1e38;

type Rules = { readonly [O in Op]: Lowering<O> };

export const loweringRules: Rules = {
  Parameter: fedFromOutside,
  Input: fedFromOutside,
  Random: fedFromOutside,
  Constant({ params: { values }, type: { dtype, shape } }, _inputs, emitter) {
    if (values.length === 1 && elementCount(shape) !== 1) {
      return emitter.emit('Expand', [emitter.scalar(values[0], dtype), emitter.integers(shape)]);
    }
    if (shape.length === 0) return emitter.scalar(values[0], dtype);
    return emitter.constant({ type: onnxType(dtype), shape, data: values });
  },

  Abs({ type: { dtype } }, [x], emitter) {
    if (emitter.device === 'cpu' || dtype === 'float32') return emitter.emit('Abs', [x]);
    return emitter.emit('Max', [x, emitter.emit('Sub', [emitter.scalar(0, dtype), x])]);
  },
  Neg({ type: { dtype } }, [x], emitter) {
    if (emitter.device === 'cpu' || dtype === 'float32') return emitter.emit('Neg', [x]);
    return emitter.emit('Sub', [emitter.scalar(0, dtype), x]);
  },
  Exp: same('Exp'),
  Log: same('Log'),
  Sqrt: same('Sqrt'),
  Sin: same('Sin'),
  Cos: same('Cos'),
  Tan: same('Tan'),
  Asin: same('Asin'),
  Acos: same('Acos'),
  Atan: same('Atan'),
  Sinh: same('Sinh'),
  Cosh: same('Cosh'),
  Asinh: same('Asinh'),
  Acosh: same('Acosh'),
  Atanh: same('Atanh'),
  Erf: same('Erf'),
  Floor: same('Floor'),
  Ceil: same('Ceil'),
  Round: same('Round'),
  Sign({ type: { dtype } }, [x], emitter) {
    if (emitter.device === 'cpu') return emitter.emit('Sign', [x]);
    const zero = emitter.scalar(0, dtype);
    const isTrue = (op: string) => emitter.emit('Cast', [emitter.emit(op, [x, zero])], { to: { int: CODES[dtype] } });
    return emitter.emit('Sub', [isTrue('Greater'), isTrue('Less')]);
  },
  Relu: same('Relu'),
  Elu: same('Elu'),
  Sigmoid: same('Sigmoid'),
  Tanh: same('Tanh'),
  Softplus: same('Softplus'),
  // In one operator that uses all threads: the slope takes each number above 0 to 1 but those so small that sessions take them for 0.
  Step(_node, [x], emitter) {
    if (emitter.device === 'cpu')
      return emitter.emit('HardSigmoid', [x], { alpha: { float: STEEP }, beta: { float: 0 } });
    const isAbove = emitter.emit('Greater', [x, emitter.scalar(0, 'float32')]);
    return emitter.emit('Cast', [isAbove], { to: { int: CODES.float32 } });
  },
  Not: same('Not'),
  NormalCdf(_node, [x], emitter) {
    const erf = emitter.emit('Erf', [emitter.emit('Mul', [x, emitter.scalar(Math.SQRT1_2, 'float32')])]);
    return emitter.emit('HardSigmoid', [erf], { alpha: { float: 0.5 }, beta: { float: 0.5 } });
  },
  NormalDensity(_node, [x], emitter) {
    const exponent = emitter.emit('Mul', [emitter.emit('Mul', [x, x]), emitter.scalar(-0.5, 'float32')]);
    return emitter.emit('Mul', [
      emitter.emit('Exp', [exponent]),
      emitter.scalar(1 / Math.sqrt(2 * Math.PI), 'float32'),
    ]);
  },
  // From 1 at the bound to 0 at the next float32: in the scale of their difference all is exact.
  UpTo({ params: { bound } }, inputs, emitter) {
    const perBound = 2 ** (23 - Math.floor(Math.log2(bound)));
    return emitter.emit('HardSigmoid', inputs, { alpha: { float: -perBound }, beta: { float: 1 + bound * perBound } });
  },
  Clip: ({ params, type }, [x], emitter) =>
    emitter.emit('Clip', [x, emitter.scalar(params.minimum, type.dtype), emitter.scalar(params.maximum, type.dtype)]),
  Cast: ({ params }, inputs, emitter) => emitter.emit('Cast', inputs, { to: { int: CODES[params.dtype] } }),

  // ONNX Runtime makes one Gemm of a product of transposed matrices and a Sum, but not of that and an Add.
  Add: (node, inputs, emitter) => emitter.emit(node.inputs.some(isTransposedProduct) ? 'Sum' : 'Add', inputs),
  Sub: same('Sub'),
  Mul: same('Mul'),
  Div: same('Div'),
  Pow: same('Pow'),
  Remainder: (_node, inputs, emitter) => emitter.emit('Mod', inputs, { fmod: { int: 1 } }),
  Maximum: same('Max'),
  Minimum: same('Min'),
  Equal: same('Equal'),
  Greater: same('Greater'),
  GreaterEqual: same('GreaterOrEqual'),
  Less: same('Less'),
  LessEqual: same('LessOrEqual'),
  And: same('And'),
  Or(_node, inputs, emitter) {
    if (emitter.device === 'cpu') return emitter.emit('Or', inputs);
    const neither = inputs.map((x) => emitter.emit('Not', [x]));
    return emitter.emit('Not', [emitter.emit('And', neither)]);
  },
  Select: same('Where'),

  Sum: ({ params }, [x], emitter) =>
    emitter.emit('ReduceSum', [x, emitter.integers(params.axes)], { keepdims: { int: params.keepDims ? 1 : 0 } }),
  Mean: reduction('ReduceMean'),
  Max: reduction('ReduceMax'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  ArgMax({ params }, inputs, emitter) {
    const index = emitter.emit('ArgMax', inputs, { axis: { int: params.axis }, keepdims: { int: 0 } });
    return emitter.emit('Cast', [index], { to: { int: 6 } });
  },
  CumulativeSum({ params: { axis, exclusive, reverse } }, [x], emitter) {
    const flags = { exclusive: { int: exclusive ? 1 : 0 }, reverse: { int: reverse ? 1 : 0 } };
    return emitter.emit('CumSum', [x, emitter.scalar(axis, 'int32')], flags);
  },
  TopK({ params: { count, result } }, [x], emitter) {
    const [values, indices] = emitter.emitMany('TopK', [x, emitter.integers([count])], 2);
    return result === 'values' ? values : emitter.emit('Cast', [indices], { to: { int: 6 } });
  },
  Softmax: same('Softmax'),
  LogSoftmax(_node, [x], emitter) {
    if (emitter.device === 'cpu') return emitter.emit('LogSoftmax', [x]);
    const alongLast = { axes: { ints: [-1] }, keepdims: { int: 1 } };
    const shifted = emitter.emit('Sub', [x, emitter.emit('ReduceMax', [x], alongLast)]);
    const sum = emitter.emit('ReduceSum', [emitter.emit('Exp', [shifted]), emitter.integers([-1])], {
      keepdims: { int: 1 },
    });
    return emitter.emit('Sub', [shifted, emitter.emit('Log', [sum])]);
  },

  MatMul({ params: { transposeA, transposeB }, inputs: [a, b] }, inputs, emitter) {
    if (!transposeA && !transposeB) return emitter.emit('MatMul', inputs);
    const ranks = [a.type.shape.length, b.type.shape.length] as const;
    if (ranks.some((rank) => rank !== 2)) return emitter.products(inputs, ranks, { transposeA, transposeB });
    const attributes = { transA: { int: transposeA ? 1 : 0 }, transB: { int: transposeB ? 1 : 0 } };
    if (emitter.device === 'cpu' && transposeA && !transposeB && isTransposedFirst(a.type.shape, b.type.shape)) {
      // ONNX Runtime would make one operator of a product and the plain transposition of a matrix.
      const [rows, columns] = a.type.shape;
      const transposed = emitter.transpose(emitter.reshape(inputs[0], [1, rows, columns]), [0, 2, 1]);
      return emitter.emit('Gemm', [emitter.reshape(transposed, [columns, rows]), inputs[1]]);
    }
    return emitter.emit('Gemm', inputs, attributes);
  },
  Conv: lowerConvolution,
  ConvInputGrad: lowerInputGrad,
  ConvFilterGrad: lowerFilterGrad,
  MaxPool: ({ params }, inputs, emitter) =>
    emitter.emit('MaxPool', inputs, { ...windowAttributes(params), kernel_shape: { ints: params.filterSize } }),
  MaxPoolGrad: lowerMaxPoolGrad,
  // Undilated: the operator has no such attribute before opset 19.
  AvgPool: ({ params }, inputs, emitter) =>
    emitter.emit('AveragePool', inputs, {
      strides: { ints: params.strides },
      pads: { ints: params.pads },
      kernel_shape: { ints: params.filterSize },
      count_include_pad: { int: 0 },
    }),

  Recurrent: lowerRecurrent,

  Reshape: ({ params }, [x], emitter) => emitter.reshape(x, params.shape),
  Transpose: ({ params }, [x], emitter) => emitter.transpose(x, params.permutation),
  Broadcast: ({ params }, [x], emitter) => emitter.emit('Expand', [x, emitter.integers(params.shape)]),
  Tile: ({ params }, [x], emitter) => emitter.emit('Tile', [x, emitter.integers(params.repeats)]),
  Concat: ({ params }, inputs, emitter) => emitter.emit('Concat', inputs, { axis: { int: params.axis } }),
  Slice({ params: { begin, size, steps }, inputs: [source] }, [x], emitter) {
    const cut = begin
      .map((_, axis) => axis)
      .filter((axis) => size[axis] !== source.type.shape[axis] || steps[axis] !== 1);
    // An end before the first element is written as one beyond it: ONNX counts a plain -1 from the back.
    const end = (axis: number) => {
      const exclusive = begin[axis] + size[axis] * steps[axis];
      return exclusive < 0 ? -source.type.shape[axis] - 1 : exclusive;
    };
    return emitter.emit('Slice', [
      x,
      emitter.integers(cut.map((axis) => begin[axis])),
      emitter.integers(cut.map(end)),
      emitter.integers(cut),
      emitter.integers(cut.map((axis) => steps[axis])),
    ]);
  },
  Pad: ({ params, type }, [x], emitter) =>
    emitter.emit('Pad', [
      x,
      emitter.integers([...params.before, ...params.after]),
      emitter.scalar(params.value, type.dtype),
    ]),
  // The executor checks the indices after the run (indexBounds.ts). Outside of the table, ONNX Runtime would give up before that.
  Gather({ params: { axis }, inputs: [source, { op }] }, [table, indices], emitter) {
    const last = emitter.scalar(source.type.shape[axis] - 1, 'int32');
    const inside = op === 'Constant' ? indices : emitter.emit('Clip', [indices, emitter.scalar(0, 'int32'), last]);
    return emitter.emit('Gather', [table, inside], { axis: { int: axis } });
  },
  SegmentSum({ params, type, inputs: [source] }, [values, indices], emitter) {
    const zeros = emitter.emit('Expand', [emitter.scalar(0, type.dtype), emitter.integers(type.shape)]);
    // Values with an index that is no row have been set to 0 (import/structure.ts), or the lookup of the same indices was checked.
    const inside = emitter.emit('Clip', [
      indices,
      emitter.scalar(0, 'int32'),
      emitter.scalar(params.rows - 1, 'int32'),
    ]);
    const rows = emitter.emit('Cast', [emitter.reshape(inside, [source.type.shape[0], 1])], { to: { int: 7 } });
    return emitter.emit('ScatterND', [zeros, rows, values], { reduction: { string: 'add' } });
  },
  OneHot({ params }, [indices], emitter) {
    // TensorFlow.js has no code for an index below 0, which ONNX counts from the back.
    const isNegative = emitter.emit('Less', [indices, emitter.scalar(0, 'int32')]);
    const codeless = emitter.emit('Where', [isNegative, emitter.scalar(params.depth, 'int32'), indices]);
    const index = emitter.emit('Cast', [codeless], { to: { int: 7 } });
    const values = emitter.constant({ type: 'float32', shape: [2], data: Float32Array.of(params.off, params.on) });
    return emitter.emit('OneHot', [index, emitter.integers([params.depth]), values], { axis: { int: -1 } });
  },

  // A depthwise convolution of one number uses all threads, as BatchNormalization does not, and takes in an activation behind it.
  ScaleShift({ type: { shape } }, [x, scale, shift], emitter) {
    const [, channels, ...size] = shape;
    const filter = emitter.reshape(scale, [channels, 1, ...size.map(() => 1)]);
    return emitter.emit('Conv', [x, filter, shift], { group: { int: channels } });
  },
  SparseCrossEntropy({ inputs: [source] }, [logProbabilities, labels], emitter) {
    const [rows, classes] = source.type.shape;
    const { isClass, column } = checkedLabels(labels, rows, classes, emitter);
    const picked = emitter.emit('GatherElements', [logProbabilities, column], { axis: { int: 1 } });
    const loss = emitter.emit('Neg', [emitter.reshape(picked, [rows])]);
    return emitter.emit('Where', [isClass, loss, emitter.scalar(0, 'float32')]);
  },
  SparseCrossEntropyGrad({ inputs: [source] }, [logProbabilities, labels], emitter) {
    const [rows, classes] = source.type.shape;
    const { isClass, column } = checkedLabels(labels, rows, classes, emitter);
    const probabilities = emitter.emit('Exp', [logProbabilities]);
    const minusCode = emitter.emit('Where', [isClass, emitter.scalar(-1, 'float32'), emitter.scalar(0, 'float32')]);
    const subtrahends = emitter.reshape(minusCode, [rows, 1]);
    return emitter.emit('ScatterElements', [probabilities, column, subtrahends], {
      axis: { int: 1 },
      reduction: { string: 'add' },
    });
  },
};
