/** @file Operators that treat each number by itself: arithmetic, comparison, activation. */
import * as tf from '@tensorflow/tfjs';
import type { ElementTypeName } from '../../../formats/elementTypes.ts';
import { onnxDataTypes, onnxTypeName } from '../../../formats/onnxTypes.ts';
import { elementCount } from '../../../protocol/shape.ts';
import type { NodeCall, Operator, Operators } from '../nodeCall.ts';
import {
  asKind,
  axisOf,
  broadcastShape,
  broadcastTo,
  dtypes,
  exchangedWithLast,
  isKnown,
  kindOf,
  kindOfType,
  type Kind,
  type Value,
} from '../values.ts';

type Unary = (x: tf.Tensor) => tf.Tensor;
type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const ofFloats =
  (compute: Unary): Operator =>
  (call) =>
    compute(call.floats(0));

const ofNumbers =
  (compute: Unary): Operator =>
  (call) =>
    compute(call.tensor(0));

/** Numbers that jump, or truth values: nothing of their operands' gradients is left. TensorFlow.js has none for some of them. */
const withoutGradient =
  (compute: Binary): Binary =>
  (a, b) =>
    tf.customGrad((...operands) => {
      const [first, second] = operands as tf.Tensor[];
      return {
        value: compute(first, second),
        gradFunc: () => [tf.zeros(first.shape), tf.zeros(second.shape)],
      };
    })(a, b);

/** Makes both operands one shape: the gradients of TensorFlow.js's minimum and maximum do not broadcast. */
const inOneShape =
  (compute: Binary): Binary =>
  (a, b) => {
    const shape = broadcastShape(a.shape, b.shape);
    return compute(broadcastTo(a, shape), broadcastTo(b, shape));
  };

/** Two operands of one type that broadcast. */
const ofTwo =
  (compute: Binary): Operator =>
  (call) => {
    call.sameKinds();
    return compute(call.tensor(0), call.tensor(1));
  };

/** Any number of operands. */
const ofAll =
  (compute: Binary): Operator =>
  (call) => {
    call.sameKinds();
    return call.inputs.map((_, i) => call.tensor(i)).reduce(compute);
  };

/** 1 / sqrt 2 */
const SQRT_HALF = Math.SQRT1_2;

/** exp(x) - 1 for x < 0, and 0 above. */
function belowZero(x: tf.Tensor, scale = 1): tf.Tensor {
  const negative = tf.minimum(x, 0);
  return tf.sub(tf.exp(scale === 1 ? negative : tf.mul(negative, scale)), 1);
}

/** Hendrycks & Gimpel 2016; by the error function, or by the hyperbolic tangent as they approximate it. */
function gelu(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  if (call.word('approximate', ['none', 'tanh']) === 'none')
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, SQRT_HALF)), 1));
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

function clip(call: NodeCall): tf.Tensor {
  const x = call.tensor(0);
  if (call.mode.opset < 11) return clipped(x, call.real('min', -Infinity), call.real('max', Infinity));
  const [low, high] = [1, 2].map((input) => (call.has(input) ? call.value(input) : undefined));
  if ((low && !isKnown(low)) || (high && !isKnown(high))) {
    const raised = call.has(1) ? inOneShape(tf.maximum)(x, call.tensor(1)) : x;
    return call.has(2) ? inOneShape(tf.minimum)(raised, call.tensor(2)) : raised;
  }
  return clipped(x, low?.numbers[0] ?? -Infinity, high?.numbers[0] ?? Infinity);
}

function clipped(x: tf.Tensor, minimum: number, maximum: number): tf.Tensor {
  if (minimum === 0 && maximum === 6) return tf.relu6(x);
  if (minimum === 0 && maximum === Infinity) return tf.relu(x);
  if (maximum === Infinity) return tf.maximum(x, minimum);
  if (minimum === -Infinity) return tf.minimum(x, maximum);
  // Where the minimum is above the maximum, all numbers are the maximum; TensorFlow.js refuses it.
  return minimum > maximum ? tf.minimum(tf.maximum(x, minimum), maximum) : tf.clipByValue(x, minimum, maximum);
}

/** Powers that are known are products and roots: their gradients have no logarithm. */
function power(call: NodeCall): tf.Tensor {
  const x = call.tensor(0);
  const exponent = call.value(1);
  const known = isKnown(exponent) && exponent.numbers.length === 1 ? exponent.numbers[0] : undefined;
  switch (known) {
    case 1:
      return x;
    case 2:
      return tf.square(x);
    case 3:
      return tf.mul(tf.square(x), x);
    case 0.5:
      return tf.sqrt(x);
    case -0.5:
      return tf.rsqrt(x);
    case -1:
      return tf.reciprocal(x);
    default:
      return tf.pow(x, tf.cast(call.tensor(1), x.dtype));
  }
}

