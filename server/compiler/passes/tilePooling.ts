/**
 * @file Max-pooling whose windows tile the image (2 x 2 with stride 2, say), without indices. The elements of a window
 * are as many tensors of the output's shape; the maximum is taken, and its gradient routed, element by element among
 * them, which is several times faster than MaxPool with indices and a scatter.
 *
 * A convolution before the pooling of which nothing but the filter needs a gradient (the first of a network) yields those
 * tensors itself: with stride 2 and the filter at the four places that a window's elements have in a filter one larger. Its patches then are a fraction of the originals, and its matrices of better shape.
 */
import { elementCount } from '../../protocol/shape.ts';
import { binary, make, replaceNodes, reshape, scalar, select, slice, transpose } from '../build.ts';
import { sameShape, topologicalOrder, usersOf, type Graph, type Node, type NodeOf } from '../ir.ts';
import { broadcastShapes } from '../shapes.ts';

type PoolGrad = NodeOf<'MaxPoolGrad'>;

/** True where the windows of a pooling cover its image without overlap, gap or padding. */
function tiles({ params: { filterSize, strides, dilations, pads }, type: { shape } }: PoolGrad): boolean {
  return (
    strides.join() === filterSize.join() &&
    shape.length === 4 &&
    [...dilations, ...pads].join() === '1,1,0,0,0,0' &&
    shape[2] % filterSize[0] === 0 &&
    shape[3] % filterSize[1] === 0
  );
}

/** What each element of the windows gets of the gradient: all of it goes to the first that is the maximum. */
function routeGradient(elements: readonly Node[], largest: Node, dy: Node): Node[] {
  let left = dy;
  return elements.map((element, index) => {
    if (index === elements.length - 1) return left;
    const isMaximum = binary('Equal', element, largest);
    const share = select(isMaximum, left, scalar(0));
    left = select(isMaximum, scalar(0), left);
    return share;
  });
}

/**
 * The elements of each window, as tensors of the output's shape, in row-major order within the window. Columns are told
 * apart by a plain matrix transposition, rows by copies of whole rows: one transposition of six axes is slower.
 */
function windowElements(x: Node, [rows, columns]: readonly number[]): Node[] {
  const [batch, channels, height, width] = x.type.shape;
  const [outHeight, outWidth] = [height / rows, width / columns];
  const bands = batch * channels * outHeight;
  const byColumn = transpose(reshape(x, [bands * rows * outWidth, columns]), [1, 0]);
  const column = (index: number) =>
    reshape(slice(byColumn, [index, 0], [1, bands * rows * outWidth]), [bands, rows, outWidth]);
  return Array.from({ length: rows * columns }, (_, index) => {
    const row = slice(column(index % columns), [0, Math.floor(index / columns), 0], [bands, 1, outWidth]);
    return reshape(row, [batch, channels, outHeight, outWidth]);
  });
}

/** The image whose {@link windowElements} are these. */
function joinWindows(elements: readonly Node[], [rows, columns]: readonly number[]): Node {
  const [batch, channels, outHeight, outWidth] = elements[0].type.shape;
  const bands = batch * channels * outHeight;
  const byColumn = Array.from({ length: columns }, (_, column) => {
    const parts = Array.from({ length: rows }, (__, row) =>
      reshape(elements[row * columns + column], [bands, outWidth]),
    );
    return reshape(make('Concat', { axis: 1 }, parts), [bands * rows * outWidth, 1]);
  });
  return reshape(make('Concat', { axis: 1 }, byColumn), [batch, channels, outHeight * rows, outWidth * columns]);
}

function poolGradient({ inputs: [x, dy], params }: PoolGrad): Node {
  const elements = windowElements(x, params.filterSize);
  return joinWindows(routeGradient(elements, make('MaxPool', params, [x]), dy), params.filterSize);
}

/** A convolution, a bias perhaps, and the pooling of the result, where only the filter and the bias are trained. */
interface PooledConvolution {
  readonly convolution: NodeOf<'Conv'>;
  /** [1, channels, 1, 1], or as it broadcasts to that. */
  readonly bias: Node | undefined;
  readonly pools: readonly Node[];
  readonly filterGradients: readonly NodeOf<'ConvFilterGrad'>[];
}

/** True for what is one number for each channel of the image, or for all of them, and makes the image no larger. */
function isOfChannels({ type: { shape } }: Node, { type: image }: Node): boolean {
  const channelAxis = shape.length - 3;
  return (
    shape.every((size, axis) => axis === channelAxis || size === 1) &&
    sameShape(broadcastShapes(shape, image.shape), image.shape)
  );
}

