/** @file Cases of the kernels in import/elementwise.ts. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  broadcastable,
  operand,
  shapes,
  type KernelCase,
  type KernelRow,
  type Operand,
  type Range,
} from './kernelCase.ts';

interface Of {
  range?: Range;
  kind?: Operand['kind'];
}

const unary = (compute: (x: tf.Tensor) => tf.Tensor, { range, kind }: Of = {}): KernelRow =>
  shapes(0, 4)
    .chain((shape) => operand(shape, range, kind))
    .map((x) => ({ operands: [x], compute: ([tensor]) => compute(tensor) }));

/** Cases of two operands: one broadcasts to the other, or both to a shape that neither has. */
const binary = (
  compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  { range, kind, second = range }: Of & { second?: Range } = {},
): KernelRow =>
  shapes(0, 3)
    .chain((shape) => fc.tuple(fc.oneof(fc.constant(shape), broadcastable(shape)), broadcastable(shape)))
    .chain(([a, b]) => fc.tuple(operand(a, range, kind), operand(b, second, kind)))
    .map((operands) => ({ operands, compute: ([a, b]) => compute(a, b) }));

/** TensorFlow.js does not sum the gradient of these over the axes that an operand was broadcast along. */
const unreduced = (compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): KernelRow =>
  fc.oneof(
    binary(compute, { kind: 'float32', range: [-1, 1] }),
    shapes(0, 3)
      .chain((shape) => fc.tuple(operand(shape, [-1, 1]), operand(shape, [-1, 1])))
      .map((operands): KernelCase => ({ operands, compute: ([a, b]) => compute(a, b) })),
  );

const comparison = (compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): KernelRow =>
  fc.oneof(binary(compute, { range: [-1, 1], kind: 'int32' }), binary(compute, { range: [-1, 1], kind: 'float32' }));

const POSITIVE: Range = [1, 4];
const NO_GRADIENT = { kind: 'float32' } as const;
/** An angle in the four quadrants, off the axes, where its gradient is that of neither side. */
const quadrants: Range = [-3, 3];
const offAxis = (x: tf.Tensor) => tf.add(x, 0.0625);

/** x away from 0, whose gradient is not finite there. */
const signed = (compute: (x: tf.Tensor) => tf.Tensor): KernelRow =>
  unary((x) => compute(tf.add(x, tf.mul(tf.sign(tf.add(x, 0.01)), 0.5))));

