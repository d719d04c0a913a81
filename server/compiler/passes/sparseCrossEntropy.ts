/**
 * @file Replaces a cross entropy against one-hot codes by one against the labels themselves: over a vocabulary of 10,000
 * words a one-hot target costs several passes over [samples, vocabulary], picking the label's log-probability none.
 */
import { binary, make, reshape, rewrite, scalar, select, unary } from '../build.ts';
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

const isLastAxis = (node: NodeOf<'Sum'>) =>
  node.params.axes.length === 1 && node.params.axes[0] === node.inputs[0].type.shape.length - 1;

/** [..., classes] as [n, classes], labels as [n]. */
function rows(x: Node): Node {
  const { shape } = x.type;
  const classes = shape[shape.length - 1];
  return reshape(x, [shape.slice(0, -1).reduce((a, b) => a * b, 1), classes]);
}

/** sum(one-hot * x, last axis): the element of x that the label names. */
function pickLabel(node: NodeOf<'Sum'>): Node {
  const product = oneHotProduct(node.inputs[0]);
  if (product === undefined || !isLastAxis(node)) return node;
  if (!sameShape(product.other.type.shape, node.inputs[0].type.shape)) return node;
  const flat = rows(product.other);
  const labels = reshape(product.labels, [flat.type.shape[0]]);
  const picked = unary('Neg', make('SparseCrossEntropy', {}, [flat, labels]));
  return reshape(picked, node.type.shape);
}

/**
 * The gradient that tfjs derives for log-softmax l of one-hot targets y with row weights g [n, 1] or a scalar:
 * `g * y - sum(g * y) * exp(l)`, which is `-(exp(l) - y) g`.
 */
function logitsGradient(node: NodeOf<'Sub'>): Node {
  const [weighted, spread] = node.inputs;
  const product = oneHotProduct(weighted);
  if (product === undefined || spread.op !== 'Mul') return node;
  const [total, probabilities] = spread.inputs[1].op === 'Exp' ? spread.inputs : [spread.inputs[1], spread.inputs[0]];
  if (probabilities.op !== 'Exp' || total.op !== 'Sum') return node;
  const [logProbabilities] = probabilities.inputs;
  if (total.inputs[0] !== weighted || !total.params.keepDims || !isLastAxis(total)) return node;
  const { shape } = node.type;
  const weights = product.other.type.shape;
  // The weight must be the same for all classes of a row.
  if (weights.length > 0 && weights[weights.length - 1] !== 1) return node;
  const flat = rows(logProbabilities);
  const labels = reshape(product.labels, [flat.type.shape[0]]);
  const rowWeights =
    weights.length === 0
      ? make('Broadcast', { shape: [flat.type.shape[0]] }, [product.other])
      : reshape(make('Broadcast', { shape: [...shape.slice(0, -1), 1] }, [product.other]), [flat.type.shape[0]]);
  const isClass = binary(
    'And',
    binary('GreaterEqual', labels, scalar(0, 'int32')),
    binary('Less', labels, scalar(flat.type.shape[1], 'int32')),
  );
  const dy = select(isClass, unary('Neg', rowWeights), scalar(0));
  const error = make('SparseCrossEntropyGrad', {}, [flat, labels]);
  return reshape(binary('Mul', error, reshape(dy, [flat.type.shape[0], 1])), shape);
}

/** `exp(l) - y` of one-hot targets y, as tf.losses.softmaxCrossEntropy has it. */
function probabilityError(node: NodeOf<'Sub'>): Node {
  const [probabilities, codes] = node.inputs;
  const codedLabels = labelsOf(codes);
  if (codedLabels === undefined || probabilities.op !== 'Exp') return node;
  if (!sameShape(codes.type.shape, probabilities.type.shape)) return node;
  const flat = rows(probabilities.inputs[0]);
  const labels = reshape(codedLabels, [flat.type.shape[0]]);
  const gradient = make('SparseCrossEntropyGrad', {}, [flat, labels]);
  return reshape(gradient, node.type.shape);
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
