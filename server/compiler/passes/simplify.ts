/** @file Local simplifications: each rule looks at one node and its inputs, and keeps the value it computes. */
import { elementCount } from '../../protocol/shape.ts';
import {
  binary,
  constant,
  make,
  matmul,
  reshape,
  rewrite,
  scalar,
  select,
  slice,
  splatValue,
  transpose,
  unary,
} from '../build.ts';
import { sameShape, topologicalOrder, type Graph, type Node, type NodeOf, type Op, type Shape } from '../ir.ts';
import { broadcastShapes } from '../shapes.ts';

type ReductionOp = 'Sum' | 'Mean' | 'Max' | 'Min' | 'Prod';

/** What a node may be replaced by, or undefined when the rule does not apply. */
type Rule<O extends Op> = (node: NodeOf<O>) => Node | undefined;

const arithmeticOfSplats: Partial<Record<Op, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

/** The same of integers of 32 bits, which wrap around. */
const integerArithmeticOfSplats: typeof arithmeticOfSplats = {
  Add: (a, b) => (a + b) | 0,
  Sub: (a, b) => (a - b) | 0,
  Mul: Math.imul,
  Div: (a, b) => (a / b) | 0,
};

/** The constant operand that leaves the other one unchanged: [as first, as second operand]. */
const neutral: Partial<Record<Op, [number | undefined, number]>> = {
  Add: [0, 0],
  Sub: [undefined, 0],
  Mul: [1, 1],
  Div: [undefined, 1],
};

/** An operand without a broadcast that the operation does by itself. */
function unbroadcast(operand: Node, other: Node, result: readonly number[]): Node {
  const value = splatValue(operand);
  if (value !== undefined && operand.type.shape.length > 0 && sameShape(other.type.shape, result)) {
    return scalar(value, operand.type.dtype);
  }
  if (operand.op !== 'Broadcast') return operand;
  const [source] = operand.inputs;
  return sameShape(broadcastShapes(source.type.shape, other.type.shape), result) ? source : operand;
}

function simplifyBinary(node: Node): Node | undefined {
  const [a, b] = node.inputs;
  const { shape, dtype } = node.type;
  const left = splatValue(a);
  const right = splatValue(b);
  const compute = (dtype === 'int32' ? integerArithmeticOfSplats : arithmeticOfSplats)[node.op];
  if (left !== undefined && right !== undefined && compute !== undefined) {
    return constant([compute(left, right)], shape, dtype);
  }
  const [first, second] = neutral[node.op] ?? [];
  if (left !== undefined && left === first && sameShape(b.type.shape, shape)) return b;
  if (right !== undefined && right === second && sameShape(a.type.shape, shape)) return a;
  const narrow = unbroadcast(a, b, shape);
  // One of two broadcasts must stay.
  const inputs = [narrow, unbroadcast(b, narrow, shape)];
  if (inputs[0] !== a || inputs[1] !== b) return make(node.op, node.params, inputs, node.layer);
  if (node.op !== 'Mul') return addBelowLeadingOnes(node);
  return (
    maskAsSelect(a, b) ?? maskAsSelect(b, a) ?? boundedStep(a, b) ?? boundedStep(b, a) ?? addBelowLeadingOnes(node)
  );
}

/** y * (condition ? 1 : 0) -> condition ? y : 0, the gradient of a rectifier. */
function maskAsSelect(y: Node, mask: Node): Node | undefined {
  if (mask.op !== 'Select' || !sameShape(y.type.shape, mask.type.shape)) return undefined;
  const [condition, whenTrue, whenFalse] = mask.inputs;
  if (splatValue(whenTrue) !== 1 || splatValue(whenFalse) !== 0) return undefined;
  return select(condition, y, scalar(0, y.type.dtype));
}

/** Bounds whose difference to the next float32, and its inverse, are float32, too. */
const [SMALLEST_BOUND, LARGEST_BOUND] = [2 ** -100, 2 ** 100];

/**
 * The derivative of a rectifier with a bound above 0: the comparison with the bound, and its truth values as numbers, in one operation
 * that uses all threads. That is no number where x is none, which no truth value is; but there the step is none, either.
 */
