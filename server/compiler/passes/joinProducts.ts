/**
 * @file Joins matrix products that share an operand (horizontal fusion). A recurrent layer of tfjs multiplies each time
 * step's input by the same weights, and adds up one product a time step for their gradient; one large product runs
 * nearer to the processor's peak than many small ones, and the sum over time happens inside it.
 */
import { groupBy } from '../../protocol/groupBy.ts';
import { binary, make, matmul, reduce, replaceNodes, slice } from '../build.ts';
import {
  productDepths,
  sameShape,
  termsOf,
  topologicalOrder,
  usersOf,
  type Graph,
  type Node,
  type NodeOf,
  type Shape,
} from '../ir.ts';

type Product = NodeOf<'MatMul'>;

const isMatrixProduct = (node: Node): node is Product =>
  node.op === 'MatMul' && node.inputs.every((input) => input.type.shape.length === 2);

const concat = (parts: readonly Node[]): Node => make('Concat', { axis: 0 }, parts);

/** `a_1 W, a_2 W, …` -> slices of `[a_1; a_2; …] W`, for products none of which needs another. */
export function joinProductsOfSharedOperand(graph: Graph): Graph {
  let current = graph;
  const tried = new Set<string>();
  for (;;) {
    const order = topologicalOrder(current);
    const groups = groupBy(
      order.filter((node) => isMatrixProduct(node) && !node.params.transposeA) as Product[],
      (node) => `${node.inputs[1].id} ${node.params.transposeB}`,
    );
    const next = [...groups].find(([key, group]) => group.length > 1 && !tried.has(key));
    if (next === undefined) return current;
    tried.add(next[0]);
    current = joinGroup(current, order, next[1]);
  }
}

function joinGroup(graph: Graph, order: readonly Node[], group: readonly Product[]): Graph {
  const members = new Set<Node>(group);
  // Members on the longest path to each node: members of equal depth do not need one another.
  const depth = new Map<Node, number>();
  for (const node of order) {
    const deepest = Math.max(
      0,
      ...node.inputs.map((input) => (depth.get(input) as number) + (members.has(input) ? 1 : 0)),
    );
    depth.set(node, deepest);
  }
  const joined = [...groupBy(group, (product) => depth.get(product)).values()].filter((level) => level.length > 1);
  if (joined.length === 0) return graph;
  const replacement = new Map<Node, Node>();
  const concatenated = concatenations(order);
  const users = usersOf(order);
  for (const unordered of joined) {
    const level = inOrderOf(concatenated, unordered);
    const [{ params, inputs }] = level;
    const product = matmul(concat(level.map((member) => member.inputs[0])), inputs[1], false, params.transposeB);
    const sums = sumsWithOneBias(level, users);
    const joinedSum = sums && binary('Add', product, sums.bias);
    let row = 0;
    level.forEach((member, index) => {
      const rows = slice(joinedSum ?? product, [row, 0], member.type.shape);
      replacement.set(sums?.nodes[index] ?? member, rows);
      row += member.type.shape[0];
    });
  }
  return replaceNodes(graph, replacement);
}

/** The sums of products with one bias that does not broadcast them, where each product is used for that alone. */
function sumsWithOneBias(
  products: readonly Product[],
  users: ReadonlyMap<Node, readonly Node[]>,
): { nodes: readonly Node[]; bias: Node } | undefined {
  const nodes = products.map((product) => (users.get(product)?.length === 1 ? users.get(product)?.[0] : undefined));
  const [first] = nodes;
  const bias = first?.op === 'Add' ? first.inputs.find((input) => input.type.shape.length === 1) : undefined;
  if (bias === undefined) return undefined;
  const isSum = (node: Node | undefined, index: number): node is Node =>
    node?.op === 'Add' &&
    node.inputs.includes(bias) &&
    node.inputs.includes(products[index]) &&
    sameShape(node.type.shape, products[index].type.shape);
  return nodes.every(isSum) ? { nodes, bias } : undefined;
}

const setKey = (nodes: readonly Node[]): string =>
  nodes
    .map(({ id }) => id)
    .sort((a, b) => a - b)
    .join();

/** What is joined along the first axis already, by the set of its parts. */
function concatenations(order: readonly Node[]): Map<string, readonly Node[]> {
  return new Map(
    order.flatMap((node) =>
      node.op === 'Concat' && node.params.axis === 0 ? [[setKey(node.inputs), node.inputs] as const] : [],
    ),
  );
}

/** The products in the order in which their operands are joined elsewhere, so that joining them once is enough. */
function inOrderOf(
  concatenated: ReadonlyMap<string, readonly Node[]>,
  products: readonly Product[],
): readonly Product[] {
  const operands = concatenated.get(setKey(products.map(({ inputs }) => inputs[0])));
  if (operands === undefined) return products;
  const place = new Map(operands.map((operand, index) => [operand, index]));
  return products.toSorted((a, b) => (place.get(a.inputs[0]) as number) - (place.get(b.inputs[0]) as number));
}

