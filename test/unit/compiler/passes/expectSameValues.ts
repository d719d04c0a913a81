/** @file Holds the outputs of a graph to those of another one, computed by ONNX Runtime. */
import type { Graph } from '../../../../server/compiler/ir.ts';
import { expectClose } from '../expectClose.ts';
import { evaluateGraph } from './evaluateGraph.ts';

export type Values = Awaited<ReturnType<typeof evaluateGraph>>;

export async function expectValues(graph: Graph, expected: Values): Promise<void> {
  const actual = await evaluateGraph(graph);
  for (const [name, values] of expected) expectClose(name, actual.get(name) as Float32Array, values as Float32Array);
}

export async function expectSameValues(after: Graph, before: Graph): Promise<void> {
  await expectValues(after, await evaluateGraph(before));
}
