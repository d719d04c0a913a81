/**
 * @file Combines first what is known first, in sums and products of several terms: a backward pass then waits for fewer
 * operations, and what does not depend on it (the derivative of a gate, a bias) can be computed for all time steps at once.
 */
import { binary, replaceNodes } from '../build.ts';
import { productDepths, sameShape, termsOf, topologicalOrder, usersOf, type Graph, type Node } from '../ir.ts';

const isAssociative = (node: Node): node is Node & { op: 'Add' | 'Mul' } =>
  (node.op === 'Add' || node.op === 'Mul') && node.type.dtype === 'float32';

/** `(a b) c` -> `(b c) a`, where a needs more matrix products than b and c; values change by rounding alone. */
export function reassociate(graph: Graph): Graph {
  const order = topologicalOrder(graph);
  const depths = productDepths(order);
  const users = usersOf(order);
  const outputs = new Set(graph.outputs.values());

  // A term of one other such operation of the same shape, which nothing else needs.
  const isInner = (node: Node): boolean => {
    const [user, ...others] = users.get(node) ?? [];
    return (
      user?.op === node.op &&
      others.length === 0 &&
      !outputs.has(node) &&
      user.inputs[0] !== user.inputs[1] &&
      sameShape(user.type.shape, node.type.shape)
    );
  };
  const replacement = new Map<Node, Node>();
  for (const node of order) {
    if (!isAssociative(node) || isInner(node)) continue;
    const all = termsOf(node, (input) => input.op === node.op && isInner(input));
    const depthOf = (term: Node) => depths.get(term) as number;
    if (all.length < 3 || all.every((term) => depthOf(term) === depthOf(all[0]))) continue;
    const byDepth = all.toSorted((a, b) => depthOf(a) - depthOf(b));
    replacement.set(
      node,
      byDepth.reduce((combined, term) => binary(node.op, combined, term)),
    );
  }
  return replaceNodes(graph, replacement);
}
