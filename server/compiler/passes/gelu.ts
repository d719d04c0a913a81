/**
 * @file The derivative of a GELU (Hendrycks & Gimpel 2016, the exact one): `Φ(x) + x φ(x)`, from what the rule of products makes of it. The GELU
 * reads the same Φ then, and the numbers that multiply the factors of a product become one.
 */
import { binary, replaceNodes, scalar, splatValue, unary } from '../build.ts';
import { sameShape, topologicalOrder, usersOf, type Graph, type Node } from '../ir.ts';

/** A node as a number times tensors of its shape. */
interface Product {
  readonly number: number;
  readonly tensors: readonly Node[];
}

/** The x of `1 + erf(x / √2)`, half of which is Φ(x). */
interface Gelu {
  readonly x: Node;
  readonly cdf: Node;
}

/** The derivative has three tensors and the gradient's. */
const MOST_TENSORS = 8;
/** φ(0) */
const DENSITY_AT_0 = 1 / Math.sqrt(2 * Math.PI);
/** Numbers of the graph were rounded to float32, some of them several times. */
const isAbout = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.abs(b);

/** Replaces derivatives of GELUs, and these GELUs. A GELU without a derivative stays as runtimes know it. */
export function simplifyGelus(graph: Graph): Graph {
  const order = topologicalOrder(graph);
  if (!order.some(({ op }) => op === 'Erf')) return graph;
  const products = productsOf(order);
  const replacement = new Map<Node, Node>();
  const gelus = new Map<Node, Gelu>();
  for (const node of order) {
    if (node.op !== 'Add') continue;
    const [a, b] = node.inputs.map((input) => products.get(input)!);
    const derivative = derivativeOf(a, b) ?? derivativeOf(b, a);
    if (derivative) replacement.set(node, derivative);
  }
  for (const [node, { number, tensors }] of products) {
    const doubled = tensors.find((tensor) => gelus.has(tensor));
    if (doubled === undefined || replacement.has(node)) continue;
    const { x, cdf } = gelus.get(doubled)!;
    if (isSame(tensors, [x, doubled])) replacement.set(node, times(binary('Mul', x, cdf), 2 * number));
  }
  return replaceNodes(graph, replacement);

  /** `dy (1 + erf(x / √2)) / 2 + dy x φ(x)` -> `dy (Φ(x) + x φ(x))`, with any number for 1 / 2. */
  function derivativeOf(first: Product, second: Product): Node | undefined {
    const doubled = first.tensors.find((tensor) => operandOfCdf(tensor, products));
    const exponential = second.tensors.find(({ op }) => op === 'Exp');
    if (doubled === undefined || exponential === undefined) return undefined;
    const x = operandOfCdf(doubled, products)!;
    const exponent = products.get(exponential.inputs[0])!;
    const dy = without(first.tensors, doubled);
    const isDerivative =
      isAbout(exponent.number, -0.5) &&
      isSame(exponent.tensors, [x, x]) &&
      isAbout(second.number, 2 * first.number * DENSITY_AT_0) &&
      dy.length > 0 &&
      isSame(second.tensors, [...dy, x, exponential]);
    if (!isDerivative) return undefined;
    const gelu = gelus.get(doubled) ?? { x, cdf: unary('NormalCdf', x) };
    gelus.set(doubled, gelu);
    const gradient = dy.reduce((product, tensor) => binary('Mul', product, tensor));
    const derivative = binary('Add', gelu.cdf, binary('Mul', x, unary('NormalDensity', x)));
    return binary('Mul', times(gradient, 2 * first.number), derivative);
  }
}

/** The x of `1 + erf(x / √2)`. */
function operandOfCdf({ op, inputs: [a, b] }: Node, products: ReadonlyMap<Node, Product>): Node | undefined {
  if (op !== 'Add') return undefined;
  const [erf, one] = a.op === 'Erf' ? [a, b] : [b, a];
  if (erf.op !== 'Erf' || splatValue(one) !== 1) return undefined;
  const { number, tensors } = products.get(erf.inputs[0])!;
  return tensors.length === 1 && isAbout(number, Math.SQRT1_2) ? tensors[0] : undefined;
}

/** Each node as a product. In that of another node, what several operations read is one tensor, unless it is a number times one. */
function productsOf(order: readonly Node[]): Map<Node, Product> {
  const users = usersOf(order);
  const products = new Map<Node, Product>();
  for (const node of order) products.set(node, productOf(node) ?? { number: 1, tensors: [node] });
  return products;

  function productOf({ op, inputs, type }: Node): Product | undefined {
    const [a, b] = inputs;
    const factor = (x: Node): Product | undefined => {
      if (x.type.dtype !== 'float32' || !sameShape(x.type.shape, type.shape)) return undefined;
      const product = products.get(x)!;
      const isTensor = product.tensors.length > 1 && users.get(x)!.length > 1;
      return isTensor ? { number: 1, tensors: [x] } : product;
    };
    if (op === 'Neg') return scaled(factor(a), -1);
    if (op !== 'Mul' && op !== 'Div') return undefined;
    const [left, right] = inputs.map(splatValue);
    if (right !== undefined) return scaled(factor(a), op === 'Mul' ? right : 1 / right);
    if (op === 'Div') return undefined;
    return left === undefined ? joined(factor(a), factor(b)) : scaled(factor(b), left);
  }
}

function scaled(product: Product | undefined, by: number): Product | undefined {
  return product && { number: product.number * by, tensors: product.tensors };
}

function joined(a: Product | undefined, b: Product | undefined): Product | undefined {
  if (!a || !b || a.tensors.length + b.tensors.length > MOST_TENSORS) return undefined;
  return { number: a.number * b.number, tensors: [...a.tensors, ...b.tensors] };
}

const times = (x: Node, number: number): Node => (isAbout(number, 1) ? x : binary('Mul', x, scalar(number)));

const without = (all: readonly Node[], one: Node): Node[] => all.toSpliced(all.indexOf(one), 1);

/** True for the same nodes in any order. */
function isSame(some: readonly Node[], others: readonly Node[]): boolean {
  const ids = (nodes: readonly Node[]) => nodes.map(({ id }) => id).toSorted((a, b) => a - b);
  return ids(some).join() === ids(others).join();
}