/** slope x + offset, cut at 0 and 1 */
export function hardSigmoid(x: tf.Tensor, slope = 0.2, offset = 0.5): tf.Tensor {
  return tf.clipByValue(tf.add(tf.mul(x, slope), offset), 0, 1);
}

/** x / (|x| + 1) */
export function softsign(x: tf.Tensor): tf.Tensor {
  return tf.div(x, tf.add(tf.abs(x), 1));
}

/** `slope` [channels, 1, 1], or of any shape that broadcasts to that of x. */
function parametricRelu(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  return tf.add(tf.relu(x), tf.mul(tf.minimum(x, 0), call.floats(1)));
}

/** Along an axis; before version 13 along all axes from one on, as one. */
function alongAxis(compute: (x: tf.Tensor) => tf.Tensor): Operator {
  return (call) => {
    const x = call.floats(0);
    const isOld = call.mode.opset < 13;
    const axis = axisOf(call.integer('axis', isOld ? 1 : -1), x.rank);
    if (isOld) {
      const rows = elementCount(x.shape.slice(0, axis));
      return tf.reshape(compute(tf.reshape(x, [rows, x.size / rows])), x.shape);
    }
    const exchanged = exchangedWithLast(axis, x.rank);
    return exchanged(compute(exchanged(x)));
  };
}

/** Integers and truth values have no gradient. */
function castTo(x: tf.Tensor, kind: Kind): tf.Tensor {
  const cast = (a: tf.Tensor) => tf.cast(a, dtypes[kind]);
  return x.dtype === 'float32' && kind !== 'float' ? withoutGradient(cast)(x, tf.scalar(0)) : cast(x);
}

function castValue(value: Value, kind: Kind): Value {
  if (!isKnown(value)) return castTo(value, kind);
  return { kind, shape: value.shape, numbers: Array.from(value.numbers, asKind[kind]) };
}

/** How many bits of an integer a type keeps, where they are fewer than those of int32. */
const NARROW: Partial<Record<ElementTypeName, { readonly bits: number; readonly isSigned: boolean }>> = {
  int8: { bits: 8, isSigned: true },
  uint8: { bits: 8, isSigned: false },
  int16: { bits: 16, isSigned: true },
  uint16: { bits: 16, isSigned: false },
};

/** Integers in the range of a type, where 300 is 44 as a uint8. */
function wrapped(value: Value, type: ElementTypeName): Value {
  const narrow = NARROW[type];
  if (!narrow) return value;
  const count = 2 ** narrow.bits;
  const least = narrow.isSigned ? -count / 2 : 0;
  if (!isKnown(value)) {
    const [size, first] = [tf.scalar(count, 'int32'), tf.scalar(least, 'int32')];
    return tf.add(tf.mod(tf.sub(value, first), size), first);
  }
  const wrap = (number: number) => number - count * Math.floor((number - least) / count);
  return { ...value, numbers: Array.from(value.numbers, wrap) };
}

function cast(call: NodeCall): Value {
  const to = call.integer('to', 1);
  const type = onnxDataTypes[to];
  if (type === undefined) throw new TypeError(`it casts to ${onnxTypeName(to)}, which is not known here`);
  const value = call.value(0);
  const converted = castValue(value, kindOfType(type));
  return kindOf(value) === 'bool' ? converted : wrapped(converted, type);
}

/** Integers are divided towards 0, where TensorFlow.js rounds down. */
export function divide(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  if (a.dtype === 'float32') return tf.div(a, b);
  const down = tf.floorDiv(a, b);
  const isBelow = tf.logicalAnd(tf.less(down, 0), tf.notEqual(tf.mul(down, b), a));
  return tf.add(down, tf.cast(isBelow, 'int32'));
}

/** The rest of a division by the sign of the divisor, as Python has it; of the dividend where `fmod` says so, as C. */
function modulo(call: NodeCall): tf.Tensor {
  call.sameKinds();
  const [a, b] = [call.tensor(0), call.tensor(1)];
  const floored = tf.mod(a, b);
  if (call.integer('fmod', 0) === 0) return floored;
  return tf.mul(tf.sign(a), tf.mod(tf.abs(a), tf.abs(b)));
}

/** True for infinite numbers of the signs that are asked for. */
function isInfinite(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  const [negative, positive] = [call.integer('detect_negative', 1), call.integer('detect_positive', 1)];
  const isOf = (sign: number) => withoutGradient(tf.equal)(x, tf.scalar(sign * Infinity));
  if (negative !== 0 && positive !== 0) return tf.logicalOr(isOf(1), isOf(-1));
  return negative !== 0 || positive !== 0 ? isOf(negative !== 0 ? -1 : 1) : tf.zeros(x.shape, 'bool');
}

