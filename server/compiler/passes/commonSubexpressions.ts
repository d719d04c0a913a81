/** @file Computes equal subexpressions once. */
import { rewrite } from '../build.ts';
import { topologicalOrder, type Graph, type Node, type Op } from '../ir.ts';

const commutative: ReadonlySet<Op> = new Set<Op>(['Add', 'Mul']);

/** Constants larger than this are told apart by identity: comparing them costs more than it saves. */
const LARGEST_COMPARED_CONSTANT = 64;

/** JSON has one word for infinities and NaN. */
function exactly(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

const texts = new WeakMap<object, string>();

/** The parameters as text. A pass that rewrites a graph leaves the most of them as they are. */
function textOf(params: object): string {
  let text = texts.get(params);
  if (text === undefined) {
    text = JSON.stringify(params, exactly);
    texts.set(params, text);
  }
  return text;
}

function key(node: Node): string {
  const inputs = node.inputs.map((input) => input.id);
  if (commutative.has(node.op)) inputs.sort((a, b) => a - b);
  if (node.op !== 'Constant')
    return `${node.op} ${inputs.join()} ${node.type.dtype} ${node.type.shape.join()} ${textOf(node.params)}`;
  const { values } = node.params;
  return values.length > LARGEST_COMPARED_CONSTANT
    ? `Constant ${node.id}`
    : JSON.stringify([
        node.op,
        Array.from(values, (value) => (Object.is(value, -0) ? '-0' : String(value))),
        node.type,
      ]);
}

export function eliminateCommonSubexpressions(graph: Graph): Graph {
  const known = new Map<string, Node>();
  return rewrite(graph, topologicalOrder(graph), (node) => {
    const id = key(node);
    const first = known.get(id) ?? node;
    known.set(id, first);
    return first;
  });
}
