/**
 * @file Moves a factor per row, or a single one, from a large matrix behind or before the products that use it: the gradient
 * of a cross entropy over a vocabulary is scaled by the weight of each sample, which costs a pass over [samples, vocabulary].
 */
import { binary, make, matmul, replaceNodes, reshape } from '../build.ts';
import { elementCount, topologicalOrder, usersOf, type Graph, type Node, type NodeOf } from '../ir.ts';

interface Scaled {
  readonly matrix: Node;
  /** [rows, 1], or one number. */
  readonly factor: Node;
}

/** `matrix * factor` of rank 2. */
function scaled(node: Node): Scaled | undefined {
  if (node.op !== 'Mul' || node.type.shape.length !== 2 || node.type.dtype !== 'float32') return undefined;
  const [rows, columns] = node.type.shape;
  const isMatrix = ({ type: { shape } }: Node) => shape.length === 2 && shape[0] === rows && shape[1] === columns;
  const isFactor = ({ type: { shape } }: Node) =>
    elementCount(shape) === 1 || (shape.length === 2 && shape[0] === rows && shape[1] === 1);
  const [a, b] = node.inputs;
  if (isMatrix(a) && isFactor(b)) return { matrix: a, factor: b };
  return isMatrix(b) && isFactor(a) ? { matrix: b, factor: a } : undefined;
}

/** What a user of a scaled matrix computes, by scaling something smaller. */
function scaledElsewhere(user: Node, node: Node, { matrix, factor }: Scaled): Node | undefined {
  const [rows] = matrix.type.shape;
  const isSmaller = ({ type }: Node) => elementCount(type.shape) < elementCount(matrix.type.shape);
  if (user.op === 'MatMul' && user.inputs[0] !== user.inputs[1]) {
    const [a, b] = user.inputs;
    const { transposeA, transposeB } = user.params;
    // (factor M) b = factor (M b)
    if (a === node && !transposeA && isSmaller(user))
      return binary('Mul', matmul(matrix, b, false, transposeB), factor);
    // a' (factor M) = (factor a)' M
    if (b === node && transposeA && !transposeB && a.type.shape.length === 2 && isSmaller(a))
      return matmul(binary('Mul', a, factor), matrix, true, false);
    return undefined;
  }
  if (user.op !== 'Sum' || user.params.axes.join() !== '0') return undefined;
  const column = make('Broadcast', { shape: [rows, 1] }, [factor]);
  return reshape(matmul(column, matrix, true, false), (user as NodeOf<'Sum'>).type.shape);
}

export function moveRowScales(graph: Graph): Graph {
  const order = topologicalOrder(graph);
  const users = usersOf(order);
  const outputs = new Set(graph.outputs.values());
  const replacement = new Map<Node, Node>();
  for (const node of order) {
    const found = outputs.has(node) ? undefined : scaled(node);
    if (found === undefined) continue;
    const moved = (users.get(node) ?? []).map((user) => [user, scaledElsewhere(user, node, found)] as const);
    // Where one user needs the scaled matrix, the others may as well have it.
    if (moved.some(([user, other]) => other === undefined || replacement.has(user))) continue;
    for (const [user, other] of moved) replacement.set(user, other as Node);
  }
  return replaceNodes(graph, replacement);
}
