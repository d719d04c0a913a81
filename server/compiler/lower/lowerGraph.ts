/** @file Lowers a graph of the IR to an ONNX graph. */
import type { OnnxGraph, OnnxValue } from '../../formats/onnx.ts';
import { topologicalOrder, type Graph, type Node, type NodeOf, type Op } from '../ir.ts';
import { portName } from '../ports.ts';
import { Emitter, onnxType, type LoweringTarget, type OnnxName } from './emitter.ts';
import { loweringRules, type Lowering } from './rules.ts';

/** Name of the ONNX input that a source is fed through. */
export function feedName(node: NodeOf<'Parameter'> | NodeOf<'Input'> | NodeOf<'Random'>): string {
  switch (node.op) {
    case 'Parameter':
      return portName.parameter(node.params.name);
    case 'Input':
      return node.params.name;
    case 'Random':
      return `random:${node.params.stream}`;
    default:
      return node satisfies never;
  }
}

function lowerNode<O extends Op>(node: NodeOf<O>, inputs: readonly OnnxName[], emitter: Emitter): OnnxName {
  const rule: Lowering<O> = loweringRules[node.op];
  return rule(node, inputs, emitter);
}

/** @param target default: any processor */
export function lowerGraph(graph: Graph, target: LoweringTarget = {}): OnnxGraph {
  const emitter = new Emitter(target);
  const names = new Map<Node, OnnxName>();
  const inputs = new Map<string, OnnxValue>();
  for (const node of topologicalOrder(graph)) {
    if (node.op === 'Parameter' || node.op === 'Input' || node.op === 'Random') {
      const name = feedName(node);
      inputs.set(name, { name, type: onnxType(node.type.dtype), shape: node.type.shape });
      names.set(node, name);
    } else {
      emitter.origin = node;
      const operands = node.inputs.map((input) => names.get(input) as OnnxName);
      names.set(node, lowerNode(node as NodeOf<Op>, operands, emitter));
    }
  }
  const outputs = [...graph.outputs].map(([name, node]) => {
    const { dtype, shape } = node.type;
    // Two outputs may be the same node, and an output may be an input: ONNX wants a name of its own for each.
    emitter.nodes.push({ op: 'Identity', inputs: [names.get(node) as OnnxName], outputs: [name] });
    return { name, type: onnxType(dtype), shape };
  });
  return { inputs: [...inputs.values()], outputs, initializers: emitter.initializers, nodes: emitter.nodes };
}