function boundedStep(isUpTo: Node, step: Node): Node | undefined {
  if (step.op !== 'Step' || isUpTo.op !== 'Cast' || isUpTo.inputs[0].op !== 'LessEqual') return undefined;
  const [x, bound] = isUpTo.inputs[0].inputs;
  const value = splatValue(bound) ?? 0;
  if (x !== step.inputs[0] || value < SMALLEST_BOUND || value > LARGEST_BOUND) return undefined;
  return binary('Mul', make('UpTo', { bound: value }, [x]), step);
}

/** What a transposition of the last two axes was made of; a product reads its operand either way. */
function untransposed(x: Node): Node | undefined {
  if (x.op !== 'Transpose') return undefined;
  const { permutation } = x.params;
  const rank = permutation.length;
  const swapped = (axis: number) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis);
  return permutation.every((axis, index) => axis === swapped(index)) ? x.inputs[0] : undefined;
}

/** Leading axes of size 1 are not needed: a product of rank 2 is the fastest. */
const simplifyMatMul: Rule<'MatMul'> = ({ inputs: [a, b], params, type: { shape } }) => {
  const [left, right] = [untransposed(a), untransposed(b)];
  // ONNX Runtime reads matrices of integers in one order alone.
  if (a.type.dtype === 'float32' && (left !== undefined || right !== undefined)) {
    const { transposeA, transposeB } = params;
    return matmul(left ?? a, right ?? b, transposeA !== (left !== undefined), transposeB !== (right !== undefined));
  }
  const isBatch = ({ type }: Node) => type.shape.length > 2;
  if ((!isBatch(a) && !isBatch(b)) || elementCount(shape.slice(0, -2)) !== 1) return undefined;
  const matrix = (x: Node) => reshape(x, x.type.shape.slice(-2));
  return reshape(matmul(matrix(a), matrix(b), params.transposeA, params.transposeB), shape);
};

const simplifyTranspose: Rule<'Transpose'> = ({ inputs: [x], params: { permutation }, type: { shape, dtype } }) => {
  const value = splatValue(x);
  if (value !== undefined) return constant([value], shape, dtype);
  if (x.op === 'Transpose') {
    return transpose(
      x.inputs[0],
      permutation.map((axis) => x.params.permutation[axis]),
    );
  }
  return keepsOrder(x, permutation) ? reshape(x, shape) : undefined;
};

/** True for a transposition that moves axes of size 1 alone, so that the elements stay where they are. */
function keepsOrder(x: Node, permutation: readonly number[]): boolean {
  const moved = permutation.filter((axis) => x.type.shape[axis] !== 1);
  return moved.every((axis, index) => index === 0 || moved[index - 1] < axis);
}

const simplifyReshape: Rule<'Reshape'> = ({ inputs: [x], type: { shape, dtype } }) => {
  const value = splatValue(x);
  if (value !== undefined) return constant([value], shape, dtype);
  if (x.op === 'Constant') return constant(x.params.values, shape, dtype);
  if (sameShape(x.type.shape, shape)) return x;
  if (x.op === 'Slice') return leadingSliceOfReshape(x, shape);
  return x.op === 'Reshape' ? reshape(x.inputs[0], shape) : undefined;
};

/** Elements that lie side by side, as a slice of the source in the shape that they are wanted in: of rows, say. */
function leadingSliceOfReshape({ inputs: [source], params: { begin, size, steps } }: NodeOf<'Slice'>, shape: Shape) {
  const isWhole = (axis: number) => begin[axis] === 0 && size[axis] === source.type.shape[axis];
  if (shape.length === 0 || steps.some((step) => step !== 1) || !size.every((_, axis) => axis === 0 || isWhole(axis)))
    return undefined;
  const row = elementCount(shape.slice(1));
  const first = begin[0] * elementCount(size.slice(1));
  if (first % row !== 0 || elementCount(source.type.shape) % row !== 0) return undefined;
  const rows = reshape(source, [elementCount(source.type.shape) / row, ...shape.slice(1)]);
  return slice(rows, [first / row, ...shape.slice(1).map(() => 0)], shape);
}

const simplifyBroadcast: Rule<'Broadcast'> = ({ inputs: [x], type: { shape, dtype } }) => {
  const value = splatValue(x);
  if (value !== undefined) return constant([value], shape, dtype);
  return sameShape(x.type.shape, shape) ? x : undefined;
};

