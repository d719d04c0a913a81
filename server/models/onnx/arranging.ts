/** @file What a graph gives another shape, order or type, and leaves as it is otherwise. */
import type { OnnxNode } from '../../formats/onnx.ts';

/** Operators that leave the numbers as they are. */
export const ARRANGING = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Cast', 'Transpose']);

/** The names of values, and of what nodes make of them by arranging alone. @param nodes in the order of the graph */
export function arranged(values: readonly string[], nodes: readonly OnnxNode[]): Set<string> {
  const all = new Set(values);
  for (const { op, inputs, outputs } of nodes) if (ARRANGING.has(op) && all.has(inputs[0])) all.add(outputs[0]);
  return all;
}
