/** @file Checks that a graph is well-typed; run after every pass, so that a faulty pass is caught where it happens. */
import { sameShape, topologicalOrder, type Graph, type Node, type Op, type TensorType } from './ir.ts';
import { resultType } from './shapes.ts';

const sources: ReadonlySet<Op> = new Set<Op>(['Parameter', 'Input', 'Random', 'Constant']);

const sameType = (a: TensorType, b: TensorType) => a.dtype === b.dtype && sameShape(a.shape, b.shape);
const typeText = ({ dtype, shape }: TensorType) => `${dtype}[${shape.join(', ')}]`;

function checkNode(node: Node): void {
  if (sources.has(node.op)) return;
  const inputs = node.inputs.map((input) => input.type);
  const expected = resultType(node.op, node.params, inputs);
  if (!sameType(expected, node.type)) {
    throw new TypeError(
      `${node.op} of ${inputs.map(typeText).join(', ')} is declared as ${typeText(node.type)}, not ${typeText(expected)}.`,
    );
  }
}

/** @throws TypeError naming the pass, when a node or an output has another type than it had, or an output is missing */
export function checkGraph(graph: Graph, pass: string, before: Graph): void {
  try {
    topologicalOrder(graph).forEach(checkNode);
    for (const [name, node] of before.outputs) {
      const output = graph.outputs.get(name);
      if (output === undefined) throw new TypeError(`The output ${name} is gone.`);
      if (!sameType(output.type, node.type)) {
        throw new TypeError(`The output ${name} is ${typeText(output.type)}; it was ${typeText(node.type)}.`);
      }
    }
  } catch (error) {
    throw new TypeError(`After the pass '${pass}': ${(error as Error).message}`, { cause: error });
  }
}
