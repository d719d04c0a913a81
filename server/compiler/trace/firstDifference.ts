/** @file Compares two traces of the same program. */
import { sameShape, topologicalOrder, type Distribution, type Graph, type Node } from '../ir.ts';

/** Largest difference of the parameters of a distribution, which are estimated from drawn numbers. */
const TOLERANCE = 1e-3;

/** The first operation of `a`, inputs before their users, that `b` does not have in its place; undefined if there is none. */
export function firstDifference(a: Graph, b: Graph): Node | undefined {
  const first = topologicalOrder(a);
  const second = topologicalOrder(b);
  const place = new Map<Node, number>();
  for (const order of [first, second]) order.forEach((node, index) => place.set(node, index));
  const sameInputs = (x: Node, y: Node) =>
    x.inputs.length === y.inputs.length && x.inputs.every((input, i) => place.get(input) === place.get(y.inputs[i]));
  const different = first.findIndex((node, index) => {
    const other = second.at(index);
    return other === undefined || !sameOperation(node, other) || !sameInputs(node, other);
  });
  if (different >= 0) return first[different];
  return second.length > first.length ? second[first.length] : undefined;
}

function sameOperation(a: Node, b: Node): boolean {
  if (a.op !== b.op || a.type.dtype !== b.type.dtype || !sameShape(a.type.shape, b.type.shape)) return false;
  if (a.op === 'Constant' && b.op === 'Constant') {
    const other = b.params.values;
    return (
      a.params.values.length === other.length &&
      a.params.values.every((value: number, index: number) => Object.is(value, other[index]))
    );
  }
  if (a.op === 'Random' && b.op === 'Random') {
    return a.params.stream === b.params.stream && sameDistribution(a.params.distribution, b.params.distribution);
  }
  return JSON.stringify(a.params, exactly) === JSON.stringify(b.params, exactly);
}

function sameDistribution(a: Distribution, b: Distribution): boolean {
  const [first, second] = [a, b].map((distribution) => Object.values(distribution) as unknown[]);
  return first.every((value, index) => {
    const other = second[index];
    if (typeof value !== 'number' || typeof other !== 'number') return value === other;
    return Math.abs(value - other) <= TOLERANCE * (1 + Math.abs(value));
  });
}

/** JSON has one word for infinities and NaN. */
function exactly(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value;
}
