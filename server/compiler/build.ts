/** @file Makes IR nodes. Types are inferred, constants normalised, trivial operations elided as they are made. */
import { elementCount } from '../protocol/shape.ts';
import {
  sameShape,
  type BinaryOp,
  type DType,
  type Distribution,
  type Graph,
  type Node,
  type Op,
  type OpParams,
  type Shape,
  type TensorType,
  type UnaryOp,
} from './ir.ts';
import { resultType } from './shapes.ts';

let nextId = 0;

/** A node of inferred type. Source operations take {@link source}. */
export function make<O extends Op>(op: O, params: OpParams[O], inputs: readonly Node[], layer?: string): Node {
  const type = resultType(
    op,
    params,
    inputs.map((input) => input.type),
  );
  const inherited = layer ?? inputs.find((input) => input.layer !== undefined)?.layer;
  return { id: nextId++, op, params, inputs, type, layer: inherited } as Node;
}

function source<O extends 'Parameter' | 'Input' | 'Random' | 'Constant'>(
  op: O,
  params: OpParams[O],
  type: TensorType,
): Node {
  return { id: nextId++, op, params, inputs: [], type, layer: undefined } as unknown as Node;
}

export const parameter = (name: string, shape: Shape): Node =>
  source('Parameter', { name }, { dtype: 'float32', shape });
export const input = (name: string, type: TensorType): Node => source('Input', { name }, type);
export const random = (distribution: Distribution, stream: number, shape: Shape): Node =>
  source('Random', { distribution, stream }, { dtype: 'float32', shape });

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/**
 * A constant; `values` has one element for each of the shape's, or a single one that fills it.
 * @throws RangeError for another number of values, and for integers that have no int32
 */
export function constant(values: ArrayLike<number>, shape: Shape = [], dtype: DType = 'float32'): Node {
  // Gradients are full of large tensors of ones: neither copied nor compared by a call for each element.
  if (dtype === 'int32' && !(values instanceof Int32Array))
    for (let i = 0; i < values.length; i++) checkInt32(values[i]);
  const array = isUniform(values) ? new arrayOf[dtype]([values[0]]) : new arrayOf[dtype](values);
  const filled = array.length > 1 && isUniform(array) ? array.slice(0, 1) : array;
  if (filled.length !== 1 && filled.length !== elementCount(shape)) throw new RangeError('Constant of the wrong size.');
  return source('Constant', { values: filled }, { dtype, shape });
}

/** @throws RangeError for a number that an array of int32 would replace by another one, such as infinity by 0 */
export function checkInt32(value: number): void {
  if ((value | 0) !== Math.trunc(value)) throw new RangeError(`${value} is no integer of 32 bits.`);
}

function isUniform(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return values.length > 0;
}

export const scalar = (value: number, dtype: DType = 'float32'): Node => constant([value], [], dtype);

/** The value of a constant that is the same in all elements. */
export function splatValue(node: Node): number | undefined {
  return node.op === 'Constant' && node.params.values.length === 1 ? node.params.values[0] : undefined;
}

export const unary = (op: UnaryOp | 'Softmax' | 'LogSoftmax', x: Node): Node => make(op, {}, [x]);
export const binary = (op: BinaryOp, a: Node, b: Node): Node => make(op, {}, [a, b]);
export const select = (condition: Node, a: Node, b: Node): Node => make('Select', {}, [condition, a, b]);

export function cast(x: Node, dtype: DType): Node {
  return x.type.dtype === dtype ? x : make('Cast', { dtype }, [x]);
}

export function reshape(x: Node, shape: Shape): Node {
  return sameShape(x.type.shape, shape) ? x : make('Reshape', { shape }, [x]);
}

export function transpose(x: Node, permutation: readonly number[]): Node {
  return permutation.every((axis, index) => axis === index) ? x : make('Transpose', { permutation }, [x]);
}

/** The permutation that undoes one. */
export function inverse(permutation: readonly number[]): number[] {
  const result = Array<number>(permutation.length);
  permutation.forEach((axis, index) => (result[axis] = index));
  return result;
}

export function slice(x: Node, begin: readonly number[], size: readonly number[], steps?: readonly number[]): Node {
  const strides = steps ?? size.map(() => 1);
  if (sameShape(size, x.type.shape) && strides.every((step) => step === 1)) return x;
  return make('Slice', { begin, size, steps: strides }, [x]);
}

export function matmul(a: Node, b: Node, transposeA = false, transposeB = false): Node {
  return make('MatMul', { transposeA, transposeB }, [a, b]);
}

/** The same, its transpositions written out as operations of their own. */
export function plainMatmul(a: Node, b: Node, transposeA: boolean, transposeB: boolean): Node {
  return matmul(transposeA ? lastTwoExchanged(a) : a, transposeB ? lastTwoExchanged(b) : b);
}

function lastTwoExchanged(x: Node): Node {
  const axes = [...x.type.shape.keys()];
  return transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

export function reduce(
  op: 'Sum' | 'Mean' | 'Max' | 'Min' | 'Prod',
  x: Node,
  axes: readonly number[],
  keepDims = false,
): Node {
  return axes.length === 0 ? x : make(op, { axes, keepDims }, [x]);
}

/** The same node over other inputs. */
function withInputs(node: Node, inputs: readonly Node[]): Node {
  if (inputs.every((input, index) => input === node.inputs[index])) return node;
  return make(node.op, node.params, inputs, node.layer);
}

/**
 * The graph rebuilt bottom-up: `visit` receives every node with its inputs already rebuilt and returns it, or what
 * replaces it.
 */
export function rewrite(graph: Graph, order: readonly Node[], visit: (node: Node, original: Node) => Node): Graph {
  const rebuilt = new Map<Node, Node>();
  const image = (node: Node): Node => rebuilt.get(node) ?? node;
  for (const node of order) rebuilt.set(node, visit(withInputs(node, node.inputs.map(image)), node));
  return { outputs: new Map([...graph.outputs].map(([name, node]) => [name, image(node)])) };
}

/** The graph with nodes replaced by others, which may themselves depend on nodes that are replaced. */
export function replaceNodes(graph: Graph, replacement: ReadonlyMap<Node, Node>): Graph {
  if (replacement.size === 0) return graph;
  const target = (node: Node): Node => replacement.get(node) ?? node;
  const rebuilt = new Map<Node, Node>();
  const rebuild = (root: Node): Node => {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack[stack.length - 1];
      const missing = rebuilt.has(node) ? [] : node.inputs.map(target).filter((input) => !rebuilt.has(input));
      if (missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      const inputs = node.inputs.map((input) => rebuilt.get(target(input)) as Node);
      if (!rebuilt.has(node)) rebuilt.set(node, withInputs(node, inputs));
    }
    return rebuilt.get(root) as Node;
  };
  return { outputs: new Map([...graph.outputs].map(([name, node]) => [name, rebuild(target(node))])) };
}
