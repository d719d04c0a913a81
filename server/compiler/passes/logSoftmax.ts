/**
 * @file Recognises the logarithm of a softmax, which TensorFlow.js writes out in two ways: one operation over the logits
 * in place of six, and one form for the passes behind.
 */
import { rewrite, unary } from '../build.ts';
import { sameShape, topologicalOrder, type Graph, type Node, type NodeOf } from '../ir.ts';

const behindReshapes = (node: Node): Node => (node.op === 'Reshape' ? behindReshapes(node.inputs[0]) : node);

const isOverLastAxis = ({ params, inputs: [x] }: NodeOf<'Sum' | 'Max'>) =>
  params.axes.length === 1 && params.axes[0] === x.type.shape.length - 1;

/** True where `node` is a largest value per row, of shape [..., 1], so that subtracting it changes no softmax. */
const isRowMaximum = (node: Node): boolean => {
  const source = behindReshapes(node);
  return source.op === 'Max' && isOverLastAxis(source as NodeOf<'Max'>) && node.type.shape.at(-1) === 1;
};

/** The x of `log(sum(exp(x), last axis))`. */
function logSumExpOperand(node: Node): Node | undefined {
  if (node.op !== 'Log') return undefined;
  const sum = behindReshapes(node.inputs[0]);
  if (sum.op !== 'Sum' || !isOverLastAxis(sum as NodeOf<'Sum'>)) return undefined;
  const [exponential] = sum.inputs;
  return exponential.op === 'Exp' ? exponential.inputs[0] : undefined;
}

/** The logits x of `x - max(x)`. */
function unshifted(node: Node): Node {
  return node.op === 'Sub' &&
    isRowMaximum(node.inputs[1]) &&
    behindReshapes(node.inputs[1]).inputs[0] === node.inputs[0]
    ? node.inputs[0]
    : node;
}

/** `s - log(sum(exp(s)))` of `s = x - max(x)`, and `x - (max(x) + log(sum(exp(x - max(x)))))` -> LogSoftmax(x) */
function logSoftmax(node: NodeOf<'Sub'>): Node {
  const [x, subtrahend] = node.inputs;
  // One number a row, not one a column of a square, or one a row of another axis.
  const isPerRow = x.type.shape.length > 0 && sameShape(subtrahend.type.shape, x.type.shape.with(-1, 1));
  if (!isPerRow) return node;
  const normalizer = behindReshapes(subtrahend);
  if (logSumExpOperand(normalizer) === x) return unary('LogSoftmax', unshifted(x));
  if (normalizer.op !== 'Add') return node;
  const [maximum, logarithm] = normalizer.inputs[0].op === 'Log' ? [...normalizer.inputs].reverse() : normalizer.inputs;
  const shifted = logSumExpOperand(logarithm);
  const isNormalizer =
    shifted !== undefined &&
    unshifted(shifted) === x &&
    shifted !== x &&
    behindReshapes(maximum) === maximumOf(shifted);
  return isNormalizer ? unary('LogSoftmax', x) : node;
}

const maximumOf = (shifted: Node): Node => behindReshapes(shifted.inputs[1]);

export function recogniseLogSoftmax(graph: Graph): Graph {
  return rewrite(graph, topologicalOrder(graph), (node) => (node.op === 'Sub' ? logSoftmax(node) : node));
}
