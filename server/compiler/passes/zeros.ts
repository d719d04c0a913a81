/** @file The tensors of a graph that are 0 whatever the batch: a gradient that is, comes from a loss that trains nothing. */
import { splatValue } from '../build.ts';
import { topologicalOrder, type Graph, type Node } from '../ir.ts';

/** The nodes that are known to be 0, values that are infinite left aside. */
export function zeroNodes(graph: Graph): ReadonlySet<Node> {
  const zeros = new Set<Node>();
  for (const node of topologicalOrder(graph)) if (isZero(node, (input) => zeros.has(input))) zeros.add(node);
  return zeros;
}

function isZero(node: Node, isZeroInput: (input: Node) => boolean): boolean {
  const { op, inputs } = node;
  switch (op) {
    case 'Constant':
      return splatValue(node) === 0;
    case 'Mul':
    case 'MatMul':
    case 'Conv':
    case 'ConvInputGrad':
    case 'ConvFilterGrad':
      return inputs.some(isZeroInput);
    case 'Add':
    case 'Sub':
    case 'Concat':
      return inputs.every(isZeroInput);
    case 'Div':
    case 'Neg':
    case 'Abs':
    case 'Cast':
    case 'Sum':
    case 'CumulativeSum':
    case 'Mean':
    case 'Reshape':
    case 'Transpose':
    case 'Broadcast':
    case 'Tile':
    case 'Slice':
    case 'Gather':
    case 'SegmentSum':
      return isZeroInput(inputs[0]);
    case 'Pad':
      return node.params.value === 0 && isZeroInput(inputs[0]);
    case 'MaxPoolGrad':
      return isZeroInput(inputs[1]);
    case 'Select':
      return inputs.slice(1).every(isZeroInput);
    default:
      return false;
  }
}
