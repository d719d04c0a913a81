/**
 * @file Sums of the columns of a matrix, such as the gradient of a bias, as products with a row of ones: ONNX Runtime's own operator uses one
 * thread for them.
 */
import { elementCount } from '../../protocol/shape.ts';
import { constant, matmul, reshape, rewrite } from '../build.ts';
import { topologicalOrder, type Graph, type Node, type NodeOf } from '../ir.ts';

/** Rows from which on a product takes less time, on one thread and on two. */
const MANY_ROWS = 256;
/** A product of fewer columns has no work for several threads. */
const LEAST_COLUMNS = 16;

/** Replaces sums over the leading axes. */
export function sumColumnsByProducts(graph: Graph): Graph {
  return rewrite(graph, topologicalOrder(graph), (node) => (node.op === 'Sum' ? (product(node) ?? node) : node));
}

function product({ params: { axes }, inputs: [x], type, layer }: NodeOf<'Sum'>): Node | undefined {
  const { dtype, shape } = x.type;
  const rows = elementCount(shape.slice(0, axes.length));
  const columns = elementCount(shape.slice(axes.length));
  const isLeading = axes.every((axis) => axis < axes.length);
  if (dtype !== 'float32' || !isLeading || rows < MANY_ROWS || columns < LEAST_COLUMNS) return undefined;
  const sums = reshape(matmul(constant([1], [1, rows]), reshape(x, [rows, columns])), type.shape);
  sums.layer = layer;
  return sums;
}
