/** @file Computes what depends on constants alone, once, with the same kernels that would compute it at every step. */
import { elementCount } from '../../protocol/shape.ts';
import { constant, rewrite } from '../build.ts';
import { checkIndices, watchIndices } from '../indexBounds.ts';
import { topologicalOrder, type Graph, type Node } from '../ir.ts';
import { lowerGraph } from '../lower/lowerGraph.ts';
import { BoundSession } from '../session.ts';

/** Larger results would bloat the graph (a broadcast, say) and are left to be computed. */
const LARGEST_FOLDED = 1 << 20;

/** @throws UserError for a lookup by constants that its table, a constant too, has no row for */
export async function foldConstants(graph: Graph): Promise<Graph> {
  const order = topologicalOrder(graph);
  const constantNodes = new Set<Node>();
  for (const node of order) {
    const foldable =
      node.op === 'Constant' || (node.inputs.length > 0 && node.inputs.every((x) => constantNodes.has(x)));
    if (foldable && elementCount(node.type.shape) <= LARGEST_FOLDED) constantNodes.add(node);
  }
  // Only what the rest of the graph uses need be known.
  const used = new Set([
    ...order.filter((node) => !constantNodes.has(node)).flatMap((node) => node.inputs),
    ...graph.outputs.values(),
  ]);
  const folded = [...used].filter((node) => constantNodes.has(node) && node.op !== 'Constant');
  if (folded.length === 0) return graph;
  const outputs = new Map(folded.map((node, index) => [`folded:${index}`, node]));
  const { graph: foldedGraph, watched } = watchIndices({ outputs });
  const session = await BoundSession.create(lowerGraph(foldedGraph), new Map(), { threads: 1, spinning: false });
  try {
    await session.run();
    checkIndices(watched, session.buffers);
    const values = new Map(
      [...outputs].map(([name, node]) => {
        const buffer = session.buffers.get(name) as Float32Array;
        return [node, constant(buffer, node.type.shape, node.type.dtype)];
      }),
    );
    return rewrite(graph, order, (node, original) => values.get(original) ?? node);
  } finally {
    await session.release();
  }
}
