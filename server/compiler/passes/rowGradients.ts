/**
 * @file Lets the gradient of an embedding leave the graph as the rows that were looked up: a dense [vocabulary, units]
 * gradient would cost a pass over the table at every step.
 */
import { elementCount } from '../../protocol/shape.ts';
import { reshape } from '../build.ts';
import type { Graph } from '../ir.ts';
import { portName } from '../ports.ts';

/**
 * Outputs `gradient:W` that are a sum into segments become `gradient:W` (the rows, [n, width]) and `rows:W` (their
 * indices, [n]). A table that is used in two places (tied weights) keeps its dense gradient.
 * @returns the graph, and the number of rows by weight
 */
export function splitRowGradients(
  graph: Graph,
  weights: readonly string[],
): { graph: Graph; rows: Map<string, number> } {
  const outputs = new Map(graph.outputs);
  const rows = new Map<string, number>();
  for (const weight of weights) {
    const gradient = outputs.get(portName.gradient(weight));
    if (gradient?.op !== 'SegmentSum' || gradient.type.dtype !== 'float32') continue;
    const [values, indices] = gradient.inputs;
    const count = values.type.shape[0];
    outputs.set(portName.gradient(weight), reshape(values, [count, elementCount(values.type.shape.slice(1))]));
    outputs.set(portName.rows(weight), indices);
    rows.set(weight, count);
  }
  return { graph: { outputs }, rows };
}
