/** @file Elementwise kernels of TensorFlow.js in IR operations. */
import type { CastAttrs, ClipByValueAttrs, FillAttrs, LeakyReluAttrs, StepAttrs } from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import { binary, cast, constant, make, scalar, select, splatValue, unary } from '../build.ts';
import type { DType, Node, Shape, BinaryOp, UnaryOp } from '../ir.ts';
import {
  UnsupportedKernel,
  kernel,
  listed,
  type KernelImport,
  type KernelImports,
  type KernelInputs,
} from './kernel.ts';

const ofX =
  (build: (x: Node) => Node): KernelImport =>
  ({ x }) =>
    build(x);
const isBoolean = ({ type }: Node) => type.dtype === 'bool';

/** @throws TypeError for truth values, which TensorFlow.js computes with as with bytes: 255 is what is 1 below 0 */
function numeric(x: Node): Node {
  if (isBoolean(x))
    throw new TypeError("TensorFlow.js takes truth values for bytes: cast them, by tf.cast(x, 'int32')");
  return x;
}

/** A function of numbers, in the type of its argument. */
const ofNumbers = (build: (x: Node) => Node): KernelImport => ofX((x) => build(numeric(x)));

/** One that leaves truth values as they are. */
const keepingTruth = (build: (x: Node) => Node): KernelImport => ofX((x) => (isBoolean(x) ? x : build(x)));

/** A function of real numbers; of integers it has the integer part, in their type, as in TensorFlow.js. */
const ofReals = (build: (x: Node) => Node): KernelImport =>
  ofNumbers((x) => asReals([x], ([real]) => build(real), x.type.dtype));

/** Computes with floats what ONNX Runtime does not have for the types of the operands, and returns it in the type `dtype`. */
export function asReals(operands: readonly Node[], build: (operands: Node[]) => Node, dtype: DType): Node {
  const result = build(operands.map((operand) => cast(operand, 'float32')));
  return dtype === 'int32' ? toInteger(result) : castTo(result, dtype);
}

/** The integer part; that of what is not finite is 0 in JavaScript, and undefined in ONNX. */
function toInteger(x: Node): Node {
  return cast(select(isFinite(x), x, zero), 'int32');
}

const unaryKernel = (op: UnaryOp): KernelImport => ofNumbers((x) => unary(op, x));
const realKernel = (op: UnaryOp): KernelImport => ofReals((x) => unary(op, x));
const binaryKernel =
  (op: BinaryOp, ofTruth?: (a: Node, b: Node) => Node): KernelImport =>
  ({ a, b }) =>
    isBoolean(a) && ofTruth ? ofTruth(a, b) : binary(op, numeric(a), numeric(b));

/** One of two by a condition; of two truth values, which ONNX Runtime does not select from, by logic. */
function choose(condition: Node, t: Node, e: Node): Node {
  if (!isBoolean(t) || !isBoolean(e)) return select(condition, t, e);
  return or(and(condition, t), and(not(condition), e));
}

const sqrt = (x: Node) => unary('Sqrt', x);
const mul = (a: Node, b: Node) => binary('Mul', a, b);
const add = (a: Node, b: Node) => binary('Add', a, b);
const over = (a: Node, b: Node) => binary('Div', a, b);
const sub = (a: Node, b: Node) => binary('Sub', a, b);
const not = (x: Node) => unary('Not', x);
const and = (a: Node, b: Node) => binary('And', a, b);
const or = (a: Node, b: Node) => binary('Or', a, b);
const equal = (a: Node, b: Node) => binary('Equal', a, b);
const zero = scalar(0);
const one = scalar(1);

/** A constant that fills a shape; an integer as JavaScript takes it for one of 32 bits. */
function fill(value: number, shape: Shape, dtype: DType): Node {
  return constant([dtype === 'int32' ? value | 0 : value], elementCount(shape) === 0 ? [...shape] : shape, dtype);
}

// Klambauer et al. 2017, as in TensorFlow.js's selu_util.ts
const SELU_SCALE_ALPHA = 1.7580993408473768599402175208123;
const SELU_SCALE = 1.0507009873554804934193349852946;

export function leakyRelu(x: Node, alpha: number): Node {
  return select(binary('Greater', x, zero), x, mul(x, scalar(alpha)));
}

export function prelu(x: Node, alpha: Node): Node {
  return select(binary('Less', x, zero), mul(x, alpha), x);
}

/** The float dtype of TensorFlow.js is always float32; strings and complex numbers have no place in a training step. */
export function importDType(dtype: string, kernel: string): DType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new UnsupportedKernel(kernel, `it makes a tensor of type ${dtype}`);
}

function castTo(x: Node, dtype: DType): Node {
  if (dtype === 'int32' && !isKnownFinite(x)) return toInteger(x);
  // TensorFlow.js truncates float32 -> int32 toward zero as ONNX does, and bool is "not zero".
  return dtype === 'bool' && x.type.dtype !== 'bool'
    ? not(binary('Equal', x, scalar(0, x.type.dtype)))
    : cast(x, dtype);
}

