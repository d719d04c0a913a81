/**
 * @file Sums of products over the images of a batch, one for each channel, as dot products: the gradients of a batch normalization and its
 * variance. A product of rows leaves no tensor of products behind, which would be written and read once more.
 */
import { elementCount } from '../../protocol/shape.ts';
import { binary, matmul, reduce, reshape, rewrite, scalar } from '../build.ts';
import { sameShape, topologicalOrder, usersOf, type Graph, type Node, type NodeOf } from '../ir.ts';

/** Numbers of a channel in an image from which on a product for each of them is worth its call. */
const MANY_POSITIONS = 512;

/** Replaces sums and means of products [batch, channels, …size] over all axes but the channels, where nothing else reads the products. */
export function takeDotProducts(graph: Graph): Graph {
  const order = topologicalOrder(graph);
  const users = usersOf(order);
  return rewrite(graph, order, (node, original) => {
    if (node.op !== 'Sum' && node.op !== 'Mean') return node;
    return users.get(original.inputs[0])?.length === 1 ? (dotProduct(node) ?? node) : node;
  });
}

function dotProduct({ op, params, inputs: [product], type, layer }: NodeOf<'Sum' | 'Mean'>): Node | undefined {
  const [batch, channels, ...size] = product.type.shape;
  const positions = elementCount(size);
  if (product.op !== 'Mul' || product.type.dtype !== 'float32' || positions < MANY_POSITIONS) return undefined;
  if (!isOverImages(params.axes, size.length)) return undefined;
  if (!product.inputs.every((factor) => sameShape(factor.type.shape, product.type.shape))) return undefined;
  const [a, b] = product.inputs.map((factor) => reshape(factor, [batch * channels, 1, positions]));
  const ofImages = reshape(matmul(a, b, false, true), [batch, channels]);
  const sum = reshape(reduce('Sum', ofImages, [0]), type.shape);
  const result = op === 'Sum' ? sum : binary('Mul', sum, scalar(1 / (batch * positions)));
  result.layer = layer;
  return result;
}

/** True for all axes but the second, that of the channels. @param size axes of an image */
function isOverImages(axes: readonly number[], size: number): boolean {
  return (
    size > 0 && axes.toSorted((a, b) => a - b).join() === [0, ...Array.from({ length: size }, (_, i) => i + 2)].join()
  );
}