/**
 * `a_1' b_1 + a_2' b_2 + …` -> `[a_1; a_2; …]' [b_1; b_2; …]`, the sums of columns that a bias's gradient adds up
 * -> one sum, and both within the parts of concatenations: a GRU uses two parts of one matrix.
 */
export function joinSumsOfProducts(graph: Graph): Graph {
  const order = topologicalOrder(graph);
  const uses = new Map<Node, number>();
  const count = (node: Node) => uses.set(node, (uses.get(node) ?? 0) + 1);
  for (const node of order) node.inputs.forEach(count);
  for (const node of graph.outputs.values()) count(node);

  // An addition whose only user is another one belongs to that one's sum.
  const isInner = (node: Node) => node.op === 'Add' && uses.get(node) === 1;
  const inner = new Set(order.filter((node) => node.op === 'Add').flatMap((node) => node.inputs.filter(isInner)));

  const depths = productDepths(order);
  const depth = (node: Node | undefined) => (node === undefined ? 0 : (depths.get(node) ?? 0));
  // Forward, later time steps need more products, backward fewer. In the order of the steps, slices of one tensor are joined
  // without a copy.
  const byTime = (a: Node, b: Node) =>
    depth(b.inputs.at(-1)) - depth(a.inputs.at(-1)) ||
    depth(a.inputs[0]) - depth(b.inputs[0]) ||
    offset(a.inputs.at(-1)) - offset(b.inputs.at(-1));

  const replacement = new Map<Node, Node>();
  for (const node of order) {
    if (node.op !== 'Add' || inner.has(node)) continue;
    const joined = joinTerms(termsOf(node, (input) => inner.has(input)).toSorted(byTime), node.type.shape);
    if (joined !== undefined) replacement.set(node, joined);
  }
  return replaceNodes(graph, replacement);
}

/** The beginning of a slice in its source, as far as that tells the slices of one source apart. */
function offset(node: Node | undefined): number {
  if (node?.op === 'Reshape') return offset(node.inputs[0]);
  return node?.op === 'Slice' ? Math.max(...node.params.begin) : 0;
}

/** The sum of `terms`, which is of the given shape; a term that broadcasts to it is added by itself. */
function joinTerms(terms: readonly Node[], shape: Shape): Node | undefined {
  const isWhole = (term: Node) => sameShape(term.type.shape, shape);
  const products = terms.filter(
    (term): term is Product =>
      isWhole(term) && isMatrixProduct(term) && term.params.transposeA && !term.params.transposeB,
  );
  const sums = terms.filter(
    (term): term is NodeOf<'Sum'> =>
      isWhole(term) &&
      term.op === 'Sum' &&
      term.inputs[0].type.shape.length === 2 &&
      term.params.axes.join() === '0' &&
      !term.params.keepDims,
  );
  const concatenations = likeTheFirst(terms.filter((term) => isWhole(term) && term.op === 'Concat'));
  const stacked = (nodes: readonly Node[], operand: number) => concat(nodes.map((node) => node.inputs[operand]));
  const joined: Node[] = [];
  if (products.length > 1) joined.push(matmul(stacked(products, 0), stacked(products, 1), true, false));
  if (sums.length > 1) joined.push(reduce('Sum', stacked(sums, 0), [0]));
  if (concatenations.length > 1) joined.push(sumOfConcatenations(concatenations));
  if (joined.length === 0) return undefined;
  const groups: readonly (readonly Node[])[] = [products, sums, concatenations];
  const replaced = new Set(groups.filter((group) => group.length > 1).flat());
  return [...joined, ...terms.filter((term) => !replaced.has(term))].reduce((sum, term) => binary('Add', sum, term));
}

type Concatenation = NodeOf<'Concat'>;

/** Those along the same axis into parts of the same shapes as the first one. */
function likeTheFirst(nodes: readonly Node[]): Concatenation[] {
  const [first, ...rest] = nodes as readonly Concatenation[];
  if (first === undefined) return [];
  const isAlike = ({ params, inputs }: Concatenation) =>
    params.axis === first.params.axis &&
    inputs.length === first.inputs.length &&
    inputs.every((part, i) => sameShape(part.type.shape, first.inputs[i].type.shape));
  return [first, ...rest.filter(isAlike)];
}

/** `[a_1, b_1] + [a_2, b_2] + …` -> `[a_1 + a_2 + …, b_1 + b_2 + …]` */
function sumOfConcatenations(nodes: readonly Concatenation[]): Node {
  const [{ params, inputs }] = nodes;
  const sums = inputs.map((part, i) => {
    const terms = nodes.map((node) => node.inputs[i]);
    return joinTerms(terms, part.type.shape) ?? terms.reduce((sum, term) => binary('Add', sum, term));
  });
  return make('Concat', params, sums);
}
