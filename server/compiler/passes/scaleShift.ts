/**
 * @file A scale and a shift for each channel of an image as one operation, which reads and writes the image once: a batch normalization, and its
 * gradient. For the processor alone.
 */
import { elementCount } from '../../protocol/shape.ts';
import { make, reshape, rewrite } from '../build.ts';
import { sameShape, topologicalOrder, usersOf, type Graph, type Node } from '../ir.ts';

/** Numbers of a channel in an image from which on a call for each of them takes less time than an image that is read twice. */
const MANY_POSITIONS = 128;
/** Those of a volume [batch, channels, depth, height, width]. */
const MOST_AXES = 5;

/** Replaces `x scale + shift` with x [batch, channels, …size] and a number for each channel, where nothing else reads the product. */
export function joinScalesAndShifts(graph: Graph): Graph {
  const order = topologicalOrder(graph);
  const users = usersOf(order);
  const outputs = new Set(graph.outputs.values());
  return rewrite(graph, order, (node, original) => {
    if (node.op !== 'Add') return node;
    const isNeededHereAlone = (term: Node) => users.get(term)?.length === 1 && !outputs.has(term);
    const [first, second] = node.inputs;
    const [firstBefore, secondBefore] = original.inputs;
    return (
      (isNeededHereAlone(firstBefore) && scaleShift(node, first, second)) ||
      (isNeededHereAlone(secondBefore) && scaleShift(node, second, first)) ||
      node
    );
  });
}

function scaleShift({ type, layer }: Node, product: Node, shift: Node): Node | undefined {
  const { dtype, shape } = type;
  if (product.op !== 'Mul' || dtype !== 'float32' || shape.length < 3 || shape.length > MOST_AXES) return undefined;
  if (elementCount(shape.slice(2)) < MANY_POSITIONS || !isOnePerChannel(shift, shape)) return undefined;
  const [scale, x] = isOnePerChannel(product.inputs[0], shape) ? product.inputs : product.inputs.toReversed();
  if (!isOnePerChannel(scale, shape) || !sameShape(x.type.shape, shape)) return undefined;
  const channels = [shape[1]];
  return make('ScaleShift', {}, [x, reshape(scale, channels), reshape(shift, channels)], layer);
}

/** True for a tensor with a number for each channel of an image [batch, channels, …size] that it is broadcast to. */
function isOnePerChannel({ type }: Node, [, channels, ...size]: readonly number[]): boolean {
  const ofChannels = [channels, ...size.map(() => 1)];
  return sameShape(type.shape, ofChannels) || sameShape(type.shape, [1, ...ofChannels]);
}