/** Patches larger than this make good matrices as they are. */
const LARGEST_PATCH = 64;

function pooledConvolution(
  gradient: PoolGrad,
  users: ReadonlyMap<Node, readonly Node[]>,
): PooledConvolution | undefined {
  const [pooled] = gradient.inputs;
  const [convolution, bias] = pooled.op === 'Add' ? pooled.inputs : [pooled, undefined];
  if (convolution.op !== 'Conv') return undefined;
  const { strides, dilations, groups } = convolution.params;
  const [image, filter] = convolution.inputs;
  if ([...strides, ...dilations, groups].some((value) => value !== 1)) return undefined;
  if (elementCount(filter.type.shape.slice(1)) > LARGEST_PATCH) return undefined;
  if (bias !== undefined && !isOfChannels(bias, convolution)) return undefined;
  if (bias !== undefined && users.get(convolution)?.length !== 1) return undefined;

  const window = JSON.stringify(gradient.params);
  const pools: Node[] = [];
  for (const user of users.get(pooled) ?? []) {
    if (user === gradient) continue;
    if (user.op !== 'MaxPool' || JSON.stringify(user.params) !== window) return undefined;
    pools.push(user);
  }
  const filterGradients: NodeOf<'ConvFilterGrad'>[] = [];
  for (const user of users.get(gradient) ?? []) {
    if (user.op !== 'ConvFilterGrad' || user.inputs[0] !== image) return undefined;
    filterGradients.push(user);
  }
  return { convolution, bias, pools, filterGradients };
}

function replacePooledConvolution(found: PooledConvolution, gradient: PoolGrad, replacement: Map<Node, Node>): void {
  const { convolution, bias, pools, filterGradients } = found;
  const [image, filter] = convolution.inputs;
  const [outChannels, inChannels, height, width] = filter.type.shape;
  const dy = gradient.inputs[1];
  const [rows, columns] = gradient.params.filterSize;
  const places = Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const);
  const enlarged = make(
    'Concat',
    { axis: 0 },
    places.map(([row, column]) => {
      const after = [0, 0, rows - 1 - row, columns - 1 - column];
      return make('Pad', { before: [0, 0, row, column], after, value: 0 }, [filter]);
    }),
  );
  const window = { ...convolution.params, strides: gradient.params.strides };
  const all = make('Conv', window, [image, enlarged]);
  const elements = places.map((_, index) => slice(all, [0, index * outChannels, 0, 0], dy.type.shape));
  const largest = elements.reduce((a, b) => binary('Maximum', a, b));
  for (const pool of pools) replacement.set(pool, bias === undefined ? largest : binary('Add', largest, bias));

  const routed = make('Concat', { axis: 1 }, routeGradient(elements, largest, dy));
  for (const node of filterGradients) {
    const filterSize = [height + rows - 1, width + columns - 1];
    const enlargedGradient = make('ConvFilterGrad', { ...window, filterSize }, [image, routed]);
    const parts = places.map(([row, column], index) =>
      slice(enlargedGradient, [index * outChannels, 0, row, column], [outChannels, inChannels, height, width]),
    );
    replacement.set(
      node,
      parts.reduce((a, b) => binary('Add', a, b)),
    );
  }
}

/** A bias's gradient: routing moves the gradient within each image and channel, so its sum is that of the outputs. */
function sumOfRouted(node: Node): Node | undefined {
  if (node.op !== 'Sum' || node.inputs[0].op !== 'MaxPoolGrad' || !tiles(node.inputs[0])) return undefined;
  if (![2, 3].every((axis) => node.params.axes.includes(axis))) return undefined;
  return make('Sum', node.params, [node.inputs[0].inputs[1]]);
}

export function tilePooling(graph: Graph): Graph {
  const sums = new Map<Node, Node>();
  for (const node of topologicalOrder(graph)) {
    const sum = sumOfRouted(node);
    if (sum !== undefined) sums.set(node, sum);
  }
  const summed = replaceNodes(graph, sums);

  const order = topologicalOrder(summed);
  const users = usersOf(order);
  const isOutput = new Set(summed.outputs.values());
  const replacement = new Map<Node, Node>();
  for (const node of order) {
    if (node.op !== 'MaxPoolGrad' || !tiles(node)) continue;
    const found = isOutput.has(node) || isOutput.has(node.inputs[0]) ? undefined : pooledConvolution(node, users);
    if (found === undefined) replacement.set(node, poolGradient(node));
    else replacePooledConvolution(found, node, replacement);
  }
  return replaceNodes(summed, replacement);
}
