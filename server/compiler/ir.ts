/**
 * @file The intermediate representation of a traced training step: a directed acyclic graph of single-output operations
 * on dense tensors of static shape. Every operation has a row in {@link OpParams}; the tables for shapes (shapes.ts),
 * reference values of the tests (evaluateGraph.ts) and ONNX (lower/) are total over it, so a new operation does not compile until each
 * table has its row.
 *
 * Layout: convolutions and pooling are channels-first, [batch, channels, height, width] or [batch, channels, depth, height, width],
 * filters [out channels, in channels / groups, height, width], as ONNX has them; the import from TensorFlow.js inserts the
 * transpositions, and the passes remove those that cancel.
 */

export type DType = 'float32' | 'int32' | 'bool';
export type Shape = readonly number[];
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * Sliding window of a convolution or pooling, one number an axis of the image: [height, width] or [depth, height, width]. `pads` has
 * what is in front of each axis, then what is behind each: [top, left, bottom, right].
 */
export interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

interface Reduction {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** A distribution from which a fresh tensor is drawn at every step. */
export type Distribution =
  | { readonly kind: 'uniform'; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly deviation: number; readonly truncated: boolean };

/** Activations that recurrent operators of ONNX have, by their names there. */
export type CellActivation = 'Tanh' | 'Sigmoid' | 'HardSigmoid' | 'Relu' | 'Softsign' | 'Softplus';

type None = Readonly<Record<never, never>>;

/** Parameters of every operation; inputs are described in the comment. */
export interface OpParams {
  // Sources
  /** A weight of the model, by its name. */
  Parameter: { readonly name: string };
  /** A tensor of the batch or a state carried between batches, by its name. */
  Input: { readonly name: string };
  /** Fresh random numbers at every step; `stream` tells the draws of one step apart. */
  Random: { readonly distribution: Distribution; readonly stream: number };
  /** `values` in row-major order, or one value that fills the shape. */
  Constant: { readonly values: Float32Array | Int32Array | Uint8Array };

  // Elementwise, x
  Abs: None;
  Neg: None;
  Exp: None;
  Log: None;
  Sqrt: None;
  Sin: None;
  Cos: None;
  Tan: None;
  Asin: None;
  Acos: None;
  Atan: None;
  Sinh: None;
  Cosh: None;
  Asinh: None;
  Acosh: None;
  Atanh: None;
  Erf: None;
  Floor: None;
  Ceil: None;
  Round: None;
  Sign: None;
  Relu: None;
  Elu: None;
  Sigmoid: None;
  Tanh: None;
  Softplus: None;
  /** 1 above 0, else 0: the derivative of a rectifier */
  Step: None;
  Not: None;
  /** Φ(x), the distribution function of the normal distribution: (1 + erf(x / √2)) / 2 */
  NormalCdf: None;
  /** φ(x), its derivative: exp(-x² / 2) / √(2π) */
  NormalDensity: None;
  /** 1 up to the bound, a float32 above 0; 0 above it: with a Step, the derivative of a rectifier that is bounded */
  UpTo: { readonly bound: number };
  Clip: { readonly minimum: number; readonly maximum: number };
  Cast: { readonly dtype: DType };

  // Elementwise with broadcasting, a and b
  Add: None;
  Sub: None;
  Mul: None;
  Div: None;
  Pow: None;
  /** The rest of a division towards 0, exact, by the sign of a: fmod of C */
  Remainder: None;
  Maximum: None;
  Minimum: None;
  Equal: None;
  Greater: None;
  GreaterEqual: None;
  Less: None;
  LessEqual: None;
  And: None;
  Or: None;
  /** condition, a, b */
  Select: None;

  // Reductions, x
  Sum: Reduction;
  Mean: Reduction;
  Max: Reduction;
  Min: Reduction;
  Prod: Reduction;
  ArgMax: { readonly axis: number };
  /** Sum of the elements up to each one along an axis; that one left out where `exclusive`, from the end on where `reverse`. */
  CumulativeSum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean };
  /** The largest `count` along the last axis in falling order, equal ones in the order that they have, or their indices (int32). */
  TopK: { readonly count: number; readonly result: 'values' | 'indices' };
  Softmax: None;
  LogSoftmax: None;

  // Linear algebra
  /** a [..., m, k], b [..., k, n]; the last two axes of either may be given transposed; leading axes broadcast. */
  MatMul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** x, filter */
  Conv: Window & { readonly groups: number };
  /** dy, filter -> gradient of x, of `inputSize` [height, width] */
  ConvInputGrad: Window & { readonly groups: number; readonly inputSize: readonly number[] };
  /** x, dy -> gradient of the filter, of `filterSize` [height, width] */
  ConvFilterGrad: Window & { readonly groups: number; readonly filterSize: readonly number[] };
  /** x */
  MaxPool: Window & { readonly filterSize: readonly number[] };
  /** x, dy; the gradient goes to the first maximum of each window, in row-major order */
  MaxPoolGrad: Window & { readonly filterSize: readonly number[] };
  /** x; padding is not counted */
  AvgPool: Window & { readonly filterSize: readonly number[] };

