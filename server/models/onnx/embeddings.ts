/** @file The tables of an ONNX graph that its samples are looked up in. */
import { arranged } from './arranging.ts';
import type { ModelGraph } from './modelGraph.ts';

/** The weights whose rows the integers of the first input name. */
export function embeddingsOfGraph({ inputs, nodes, weights }: ModelGraph): { layer: string; rows: number }[] {
  const indices = arranged([inputs[0].name], nodes);
  const tables = new Set(
    nodes.filter(({ op, inputs: [, at] }) => op === 'Gather' && indices.has(at)).map(({ inputs: [table] }) => table),
  );
  return weights.flatMap(({ name, layer, shape }) => (tables.has(name) ? [{ layer, rows: shape[0] }] : []));
}