const simplifyTile: Rule<'Tile'> = ({ inputs: [x], params: { repeats }, type: { shape } }) => {
  const spreads = repeats.every((count, axis) => count === 1 || x.type.shape[axis] === 1);
  return spreads ? make('Broadcast', { shape }, [x]) : undefined;
};

/** A one-hot code stays one through integers and booleans. */
const simplifyCast: Rule<'Cast'> = ({ inputs: [x], params: { dtype } }) => {
  if (x.type.dtype === dtype) return x;
  const value = splatValue(x);
  if (value !== undefined && dtype !== 'bool')
    return constant([dtype === 'int32' ? value | 0 : value], x.type.shape, dtype);
  if (dtype !== 'float32') return undefined;
  return oneHotBehind(x);
};

/** The one-hot code that a chain of casts, reshapes, and "not equal to 0" started from, in the shape of its end. */
function oneHotBehind(x: Node): Node | undefined {
  if (x.op === 'OneHot') return x.params.on === 1 && x.params.off === 0 ? x : undefined;
  if (x.op === 'Cast') return oneHotBehind(x.inputs[0]);
  if (x.op === 'Reshape') {
    const encoded = oneHotBehind(x.inputs[0]);
    return encoded && reshape(encoded, x.type.shape);
  }
  if (x.op !== 'Not' || x.inputs[0].op !== 'Equal') return undefined;
  const [compared, zero] = x.inputs[0].inputs;
  return splatValue(zero) === 0 ? oneHotBehind(compared) : undefined;
}

const simplifyNeg: Rule<'Neg'> = ({ inputs: [x], type: { shape, dtype } }) => {
  const value = splatValue(x);
  if (value !== undefined) return constant([dtype === 'int32' ? -value | 0 : -value], shape, dtype);
  return x.op === 'Neg' ? x.inputs[0] : undefined;
};

const simplifyReduction: Rule<ReductionOp> = ({
  op,
  inputs: [x],
  params: { axes, keepDims },
  type: { shape },
  layer,
}) => {
  const sizes = x.type.shape;
  if (axes.every((axis) => sizes[axis] === 1)) return reshape(x, shape);
  // Axes of size 1 that a reshape put in are left out again.
  if (x.op !== 'Reshape' || !sizes.includes(1)) return undefined;
  const kept = sizes.map((_, axis) => axis).filter((axis) => sizes[axis] !== 1);
  const lower = reshape(
    x,
    kept.map((axis) => sizes[axis]),
  );
  const remaining = axes.filter((axis) => sizes[axis] !== 1).map((axis) => kept.indexOf(axis));
  return reshape(make(op, { axes: remaining, keepDims }, [lower], layer), shape);
};

/** The sum of negatives is the negative of the sum, which is smaller; so is their mean. */
const simplifySum: Rule<'Sum' | 'Mean'> = (node) => {
  const [x] = node.inputs;
  return x.op === 'Neg' ? unary('Neg', make(node.op, node.params, x.inputs, node.layer)) : simplifyReduction(node);
};

/** What a reshape put axes of size 1 in front of. */
function withoutLeadingOnes(x: Node): Node | undefined {
  if (x.op !== 'Reshape') return undefined;
  const [source] = x.inputs;
  const added = x.type.shape.length - source.type.shape.length;
  return added > 0 && sameShape([...Array<number>(added).fill(1), ...source.type.shape], x.type.shape)
    ? source
    : undefined;
}

/**
 * Adds a bias before the axis of size 1 that TensorFlow.js's products put in front of the batch, so that the product and
 * the bias become one operation.
 */
function addBelowLeadingOnes(node: Node): Node | undefined {
  const [a, b] = node.inputs;
  const [left, right] = [withoutLeadingOnes(a), withoutLeadingOnes(b)];
  const rank = (left ?? right)?.type.shape.length;
  if (rank === undefined) return undefined;
  const operands = [left ?? a, right ?? b];
  if (operands.some(({ type }) => type.shape.length > rank)) return undefined;
  return reshape(make(node.op, node.params, operands, node.layer), node.type.shape);
}