/** True for numbers that were integers or truth values before. */
function isKnownFinite({ op, type, inputs }: Node): boolean {
  const keepsFinite = op === 'Cast' || op === 'Floor' || op === 'Ceil' || op === 'Round' || op === 'Reshape';
  return type.dtype !== 'float32' || op === 'OneHot' || (keepsFinite && isKnownFinite(inputs[0]));
}

/** @param minimum or the maximum may be one that integers cannot have, such as an infinite one: then it does not bound them */
function clip(x: Node, minimum: number, maximum: number): Node {
  const possible = (bound: number) => (x.type.dtype === 'int32' ? clampToInt32(bound) : bound);
  return make('Clip', { minimum: possible(minimum), maximum: possible(maximum) }, [x]);
}

const clampToInt32 = (value: number) => Math.min(Math.max(Math.trunc(value), -(2 ** 31)), 2 ** 31 - 1);

/** Floor division. Integers are divided as integers: float32 has not all above 2 ** 24. */
function floorDiv({ a, b }: KernelInputs): Node {
  if (numeric(a).type.dtype === 'float32') return toInteger(unary('Floor', over(a, b)));
  const towardZero = integerQuotient(a, b);
  const rest = sub(a, mul(towardZero, b));
  return sub(towardZero, cast(haveOtherSigns(rest, b), 'int32'));
}

/** The quotient towards 0, and 0 for a divisor of 0, where the processor ends the process, as it may for -1. */
function integerQuotient(a: Node, b: Node): Node {
  const divisor = splatValue(b) ?? 0;
  if (divisor !== 0 && divisor !== -1) return over(a, b);
  const [minusOne, none, single] = [-1, 0, 1].map((value) => scalar(value, 'int32'));
  const isSpecial = or(equal(b, none), equal(b, minusOne));
  return select(isSpecial, mul(a, b), over(a, select(isSpecial, single, b)));
}

/** The rest of floor division, of integers by 0 it is 0. */
function mod({ a, b }: KernelInputs): Node {
  const rest = (x: Node) => binary('Remainder', x, b);
  if (numeric(a).type.dtype === 'float32') return select(haveOtherSigns(rest(a), b), rest(add(rest(a), b)), rest(a));
  const none = scalar(0, 'int32');
  const floored = sub(a, mul(b, floorDiv({ a, b })));
  return splatValue(b) ? floored : select(equal(b, none), none, floored);
}

/** True where one of two numbers is above 0 and the other one below. */
function haveOtherSigns(a: Node, b: Node): Node {
  const none = scalar(0, a.type.dtype);
  const isBelow = (x: Node) => binary('Less', x, none);
  const isAbove = (x: Node) => binary('Greater', x, none);
  return or(and(isBelow(a), isAbove(b)), and(isAbove(a), isBelow(b)));
}

/** ln(1 + x): what 1 + x loses of an x near 0 is added again. */
function log1p(x: Node): Node {
  const small = binary('Minimum', x, one);
  const lost = sub(small, sub(add(small, one), one));
  return add(unary('Log', add(x, one)), lost);
}

/** exp(x) - 1 = 2 sinh(x / 2) exp(x / 2), exact near 0; it is -1 long before the factors overflow. */
function expm1(x: Node): Node {
  const half = mul(binary('Maximum', x, scalar(-80)), scalar(0.5));
  return mul(mul(unary('Sinh', half), scalar(2)), unary('Exp', half));
}

const isNan = (x: Node) => not(equal(x, x));
const isInfinite = (x: Node) => equal(unary('Abs', x), scalar(Infinity));
/** Neither NaN nor infinite: the difference with itself is a number. */
const isFinite = (x: Node) => equal(sub(x, x), zero);

/** A question that integers and truth values have the same answer to, all of them. */
const ofFloats = (build: (x: Node) => Node, otherwise: 0 | 1): KernelImport =>
  ofX((x) => (x.type.dtype === 'float32' ? build(x) : fill(otherwise, x.type.shape, 'bool')));

/** The angle of the point (x, y), from the arc tangent of its slope. */
function angle(y: Node, x: Node): Node {
  const slope = unary('Atan', over(y, x));
  const upwards = binary('GreaterEqual', y, zero);
  const turned = add(slope, select(upwards, scalar(Math.PI), scalar(-Math.PI)));
  const vertical = mul(unary('Sign', y), scalar(Math.PI / 2));
  return select(equal(x, zero), vertical, select(binary('Less', x, zero), turned, slope));
}