export const elementwiseRows: Readonly<Record<string, KernelRow>> = {
  Identity: unary((x) => tf.clone(x)),
  Abs: unary(tf.abs),
  Neg: unary(tf.neg),
  Exp: unary(tf.exp),
  Expm1: unary(tf.expm1),
  Log: unary(tf.log, { range: POSITIVE }),
  Log1p: unary(tf.log1p, { range: POSITIVE }),
  Sqrt: unary(tf.sqrt, { range: POSITIVE }),
  Rsqrt: unary(tf.rsqrt, { range: POSITIVE }),
  Square: unary(tf.square),
  Reciprocal: signed(tf.reciprocal),
  Sin: unary(tf.sin),
  Cos: unary(tf.cos),
  Tan: unary(tf.tan, { range: [-1, 1] }),
  Asin: unary((x) => tf.asin(tf.mul(x, 0.5)), { range: [-1, 1] }),
  Acos: unary((x) => tf.acos(tf.mul(x, 0.5)), { range: [-1, 1] }),
  Atan: unary(tf.atan),
  Sinh: unary(tf.sinh),
  Cosh: unary(tf.cosh),
  Asinh: unary(tf.asinh),
  Acosh: unary((x) => tf.acosh(tf.add(x, 1)), { range: POSITIVE }),
  Atanh: unary((x) => tf.atanh(tf.mul(x, 0.5)), { range: [-1, 1] }),
  Erf: unary(tf.erf),
  Floor: unary(tf.floor),
  Ceil: unary(tf.ceil),
  Round: unary(tf.round, { range: [-5, 5] }),
  Sign: unary(tf.sign),
  IsNan: unary((x) => tf.isNaN(tf.log(x)), NO_GRADIENT),
  IsInf: unary((x) => tf.isInf(tf.log(x)), NO_GRADIENT),
  IsFinite: unary((x) => tf.isFinite(tf.log(x)), NO_GRADIENT),
  Relu: unary(tf.relu),
  Relu6: unary(tf.relu6, { range: [-2, 8] }),
  Elu: unary(tf.elu),
  EluGrad: unary(tf.elu),
  Selu: unary(tf.selu),
  LeakyRelu: unary((x) => tf.leakyRelu(x, 0.3)),
  Prelu: shapes(1, 4).chain((shape) =>
    fc
      .tuple(operand(shape), operand(shape.slice(1)))
      .map((operands) => ({ operands, compute: ([x, alpha]) => tf.prelu(x, alpha) })),
  ),
  Sigmoid: unary(tf.sigmoid),
  Tanh: unary(tf.tanh),
  Softplus: unary(tf.softplus, { range: [-20, 20] }),
  Step: fc.oneof(
    unary((x) => tf.step(x, 0.25)),
    unary((x) => tf.step(x)),
    unary((x) => tf.step(x), { kind: 'int32' }),
  ),
  ClipByValue: unary((x) => tf.clipByValue(x, -1, 1.5)),
  Cast: fc.oneof(
    unary((x) => tf.cast(tf.cast(x, 'int32'), 'bool'), NO_GRADIENT),
    unary((x) => tf.cast(x, 'bool'), NO_GRADIENT),
    unary((x) => tf.cast(x, 'int32'), NO_GRADIENT),
    unary((x) => tf.cast(tf.cast(x, 'bool'), 'int32'), { kind: 'int32' }),
  ),
  LogicalNot: unary(tf.logicalNot, { range: [0, 1], kind: 'bool' }),

  Add: binary(tf.add),
  AddN: shapes(1, 3).chain((shape) =>
    fc
      .array(operand(shape), { minLength: 1, maxLength: 4 })
      .map((operands) => ({ operands, compute: (tensors) => tf.addN(tensors) })),
  ),
  Sub: binary(tf.sub),
  Multiply: fc.oneof(binary(tf.mul), binary(tf.mul, { kind: 'int32' })),
  RealDiv: binary(tf.div, { second: POSITIVE }),
  FloorDiv: binary(tf.floorDiv, { kind: 'int32', range: [-9, 9], second: [-4, 4] }),
  Mod: fc.oneof(
    binary(tf.mod, { range: [-5, 5], second: POSITIVE }),
    binary(tf.mod, { kind: 'int32', range: [-9, 9], second: [-4, 4] }),
  ),
  Pow: fc.oneof(
    binary(tf.pow, { range: POSITIVE, second: [-2, 2] }),
    unary((x) => tf.pow(x, 2)),
    unary((x) => tf.pow(x, 3)),
  ),
  Atan2: binary((a, b) => tf.atan2(offAxis(a), offAxis(b)), { range: quadrants }),
  Maximum: unreduced(tf.maximum),
  Minimum: unreduced(tf.minimum),
  SquaredDifference: unreduced(tf.squaredDifference),
  Equal: comparison(tf.equal),
  NotEqual: comparison(tf.notEqual),
  Greater: comparison(tf.greater),
  GreaterEqual: comparison(tf.greaterEqual),
  Less: comparison(tf.less),
  LessEqual: comparison(tf.lessEqual),
  LogicalAnd: binary(tf.logicalAnd, { range: [0, 1], kind: 'bool' }),
  LogicalOr: binary(tf.logicalOr, { range: [0, 1], kind: 'bool' }),
  Select: shapes(1, 3).chain((shape) =>
    fc
      .tuple(
        broadcastable(shape).chain((smaller) => operand(smaller, [0, 1], 'bool')),
        operand(shape),
        operand(shape),
      )
      .map((operands) => ({ operands, compute: ([condition, a, b]) => tf.where(condition, a, b) })),
  ),

  Fill: unary((x) => tf.mul(x, tf.fill(x.shape, 1.5))),
  ZerosLike: unary((x) => tf.add(x, tf.zerosLike(x))),
  OnesLike: unary((x) => tf.add(x, tf.onesLike(x))),
};
