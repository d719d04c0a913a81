/**
 * @file Sigmoids whose small values matter: those behind a logarithm or in a divisor (ranking losses, odds, normalized gates). ONNX
 * Runtime's operator is off by 6e-8 and gives 0 from about -18 on, where the logarithm is infinite; an exponential has its last bits down to -87.
 * Other sigmoids, such as the gates of recurrent layers, keep the faster operator.
 */
import { binary, replaceNodes, scalar, select, splatValue, unary } from '../build.ts';
import { topologicalOrder, type Graph, type Node, type Op } from '../ir.ts';

/** Operations whose result is small where an operand is, or holds the operand's elements. */
const PASSING: ReadonlySet<Op> = new Set<Op>([
  ...(['Abs', 'Neg', 'Sqrt', 'Clip', 'Add', 'Maximum', 'Minimum', 'Select'] as const),
  ...(['Sum', 'Mean', 'Max', 'Min', 'Prod', 'CumulativeSum', 'TopK'] as const),
  ...(['Reshape', 'Transpose', 'Broadcast', 'Tile', 'Concat', 'Slice', 'Pad', 'Gather', 'SegmentSum'] as const),
]);

export function makeSigmoidsPrecise(graph: Graph): Graph {
  const order = topologicalOrder(graph);
  /** Sigmoids by their operands. */
  const sigmoids = new Map(order.flatMap((node) => (node.op === 'Sigmoid' ? [[node.inputs[0], node]] : [])));
  if (sigmoids.size === 0) return graph;
  const passed = passedOperands(order, sigmoids);
  const behind = new Set(order.flatMap(smallMatters).filter((node) => passed.has(node)));
  // A set goes over what is added to it meanwhile.
  for (const node of behind) for (const operand of passed.get(node) as readonly Node[]) behind.add(operand);
  const precise = new Map<Node, Node>();
  for (const node of behind) {
    const sigmoid = node.op === 'Sigmoid' || node.op === 'Softplus' ? sigmoids.get(node.inputs[0]) : undefined;
    if (sigmoid) precise.set(sigmoid, logistic(sigmoid.inputs[0]));
  }
  return replaceNodes(graph, precise);
}

/** q = 1 / (1 + exp(|x|)) below 0, and 1 - q from there on, so that its difference to 1 is precise, too. */
function logistic(x: Node): Node {
  const below = binary('Div', scalar(1), binary('Add', unary('Exp', unary('Abs', x)), scalar(1)));
  return select(binary('Less', x, scalar(0)), below, binary('Sub', scalar(1), below));
}

/** The operand whose small errors near 0 are large ones of the result. */
function smallMatters({ op, inputs: [a, b] }: Node): Node[] {
  if (op === 'Log' || op === 'Sqrt') return [a];
  if (op === 'Div') return [b];
  return op === 'Pow' && !((splatValue(b) ?? 0) >= 1) ? [a] : [];
}

/** For nodes that are small where a sigmoid is: the operands through which they are, none for the sigmoids themselves. */
function passedOperands(order: readonly Node[], sigmoids: ReadonlyMap<Node, Node>): Map<Node, readonly Node[]> {
  const passed = new Map<Node, readonly Node[]>();
  const withWeights = new Set<Node>();
  for (const node of order) {
    if (node.op === 'Parameter' || node.inputs.some((input) => withWeights.has(input))) withWeights.add(node);
    const operands = node.inputs.filter((input) => passed.has(input));
    // The derivative of a softplus is a sigmoid, and multiplies the quotient of its logarithm.
    if (node.op === 'Sigmoid' || (node.op === 'Softplus' && sigmoids.has(node.inputs[0]))) passed.set(node, []);
    else if (operands.length > 0 && passes(node)) passed.set(node, operands);
  }
  return passed;

  function passes({ op, inputs: [a, b] }: Node): boolean {
    if (op === 'Div' || op === 'Pow') return passed.has(a);
    if (op === 'Sub') return splatValue(a) !== undefined;
    // Products with a label, a mask or another probability are small; a gate times what it lets through is a number of any size.
    if (op === 'Mul') return [a, b].every((factor) => passed.has(factor) || !withWeights.has(factor));
    return PASSING.has(op);
  }
}
