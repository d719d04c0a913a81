/** @file The IR as text, one operation a line, numbered in order of computation; pinned by snapshots in tests. */
import { topologicalOrder, type Graph, type Node } from './ir.ts';

const MOST_VALUES = 8;

function parameterText(node: Node): string {
  if (node.op === 'Constant') {
    const values = Array.from(node.params.values.subarray(0, MOST_VALUES), (value) => Number(value.toPrecision(6)));
    return ` [${values.join(', ')}${node.params.values.length > MOST_VALUES ? ', …' : ''}]`;
  }
  const entries = Object.entries(node.params as Record<string, unknown>);
  return entries.length === 0
    ? ''
    : ` {${entries.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')}}`;
}

export function printGraph(graph: Graph): string {
  const numbers = new Map<Node, number>();
  const lines = topologicalOrder(graph).map((node) => {
    numbers.set(node, numbers.size);
    const operands = node.inputs.map((input) => `%${numbers.get(input)}`).join(', ');
    const type = `${node.type.dtype}[${node.type.shape.join(', ')}]`;
    return `%${numbers.get(node)}: ${type} = ${node.op}(${operands})${parameterText(node)}`;
  });
  const outputs = [...graph.outputs].map(([name, node]) => `${name} = %${numbers.get(node)}`);
  return [...lines, ...outputs].join('\n');
}