  /**
   * A recurrent layer over all time steps. x [time, batch, features], kernel, recurrent kernel and bias as Keras has them, then the
   * states [batch, units] before the first step; without them these are zeros. An LSTM has two states, hidden and cell.
   */
  Recurrent: {
    readonly cell: 'LSTM' | 'GRU' | 'RNN';
    /** The activation of the gates, where the cell has gates, then that of the new state. */
    readonly activations: readonly CellActivation[];
    /** All hidden states [time, batch, units], or a state after the last step [batch, units]. */
    readonly result: 'sequence' | 'hidden' | 'cell';
  };

  // Shape and indexing
  Reshape: { readonly shape: Shape };
  Transpose: { readonly permutation: readonly number[] };
  Broadcast: { readonly shape: Shape };
  Tile: { readonly repeats: readonly number[] };
  /** all inputs */
  Concat: { readonly axis: number };
  Slice: { readonly begin: readonly number[]; readonly size: readonly number[]; readonly steps: readonly number[] };
  Pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number };
  /** x, indices (int32) */
  Gather: { readonly axis: number };
  /** values [n, ...], indices [n] -> [rows, ...]: row r is the sum of the values whose index is r; `checked` where no other may occur */
  SegmentSum: { readonly rows: number; readonly checked?: true };
  /** indices (int32) -> one more axis of `depth` at the end, float32 */
  OneHot: { readonly depth: number; readonly on: number; readonly off: number };

  // Made by passes
  /** x [batch, channels, …size], scale [channels], shift [channels] -> x scale + shift */
  ScaleShift: None;
  /** log-probabilities [n, classes], labels [n] (int32) -> [n]: minus the log-probability of the label, 0 if it is no class */
  SparseCrossEntropy: None;
  /** log-probabilities l [n, classes], labels [n] -> exp(l) - one-hot, the gradient of the logits of each sample */
  SparseCrossEntropyGrad: None;
}

export type Op = keyof OpParams;

/** Elementwise operations of one input without parameters. */
export const unaryOps = [
  ...(['Abs', 'Neg', 'Exp', 'Log', 'Sqrt', 'Erf', 'Floor', 'Ceil', 'Round', 'Sign'] as const),
  ...(['Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'Acosh', 'Atanh'] as const),
  ...(['Relu', 'Elu', 'Sigmoid', 'Tanh', 'Softplus', 'Step', 'Not', 'NormalCdf', 'NormalDensity'] as const),
] as const satisfies readonly Op[];
export type UnaryOp = (typeof unaryOps)[number];

/** Elementwise operations of two inputs that broadcast. */
export const binaryOps = [
  ...(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Remainder', 'Maximum', 'Minimum'] as const),
  ...(['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'And', 'Or'] as const),
] as const satisfies readonly Op[];
export type BinaryOp = (typeof binaryOps)[number];

/** One operation, and the tensor that it makes. */
export interface NodeOf<O extends Op> {
  readonly id: number;
  readonly op: O;
  readonly params: OpParams[O];
  readonly inputs: readonly Node[];
  readonly type: TensorType;
  /** Layer of the user's model that the operation belongs to, as far as known; for messages. */
  layer: string | undefined;
}

export type Node = { [O in Op]: NodeOf<O> }[Op];

/** What is computed, by name. Nodes that no output needs are not part of the graph. */
export interface Graph {
  readonly outputs: ReadonlyMap<string, Node>;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** All nodes that the outputs need, inputs before their users. */
export function topologicalOrder(graph: Graph): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  const stack = [...graph.outputs.values()].reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    const height = stack.length;
    if (!done.has(node))
      for (let i = node.inputs.length - 1; i >= 0; i--) if (!done.has(node.inputs[i])) stack.push(node.inputs[i]);
    if (stack.length > height) continue;
    stack.pop();
    if (done.has(node)) continue;
    done.add(node);
    order.push(node);
  }
  return order;
}

/** The nodes that take each node as an input, among `order`; each once, in its order. */
export function usersOf(order: readonly Node[]): Map<Node, readonly Node[]> {
  const users = new Map<Node, Node[]>(order.map((node) => [node, []]));
  for (const node of order) for (const input of new Set(node.inputs)) users.get(input)?.push(node);
  return users;
}

/** The inputs of a node in their order, with those that are inner replaced by their own: the terms of a sum of sums. */
export function termsOf(root: Node, isInner: (input: Node) => boolean): Node[] {
  const terms: Node[] = [];
  // A gradient may be a sum of tens of thousands, each the first term of the next.
  const stack = root.inputs.toReversed();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (isInner(node)) stack.push(...node.inputs.toReversed());
    else terms.push(node);
  }
  return terms;
}

/** Matrix products on the longest path to each node: when it is known. */
export function productDepths(order: readonly Node[]): Map<Node, number> {
  const depths = new Map<Node, number>();
  for (const node of order) {
    const own = node.op === 'MatMul' ? 1 : 0;
    depths.set(node, own + Math.max(0, ...node.inputs.map((input) => depths.get(input) as number)));
  }
  return depths;
}