export const elementwiseOperators: Operators = {
  Identity: (call) => call.value(0),
  Cast: cast,
  CastLike: (call) => castValue(call.value(0), kindOf(call.value(1))),

  Add: ofTwo(tf.add),
  Sub: ofTwo(tf.sub),
  Mul: ofTwo(tf.mul),
  Div: ofTwo(divide),
  Mod: modulo,
  Pow: power,
  Min: ofAll(inOneShape(tf.minimum)),
  Max: ofAll(inOneShape(tf.maximum)),
  Sum: ofAll(tf.add),
  Mean: (call) =>
    tf.div(
      call.inputs.map((_, i) => call.floats(i)).reduce((a, b) => tf.add(a, b)),
      call.inputs.length,
    ),
  Neg: ofNumbers(tf.neg),
  Abs: ofNumbers(tf.abs),
  Sqrt: ofFloats(tf.sqrt),
  Reciprocal: ofFloats(tf.reciprocal),
  Exp: ofFloats(tf.exp),
  Log: ofFloats(tf.log),
  Sin: ofFloats(tf.sin),
  Cos: ofFloats(tf.cos),
  Erf: ofFloats(tf.erf),
  Floor: ofFloats(tf.floor),
  Ceil: ofFloats(tf.ceil),
  Round: ofFloats(tf.round),
  Sign: ofNumbers(tf.sign),

  Equal: ofTwo(withoutGradient(tf.equal)),
  Greater: ofTwo(withoutGradient(tf.greater)),
  GreaterOrEqual: ofTwo(withoutGradient(tf.greaterEqual)),
  Less: ofTwo(withoutGradient(tf.less)),
  LessOrEqual: ofTwo(withoutGradient(tf.lessEqual)),
  Not: ofNumbers(tf.logicalNot),
  And: ofTwo(tf.logicalAnd),
  Or: ofTwo(tf.logicalOr),
  Xor: ofTwo(tf.logicalXor),
  IsNaN: ofFloats((x) => withoutGradient(tf.isNaN)(x, tf.scalar(0))),
  IsInf: isInfinite,
  Where(call) {
    call.sameKinds([1, 2]);
    return tf.where(tf.cast(call.tensor(0), 'bool'), call.tensor(1), call.tensor(2));
  },

  Relu: ofFloats(tf.relu),
  LeakyRelu: (call) => tf.leakyRelu(call.floats(0), call.real('alpha', 0.01)),
  PRelu: parametricRelu,
  ThresholdedRelu(call) {
    const x = call.floats(0);
    return tf.where(withoutGradient(tf.greater)(x, tf.scalar(call.real('alpha', 1))), x, tf.zerosLike(x));
  },
  Sigmoid: ofFloats(tf.sigmoid),
  HardSigmoid: (call) => hardSigmoid(call.floats(0), call.real('alpha', 0.2), call.real('beta', 0.5)),
  HardSwish: ofFloats((x) => tf.mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  Mish: ofFloats((x) => tf.mul(x, tf.tanh(tf.softplus(x)))),
  Tanh: ofFloats(tf.tanh),
  Softplus: ofFloats(tf.softplus),
  Softsign: ofFloats(softsign),
  Elu(call) {
    const x = call.floats(0);
    const alpha = call.real('alpha', 1);
    return alpha === 1 ? tf.elu(x) : tf.add(tf.relu(x), tf.mul(belowZero(x), alpha));
  },
  Celu(call) {
    const x = call.floats(0);
    const alpha = call.real('alpha', 1);
    return tf.add(tf.relu(x), tf.mul(belowZero(x, 1 / alpha), alpha));
  },
  Selu(call) {
    const x = call.floats(0);
    // Klambauer et al. 2017, as the standard has them.
    const alpha = call.real('alpha', 1.67326319217681884765625);
    const gamma = call.real('gamma', 1.05070102214813232421875);
    return tf.mul(tf.add(tf.relu(x), tf.mul(belowZero(x), alpha)), gamma);
  },
  Gelu: gelu,
  Clip: clip,
  Softmax: alongAxis((x) => tf.softmax(x)),
  LogSoftmax: alongAxis((x) => tf.logSoftmax(x)),

  Dropout(call) {
    const x = call.floats(0);
    const ratio = call.mode.opset < 12 ? call.real('ratio', 0.5) : (call.numbers(1, 'the ratio')?.[0] ?? 0.5);
    call.attribute('seed'); // Random numbers follow the seed of the training.
    call.onlyOutput('the mask');
    return call.mode.training && ratio > 0 ? tf.dropout(x, ratio) : x;
  },
};