/** The part that a slice cuts out of a concatenation, where it lies within one. */
const simplifySlice: Rule<'Slice'> = ({ inputs: [x], params: { begin, size, steps } }) => {
  if (x.op === 'Transpose') return sliceBeforeTranspose(x, begin, size, steps);
  if (x.op !== 'Concat' || steps.some((step) => step !== 1)) return undefined;
  const { axis } = x.params;
  let offset = 0;
  for (const part of x.inputs) {
    const length = part.type.shape[axis];
    if (begin[axis] >= offset && begin[axis] + size[axis] <= offset + length) {
      return slice(
        part,
        begin.map((start, other) => (other === axis ? start - offset : start)),
        size,
      );
    }
    offset += length;
  }
  return undefined;
};

/** A slice of whole rows, before the transposition that its elements need not move for. */
function sliceBeforeTranspose(
  { inputs: [x], params: { permutation } }: NodeOf<'Transpose'>,
  begin: readonly number[],
  size: readonly number[],
  steps: readonly number[],
): Node | undefined {
  const before = (values: readonly number[]) => permutation.map((_, axis) => values[permutation.indexOf(axis)]);
  if (!before(size).every((length, axis) => axis === 0 || length === x.type.shape[axis])) return undefined;
  const part = slice(x, before(begin), before(size), before(steps));
  return keepsOrder(part, permutation) ? reshape(part, size) : undefined;
}

/** Neighbouring slices of one tensor, joined again. */
const simplifyConcat: Rule<'Concat'> = ({ inputs, params: { axis }, type: { shape } }) => {
  const [first] = inputs;
  if (inputs.length === 1) return first;
  if (axis > 0 && inputs.every((part) => stacksAlong(part, axis))) return stackedInFront(inputs, axis);
  if (first.op !== 'Slice') return undefined;
  const [source] = first.inputs;
  let next = first.params.begin[axis];
  for (const part of inputs) {
    if (part.op !== 'Slice' || part.inputs[0] !== source || part.params.steps.some((step) => step !== 1))
      return undefined;
    const aligned = part.params.begin.every(
      (start, other) => start === (other === axis ? next : first.params.begin[other]),
    );
    if (!aligned) return undefined;
    next += part.params.size[axis];
  }
  return slice(source, first.params.begin, shape);
};

/** True for a part that is one of a stack along an axis that is not the last, behind axes of any size. */
const stacksAlong = ({ type: { shape } }: Node, axis: number) =>
  shape[axis] === 1 && axis < shape.length - 1 && elementCount(shape.slice(0, axis)) > 1;

/**
 * Time steps stacked along the second axis, say, as a transposition of the same along the first, which is a plain sequence of
 * rows: it cancels against another one, or moves behind what treats each row alike.
 */
function stackedInFront(parts: readonly Node[], axis: number): Node {
  const front = parts.map((part) => reshape(part, [1, ...part.type.shape.toSpliced(axis, 1)]));
  const rank = parts[0].type.shape.length;
  const permutation = Array.from({ length: rank }, (_, i) => (i < axis ? i + 1 : i === axis ? 0 : i));
  return transpose(make('Concat', { axis: 0 }, front), permutation);
}

const rules: { readonly [O in Op]?: Rule<O> } = {
  Add: simplifyBinary,
  Sub: simplifyBinary,
  Mul: simplifyBinary,
  Div: simplifyBinary,
  Maximum: simplifyBinary,
  Minimum: simplifyBinary,
  Pow: ({ inputs: [x, exponent], type: { shape } }) =>
    splatValue(exponent) === 2 && sameShape(x.type.shape, shape) ? binary('Mul', x, x) : undefined,
  MatMul: simplifyMatMul,
  Transpose: simplifyTranspose,
  Reshape: simplifyReshape,
  Broadcast: simplifyBroadcast,
  Tile: simplifyTile,
  Cast: simplifyCast,
  Neg: simplifyNeg,
  Not: ({ inputs: [x] }) => (x.op === 'Not' ? x.inputs[0] : undefined),
  Sum: simplifySum,
  Mean: simplifySum,
  Max: simplifyReduction,
  Min: simplifyReduction,
  Prod: simplifyReduction,
  Slice: simplifySlice,
  Concat: simplifyConcat,
};

function simplifyNode(node: Node): Node {
  for (let current = node; ;) {
    const rule = rules[current.op] as Rule<Op> | undefined;
    const simpler = rule?.(current as NodeOf<Op>);
    if (simpler === undefined || simpler === current) return current;
    current = simpler;
  }
}

export function simplify(graph: Graph): Graph {
  return rewrite(graph, topologicalOrder(graph), simplifyNode);
}
