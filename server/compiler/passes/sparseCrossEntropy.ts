/**
 * @file Replaces a cross entropy against one-hot codes by one against the labels themselves: over a vocabulary of 10,000
 * words a one-hot target costs several passes over [samples, vocabulary], picking the label's log-probability none.
 */
import { elementCount } from '../../protocol/shape.ts';
import { binary, inverse, make, reshape, rewrite, scalar, select, transpose, unary } from '../build.ts';
import { sameShape, topologicalOrder, type Graph, type Node, type NodeOf } from '../ir.ts';

/** The labels that one-hot codes were made from; a reshape may stand behind them that keeps the axis of classes. */
function labelsOf(node: Node): Node | undefined {
  if (node.op === 'Reshape' && node.type.shape.at(-1) === node.inputs[0].type.shape.at(-1))
    return labelsOf(node.inputs[0]);
  return node.op === 'OneHot' && node.params.on === 1 && node.params.off === 0 ? node.inputs[0] : undefined;
}

/** A product of one-hot codes with something, in either order. */
function oneHotProduct(node: Node): { labels: Node; other: Node } | undefined {
  if (node.op !== 'Mul') return undefined;
  for (const [codes, other] of [node.inputs, [node.inputs[1], node.inputs[0]]]) {
    const labels = labelsOf(codes);
    if (labels !== undefined && sameShape(codes.type.shape, node.type.shape)) return { labels, other };
  }
  return undefined;
}

/** The l of exp(l), of which a transposition may have been left behind. */
function exponentOf(node: Node): Node | undefined {
  if (node.op === 'Exp') return node.inputs[0];
  const [exponential] = node.op === 'Transpose' ? node.inputs : [];
  return exponential?.op === 'Exp' && node.op === 'Transpose'
    ? transpose(exponential.inputs[0], node.params.permutation)
    : undefined;
}

const isLastAxis = (node: NodeOf<'Sum'>) =>
  node.params.axes.length === 1 && node.params.axes[0] === node.inputs[0].type.shape.length - 1;

/** A tensor [..., classes] as rows [n, classes] in the order in which they lie in memory. */
interface Rows {
  readonly flat: Node;
  /** One value for each row, in the tensor's order, as [n]. */
  arrange(values: Node): Node;
  /** [n] or [n, classes] in the tensor's order and shape again. */
  restore(result: Node): Node;
}

/** The rows of a tensor; where it is transposed but for the last axis, those of its source, so that nothing large moves. */
function rowsOf(x: Node): Rows {
  const { shape } = x.type;
  const isTransposed = x.op === 'Transpose' && x.params.permutation.at(-1) === shape.length - 1;
  const source = isTransposed ? x.inputs[0] : x;
  const permutation = isTransposed ? x.params.permutation.slice(0, -1) : shape.slice(0, -1).map((_, axis) => axis);
  const leading = source.type.shape.slice(0, -1);
  const count = elementCount(leading);
  return {
    flat: reshape(source, [count, shape[shape.length - 1]]),
    arrange: (values) => reshape(transpose(reshape(values, shape.slice(0, -1)), inverse(permutation)), [count]),
    restore(result) {
      const [, ...classes] = result.type.shape;
      const axes = classes.length === 0 ? permutation : [...permutation, permutation.length];
      return transpose(reshape(result, [...leading, ...classes]), axes);
    },
  };
}

/** sum(one-hot * x, last axis): the element of x that the label names. */
function pickLabel(node: NodeOf<'Sum'>): Node {
  const product = oneHotProduct(node.inputs[0]);
  if (product === undefined || !isLastAxis(node)) return node;
  if (!sameShape(product.other.type.shape, node.inputs[0].type.shape)) return node;
  const { flat, arrange, restore } = rowsOf(product.other);
  const picked = unary('Neg', make('SparseCrossEntropy', {}, [flat, arrange(product.labels)]));
  return reshape(restore(picked), node.type.shape);
}

/**
 * The gradient that tfjs derives for log-softmax l of one-hot targets y with row weights g [n, 1] or a scalar:
 * `g * y - sum(g * y) * exp(l)`, which is `-(exp(l) - y) g`.
 */
function logitsGradient(node: NodeOf<'Sub'>): Node {
  const [weighted, spread] = node.inputs;
  const product = oneHotProduct(weighted);
  if (product === undefined || spread.op !== 'Mul') return node;
  const [total, probabilities] =
    exponentOf(spread.inputs[1]) === undefined ? [spread.inputs[1], spread.inputs[0]] : spread.inputs;
  const logProbabilities = exponentOf(probabilities);
  if (logProbabilities === undefined || total.op !== 'Sum') return node;
  if (total.inputs[0] !== weighted || !total.params.keepDims || !isLastAxis(total)) return node;
  const { shape } = node.type;
  const weights = product.other.type.shape;
  // The weight must be the same for all classes of a row.
  if (weights.length > 0 && weights[weights.length - 1] !== 1) return node;
  const { flat, arrange, restore } = rowsOf(logProbabilities);
  const labels = arrange(product.labels);
  const rowWeights = arrange(make('Broadcast', { shape: [...shape.slice(0, -1), 1] }, [product.other]));
  const isClass = binary(
    'And',
    binary('GreaterEqual', labels, scalar(0, 'int32')),
    binary('Less', labels, scalar(flat.type.shape[1], 'int32')),
  );
  const dy = select(isClass, unary('Neg', rowWeights), scalar(0));
  const error = make('SparseCrossEntropyGrad', {}, [flat, labels]);
  return restore(binary('Mul', error, reshape(dy, [flat.type.shape[0], 1])));
}

/** `exp(l) - y` of one-hot targets y, as tf.losses.softmaxCrossEntropy has it. */
function probabilityError(node: NodeOf<'Sub'>): Node {
  const [probabilities, codes] = node.inputs;
  const codedLabels = labelsOf(codes);
  const logProbabilities = exponentOf(probabilities);
  if (codedLabels === undefined || logProbabilities === undefined) return node;
  if (!sameShape(codes.type.shape, probabilities.type.shape)) return node;
  const { flat, arrange, restore } = rowsOf(logProbabilities);
  return restore(make('SparseCrossEntropyGrad', {}, [flat, arrange(codedLabels)]));
}

export function fuseSparseCrossEntropy(graph: Graph): Graph {
  return rewrite(graph, topologicalOrder(graph), (node) => {
    switch (node.op) {
      case 'Sum':
        return pickLabel(node);
      case 'Sub':
        return probabilityError(node) !== node ? probabilityError(node) : logitsGradient(node);
      default:
        return node;
    }
  });
}
