/** @file Elementwise kernels of TensorFlow.js in IR operations. */
import type { CastAttrs, ClipByValueAttrs, FillAttrs, LeakyReluAttrs, StepAttrs } from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import { binary, cast, constant, make, scalar, select, unary } from '../build.ts';
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
const unaryKernel = (op: UnaryOp): KernelImport => ofX((x) => unary(op, x));
const binaryKernel =
  (op: BinaryOp): KernelImport =>
  ({ a, b }) =>
    binary(op, a, b);

/** An operation whose result for truth values is that of a logical one, which ONNX Runtime has. */
const orLogical =
  (op: BinaryOp, logical: 'And' | 'Or'): KernelImport =>
  ({ a, b }) =>
    binary(a.type.dtype === 'bool' && b.type.dtype === 'bool' ? logical : op, a, b);

/** One of two by a condition; of two truth values, which ONNX Runtime does not select from, by logic. */
function choose(condition: Node, t: Node, e: Node): Node {
  if (t.type.dtype !== 'bool' || e.type.dtype !== 'bool') return select(condition, t, e);
  return binary('Or', binary('And', condition, t), binary('And', not(condition), e));
}

const sqrt = (x: Node) => unary('Sqrt', x);
const mul = (a: Node, b: Node) => binary('Mul', a, b);
const add = (a: Node, b: Node) => binary('Add', a, b);
const over = (a: Node, b: Node) => binary('Div', a, b);
const sub = (a: Node, b: Node) => binary('Sub', a, b);
const not = (x: Node) => unary('Not', x);
const zero = scalar(0);
const one = scalar(1);

/** A constant that fills a shape. */
function fill(value: number, shape: Shape, dtype: DType): Node {
  return constant([value], elementCount(shape) === 0 ? [...shape] : shape, dtype);
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
  // TensorFlow.js truncates float32 -> int32 toward zero as ONNX does, and bool is "not zero".
  return dtype === 'bool' && x.type.dtype !== 'bool'
    ? not(binary('Equal', x, scalar(0, x.type.dtype)))
    : cast(x, dtype);
}

function clip(x: Node, minimum: number, maximum: number): Node {
  return make('Clip', { minimum, maximum }, [x]);
}

/** Floor division, for float32 and int32 alike. */
function floorDiv({ a, b }: KernelInputs): Node {
  const quotient = unary('Floor', over(cast(a, 'float32'), cast(b, 'float32')));
  return cast(quotient, a.type.dtype);
}

export const elementwiseKernels: KernelImports = {
  Identity: ofX((x) => x),
  Abs: unaryKernel('Abs'),
  Neg: unaryKernel('Neg'),
  Exp: unaryKernel('Exp'),
  Expm1: ofX((x) => sub(unary('Exp', x), one)),
  Log: unaryKernel('Log'),
  Log1p: ofX((x) => unary('Log', add(x, one))),
  Sqrt: unaryKernel('Sqrt'),
  Rsqrt: ofX((x) => over(one, sqrt(x))),
  Square: ofX((x) => mul(x, x)),
  Reciprocal: ofX((x) => over(one, x)),
  Sin: unaryKernel('Sin'),
  Cos: unaryKernel('Cos'),
  Erf: unaryKernel('Erf'),
  Floor: unaryKernel('Floor'),
  Ceil: unaryKernel('Ceil'),
  Round: unaryKernel('Round'),
  Sign: unaryKernel('Sign'),
  Relu: unaryKernel('Relu'),
  Relu6: ofX((x) => clip(x, 0, 6)),
  Elu: unaryKernel('Elu'),
  EluGrad: ({ dy, y }) => select(binary('GreaterEqual', y, zero), dy, mul(dy, add(y, one))),
  Selu: ofX((x) =>
    select(binary('GreaterEqual', x, zero), mul(x, scalar(SELU_SCALE)), mul(unary('Elu', x), scalar(SELU_SCALE_ALPHA))),
  ),
  LeakyRelu: kernel<LeakyReluAttrs>(({ x }, { alpha }) => leakyRelu(x, alpha)),
  Prelu: ({ x, alpha }) => prelu(x, alpha),
  Sigmoid: unaryKernel('Sigmoid'),
  Tanh: unaryKernel('Tanh'),
  Softplus: unaryKernel('Softplus'),
  Step: kernel<StepAttrs>(({ x }, { alpha }) => select(binary('Greater', x, zero), one, scalar(alpha))),
  ClipByValue: kernel<ClipByValueAttrs>(({ x }, { clipValueMin, clipValueMax }) => clip(x, clipValueMin, clipValueMax)),
  Cast: kernel<CastAttrs>(({ x }, { dtype }) => castTo(x, importDType(dtype, 'Cast'))),
  LogicalNot: unaryKernel('Not'),

  Add: binaryKernel('Add'),
  AddN: (inputs) => listed(inputs).reduce(add),
  Sub: binaryKernel('Sub'),
  Multiply: orLogical('Mul', 'And'),
  RealDiv: binaryKernel('Div'),
  FloorDiv: floorDiv,
  Mod: (inputs) => sub(inputs.a, mul(inputs.b, floorDiv(inputs))),
  Pow: binaryKernel('Pow'),
  Maximum: orLogical('Maximum', 'Or'),
  Minimum: orLogical('Minimum', 'And'),
  SquaredDifference: ({ a, b }) => {
    const difference = sub(a, b);
    return mul(difference, difference);
  },
  Equal: binaryKernel('Equal'),
  NotEqual: ({ a, b }) => not(binary('Equal', a, b)),
  Greater: binaryKernel('Greater'),
  GreaterEqual: binaryKernel('GreaterEqual'),
  Less: binaryKernel('Less'),
  LessEqual: binaryKernel('LessEqual'),
  LogicalAnd: binaryKernel('And'),
  LogicalOr: binaryKernel('Or'),
  Select: ({ condition, t, e }) => choose(condition, t, e),

  Fill: kernel<FillAttrs>((_inputs, { shape, value, dtype }) =>
    fill(Number(value), shape, importDType(dtype ?? 'float32', 'Fill')),
  ),
  ZerosLike: ofX((x) => fill(0, x.type.shape, x.type.dtype)),
  OnesLike: ofX((x) => fill(1, x.type.shape, x.type.dtype)),
};