export const elementwiseKernels: KernelImports = {
  Identity: ofX((x) => x),
  Abs: keepingTruth((x) => unary('Abs', x)),
  Neg: unaryKernel('Neg'),
  Exp: ofX((x) => unary('Exp', cast(x, 'float32'))),
  Expm1: ofReals(expm1),
  Log: unaryKernel('Log'),
  Log1p: ofReals(log1p),
  Sqrt: unaryKernel('Sqrt'),
  Rsqrt: ofNumbers((x) => over(one, sqrt(x))),
  Square: keepingTruth((x) => mul(x, x)),
  Reciprocal: ofReals((x) => over(one, x)),
  Sin: unaryKernel('Sin'),
  Cos: unaryKernel('Cos'),
  Tan: unaryKernel('Tan'),
  Asin: realKernel('Asin'),
  Acos: realKernel('Acos'),
  Atan: realKernel('Atan'),
  Sinh: realKernel('Sinh'),
  Cosh: realKernel('Cosh'),
  Asinh: realKernel('Asinh'),
  Acosh: realKernel('Acosh'),
  Atanh: realKernel('Atanh'),
  Erf: unaryKernel('Erf'),
  Floor: unaryKernel('Floor'),
  Ceil: unaryKernel('Ceil'),
  Round: keepingTruth((x) => (x.type.dtype === 'int32' ? x : unary('Round', x))),
  Sign: keepingTruth((x) => unary('Sign', x)),
  IsNan: ofFloats(isNan, 0),
  IsInf: ofFloats(isInfinite, 0),
  IsFinite: ofFloats(isFinite, 1),
  Relu: keepingTruth((x) => unary('Relu', x)),
  Relu6: keepingTruth((x) => clip(x, 0, 6)),
  Elu: unaryKernel('Elu'),
  EluGrad: ({ dy, y }) => select(binary('GreaterEqual', y, zero), dy, mul(dy, add(y, one))),
  Selu: ofReals((x) =>
    select(binary('GreaterEqual', x, zero), mul(x, scalar(SELU_SCALE)), mul(unary('Elu', x), scalar(SELU_SCALE_ALPHA))),
  ),
  LeakyRelu: kernel<LeakyReluAttrs>(({ x }, { alpha }) => leakyRelu(cast(x, 'float32'), alpha)),
  Prelu: ({ x, alpha }) => prelu(cast(x, 'float32'), cast(alpha, 'float32')),
  Sigmoid: unaryKernel('Sigmoid'),
  Tanh: unaryKernel('Tanh'),
  Softplus: realKernel('Softplus'),
  Step: kernel<StepAttrs>(({ x }, { alpha }) => {
    if (alpha === 0 && x.type.dtype === 'float32') return unary('Step', x);
    const of = (value: number) => scalar(value, numeric(x).type.dtype);
    return select(binary('Greater', x, of(0)), of(1), of(alpha));
  }),
  ClipByValue: kernel<ClipByValueAttrs>(({ x }, { clipValueMin, clipValueMax }) =>
    clip(numeric(x), clipValueMin, clipValueMax),
  ),
  Cast: kernel<CastAttrs>(({ x }, { dtype }) => castTo(x, importDType(dtype, 'Cast'))),
  LogicalNot: ofX(not),

  Add: binaryKernel('Add'),
  AddN: (inputs) => listed(inputs).map(numeric).reduce(add),
  Sub: binaryKernel('Sub'),
  Multiply: binaryKernel('Mul', and),
  RealDiv: binaryKernel('Div'),
  FloorDiv: floorDiv,
  Mod: mod,
  Pow: binaryKernel('Pow', (a, b) => or(a, not(b))),
  Atan2: ({ a, b }) => asReals([numeric(a), numeric(b)], ([y, x]) => angle(y, x), a.type.dtype),
  Maximum: binaryKernel('Maximum', or),
  Minimum: binaryKernel('Minimum', and),
  SquaredDifference: ({ a, b }) => {
    if (isBoolean(a)) return not(equal(a, b));
    const difference = sub(a, b);
    return mul(difference, difference);
  },
  Equal: ({ a, b }) => equal(a, b),
  NotEqual: ({ a, b }) => not(equal(a, b)),
  Greater: binaryKernel('Greater', (a, b) => and(a, not(b))),
  GreaterEqual: binaryKernel('GreaterEqual', (a, b) => or(a, not(b))),
  Less: binaryKernel('Less', (a, b) => and(not(a), b)),
  LessEqual: binaryKernel('LessEqual', (a, b) => or(not(a), b)),
  LogicalAnd: ({ a, b }) => and(a, b),
  LogicalOr: ({ a, b }) => or(a, b),
  Select: ({ condition, t, e }) => choose(condition, t, e),

  Fill: kernel<FillAttrs>((_inputs, { shape, value, dtype }) =>
    fill(Number(value), shape, importDType(dtype ?? 'float32', 'Fill')),
  ),
  ZerosLike: ofX((x) => fill(0, x.type.shape, x.type.dtype)),
  OnesLike: ofX((x) => fill(1, x.type.shape, x.type.dtype)),
};
