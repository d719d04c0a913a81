/**
 * @file Moves transpositions behind elementwise operations and reductions, so that those between two convolutions meet
 * and cancel (simplify.ts): TensorFlow.js keeps channels last, ONNX Runtime's convolutions want them first.
 */
import { inverse, make, reshape, rewrite, transpose } from '../build.ts';
import { binaryOps, topologicalOrder, unaryOps, type Graph, type Node, type NodeOf, type Op } from '../ir.ts';

const elementwise: ReadonlySet<Op> = new Set<Op>([...unaryOps, ...binaryOps, 'UpTo', 'Clip', 'Cast', 'Select']);

/** The operand as it must be for the operation to happen before the transposition; undefined when that costs a copy. */
function untransposed(operand: Node, permutation: readonly number[]): Node | undefined {
  const { shape } = operand.type;
  if (shape.length === 0) return operand;
  if (operand.op === 'Transpose' && operand.params.permutation.join() === permutation.join()) return operand.inputs[0];
  // A vector along one axis (a bias, batch statistics): transposing it is a reshape.
  if (shape.filter((size) => size !== 1).length > 1) return undefined;
  const full = [...Array<number>(permutation.length - shape.length).fill(1), ...shape];
  return reshape(
    operand,
    inverse(permutation).map((axis) => full[axis]),
  );
}

function sinkThroughElementwise(node: Node): Node {
  const first = node.inputs.find(
    (input): input is NodeOf<'Transpose'> =>
      input.op === 'Transpose' && input.type.shape.length === node.type.shape.length,
  );
  if (first === undefined) return node;
  const { permutation } = first.params;
  const operands = node.inputs.map((input) => untransposed(input, permutation));
  if (operands.some((operand) => operand === undefined)) return node;
  return transpose(make(node.op, node.params, operands as Node[], node.layer), permutation);
}

function sinkThroughReduction(node: NodeOf<'Sum' | 'Mean' | 'Max' | 'Min' | 'Prod'>): Node {
  const [x] = node.inputs;
  if (x.op !== 'Transpose') return node as Node;
  const { permutation } = x.params;
  const axes = node.params.axes.map((axis) => permutation[axis]);
  const kept = permutation.filter((axis) => !axes.includes(axis));
  const reduced = make(node.op, { axes, keepDims: node.params.keepDims }, x.inputs, node.layer);
  if (node.params.keepDims) return transpose(reduced, permutation);
  const order = [...kept].sort((a, b) => a - b);
  return transpose(
    reduced,
    kept.map((axis) => order.indexOf(axis)),
  );
}

/** An operation along the last axis, which a transposition may leave where it is. */
function sinkThroughRows(node: Node): Node {
  const [x] = node.inputs;
  if (x.op !== 'Transpose' || x.params.permutation.at(-1) !== x.type.shape.length - 1) return node;
  return transpose(make(node.op, node.params, x.inputs, node.layer), x.params.permutation);
}

export function sinkTransposes(graph: Graph): Graph {
  return rewrite(graph, topologicalOrder(graph), (node) => {
    switch (node.op) {
      case 'Softmax':
      case 'LogSoftmax':
        return sinkThroughRows(node);
      case 'Sum':
      case 'Mean':
      case 'Max':
      case 'Min':
      case 'Prod':
        return sinkThroughReduction(node as NodeOf<'Sum'>);
      default:
        return elementwise.has(node.op) ? sinkThroughElementwise(node) : node;
    }
  });
}
