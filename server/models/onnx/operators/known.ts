/**
 * @file Operators of numbers that are all known, such as arithmetic with shapes, with no operation of a step. Each result is rounded to its
 * kind: the floor of a product decides on a size, and is to be that of ONNX Runtime, which computes in float32.
 */
import { rowMajorStrides } from '../../../formats/strided.ts';
import { elementCount } from '../../../protocol/shape.ts';
import type { NodeCall, Operator, Operators } from '../nodeCall.ts';
import { asKind, axisOf, broadcast, broadcastShape, knownIntegers, type KnownTensor, type Kind } from '../values.ts';
import { reducedAxes } from './reduction.ts';

function knownInputs(call: NodeCall): KnownTensor[] {
  return call.inputs.flatMap((_, i) => call.known(i, 'numbers') ?? []);
}

function combined(a: KnownTensor, b: KnownTensor, kind: Kind, compute: (a: number, b: number) => number): KnownTensor {
  const shape = broadcastShape(a.shape, b.shape);
  const [left, right] = [broadcast(a, shape).numbers, broadcast(b, shape).numbers];
  return { kind, shape, numbers: Array.from(left, (value, i) => asKind[kind](compute(value, right[i]))) };
}

/** @param result the kind of the result; undefined for that of the operands */
function ofBroadcast(compute: (a: number, b: number) => number, result?: Kind): Operator {
  return (call) => {
    const kind = call.sameKinds();
    return knownInputs(call).reduce((a, b) => combined(a, b, result ?? kind, compute));
  };
}

function ofEach(compute: (x: number) => number, result?: Kind): Operator {
  return (call) => {
    const [value] = knownInputs(call);
    const kind = result ?? value.kind;
    return { kind, shape: value.shape, numbers: Array.from(value.numbers, (x) => asKind[kind](compute(x))) };
  };
}

function ofAxes(combine: (a: number, b: number) => number, start: number): Operator {
  return (call) => {
    const [value] = knownInputs(call);
    const keepDims = call.integer('keepdims', 1) !== 0;
    const axes = reducedAxes(call, value.shape.length) ?? [];
    const kept = value.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const [from, to] = [rowMajorStrides(value.shape), rowMajorStrides(kept)];
    const numbers = Array<number>(elementCount(kept)).fill(start);
    for (let place = 0; place < elementCount(value.shape); place++) {
      const target = from.reduce(
        (sum, stride, axis) =>
          sum + (axes.includes(axis) ? 0 : (Math.floor(place / stride) % value.shape[axis]) * to[axis]),
        0,
      );
      numbers[target] = asKind[value.kind](combine(numbers[target], value.numbers[place]));
    }
    return { kind: value.kind, shape: keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis)), numbers };
  };
}

/** Positions of the numbers that are not 0, [axes, numbers]. */
const nonZero: Operator = (call) => {
  const [{ shape, numbers }] = knownInputs(call);
  const strides = rowMajorStrides(shape);
  const places = Array.from(numbers).flatMap((number, place) => (number === 0 ? [] : [place]));
  const positions = shape.flatMap((size, axis) => places.map((place) => Math.floor(place / strides[axis]) % size));
  return knownIntegers(positions, [shape.length, places.length]);
};

const cumulativeSum: Operator = (call) => {
  const value = knownInputs(call)[0];
  const { shape } = value;
  const axis = axisOf(call.requiredNumbers(1, 'the axis')[0], shape.length);
  const isExclusive = call.integer('exclusive', 0) !== 0;
  const isReverse = call.integer('reverse', 0) !== 0;
  const stride = rowMajorStrides(shape)[axis];
  const numbers = Array.from(value.numbers, () => 0);
  const order = Array.from(numbers.keys());
  for (const place of isReverse ? order.reverse() : order) {
    const at = Math.floor(place / stride) % shape[axis];
    const isFirst = at === (isReverse ? shape[axis] - 1 : 0);
    const before = place + (isReverse ? stride : -stride);
    const own = value.numbers[isExclusive ? before : place];
    numbers[place] = isFirst ? (isExclusive ? 0 : own) : asKind[value.kind](numbers[before] + own);
  }
  return { kind: value.kind, shape, numbers };
};

const where: Operator = (call) => {
  const kind = call.sameKinds([1, 2]);
  const inputs = knownInputs(call);
  const shape = inputs.map((one) => one.shape).reduce(broadcastShape);
  const [condition, yes, no] = inputs.map((one) => broadcast(one, shape).numbers);
  return { kind, shape, numbers: Array.from(condition, (isTrue, i) => (isTrue === 0 ? no[i] : yes[i])) };
};

const truth = (isTrue: boolean): number => (isTrue ? 1 : 0);

export const knownOperators: Operators = {
  Add: ofBroadcast((a, b) => a + b),
  Sub: ofBroadcast((a, b) => a - b),
  Mul: ofBroadcast((a, b) => a * b),
  Div: ofBroadcast((a, b) => a / b),
  Mod: (call) => {
    // By the sign of the divisor, as Python has it; of the dividend where `fmod` says so, as C.
    const isC = call.integer('fmod', 0) !== 0;
    return ofBroadcast((a, b) => (isC ? a % b : a - b * Math.floor(a / b)))(call);
  },
  Min: ofBroadcast((a, b) => Math.min(a, b)),
  Max: ofBroadcast((a, b) => Math.max(a, b)),
  Equal: ofBroadcast((a, b) => truth(a === b), 'bool'),
  Greater: ofBroadcast((a, b) => truth(a > b), 'bool'),
  GreaterOrEqual: ofBroadcast((a, b) => truth(a >= b), 'bool'),
  Less: ofBroadcast((a, b) => truth(a < b), 'bool'),
  LessOrEqual: ofBroadcast((a, b) => truth(a <= b), 'bool'),
  And: ofBroadcast((a, b) => truth(a !== 0 && b !== 0)),
  Or: ofBroadcast((a, b) => truth(a !== 0 || b !== 0)),
  Xor: ofBroadcast((a, b) => truth(a !== b)),
  Not: ofEach((x) => truth(x === 0)),
  IsNaN: ofEach((x) => truth(Number.isNaN(x)), 'bool'),
  Neg: ofEach((x) => -x),
  Abs: ofEach(Math.abs),
  Sign: ofEach(Math.sign),
  Floor: ofEach(Math.floor),
  Ceil: ofEach(Math.ceil),
  Sqrt: ofEach(Math.sqrt),
  Reciprocal: ofEach((x) => 1 / x),
  Exp: ofEach(Math.exp),
  Log: ofEach(Math.log),
  Pow: (call) => {
    // The exponent may be of another type.
    const [base, exponent] = knownInputs(call);
    return combined(base, exponent, base.kind, (x, power) => x ** power);
  },
  ReduceSum: ofAxes((a, b) => a + b, 0),
  ReduceProd: ofAxes((a, b) => a * b, 1),
  ReduceMax: ofAxes(Math.max, -Infinity),
  ReduceMin: ofAxes(Math.min, Infinity),
  CumSum: cumulativeSum,
  NonZero: nonZero,
  Where: where,
};
