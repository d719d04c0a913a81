/** @file Random graphs of the IR, rich in what the passes rewrite. */
import fc from 'fast-check';
import { elementCount } from '../../../../server/protocol/shape.ts';
import {
  binary,
  cast,
  constant,
  input,
  make,
  matmul,
  reduce,
  reshape,
  scalar,
  select,
  slice,
  transpose,
  unary,
} from '../../../../server/compiler/build.ts';
import type { Graph, Node } from '../../../../server/compiler/ir.ts';

/** One step of building: which operation, and what it takes of the nodes so far. */
interface Instruction {
  readonly choice: number;
  readonly operands: readonly [number, number, number];
  /** Decides axes, permutations, sizes. */
  readonly detail: number;
}

const instruction: fc.Arbitrary<Instruction> = fc.record({
  choice: fc.nat(),
  operands: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
  detail: fc.nat(),
});

type Builder = (a: Node, b: Node, c: Node, detail: number) => Node;

const rank = (x: Node) => x.type.shape.length;
const axisOf = (x: Node, detail: number) => detail % Math.max(1, rank(x));

/** Another order of the axes. */
function permutation({ type: { shape } }: Node, detail: number): number[] {
  const rest = shape.map((_, axis) => axis);
  let remaining = detail;
  return shape.map(() => {
    const [axis] = rest.splice(remaining % rest.length, 1);
    remaining = Math.floor(remaining / 3);
    return axis;
  });
}

/** Flat, with an axis of size 1 in front or behind, or with its sizes in another order. */
function otherShape({ type: { shape } }: Node, detail: number): number[] {
  const shapes = [
    [elementCount(shape)],
    [1, ...shape],
    [...shape, 1],
    [...shape].reverse(),
    shape.filter((s) => s > 1),
  ];
  return shapes[detail % shapes.length];
}

/** Part of the tensor, or all of it, backwards. */
function someSlice(x: Node, detail: number): Node {
  const { shape } = x.type;
  const axis = axisOf(x, detail);
  if (detail % 5 === 0) {
    const backwards = (other: number) => other === axis;
    return slice(
      x,
      shape.map((size, other) => (backwards(other) ? size - 1 : 0)),
      shape,
      shape.map((_, other) => (backwards(other) ? -1 : 1)),
    );
  }
  const begin = (detail >> 2) % shape[axis];
  const size = 1 + ((detail >> 4) % (shape[axis] - begin));
  return slice(
    x,
    shape.map((_, other) => (other === axis ? begin : 0)),
    shape.map((whole, other) => (other === axis ? size : whole)),
  );
}

const firstColumn = (x: Node): Node =>
  slice(
    x,
    x.type.shape.map(() => 0),
    [...x.type.shape.slice(0, -1), 1],
  );

/** Two products with one weight, to both of which the same vector is added: as a bias, or wider than a weight of one column. */
function scored(a: Node, b: Node, weight: Node, vector: Node): Node {
  const [left, right] = [a, b].map((x) => unary('Tanh', binary('Add', matmul(x, weight), vector)));
  return make('Concat', { axis: 0 }, [left, right]);
}

const reductions = ['Sum', 'Mean', 'Max', 'Min'] as const;
const bounded = ['Tanh', 'Sigmoid', 'Relu', 'Neg', 'Abs', 'Sin', 'Softplus'] as const;
const arithmetic = ['Add', 'Add', 'Add', 'Sub', 'Mul', 'Maximum', 'Minimum'] as const;
const values = [0, 1, -1, 2, 0.5];

const elementwiseBuilders: readonly Builder[] = [
  (a, b, _, detail) => binary(arithmetic[detail % arithmetic.length], a, b),
  (a, b, _, detail) => binary(arithmetic[detail % arithmetic.length], a, b),
  (a, _, __, detail) => binary(arithmetic[detail % arithmetic.length], a, constant([values[detail % 5]], a.type.shape)),
  (a, _, __, detail) => binary(arithmetic[detail % arithmetic.length], scalar(values[detail % 5]), a),
  (a, _, __, detail) => binary('Div', a, scalar(values[1 + (detail % 4)])),
  (a) => binary('Pow', a, scalar(2)),
  (a, _, __, detail) => unary(bounded[detail % bounded.length], a),
  (a, b, c) => select(binary('Greater', a, scalar(0)), b, c),
  (a, b) => binary('Mul', b, select(binary('Greater', a, scalar(0)), scalar(1), scalar(0))),
  (a) => cast(unary('Not', unary('Not', binary('Less', a, scalar(0)))), 'float32'),
];

/** Builders for tensors that have axes; some stand here twice, because the passes do most about them. */
const structureBuilders: readonly Builder[] = [
  (a) => unary('Softmax', a),
  (a, _, __, detail) => transpose(a, permutation(a, detail)),
  (a, _, __, detail) => transpose(a, permutation(a, detail)),
  (a, _, __, detail) => reshape(a, otherShape(a, detail)),
  (a, _, __, detail) => reshape(a, otherShape(a, detail)),
  (a, b) => make('Broadcast', { shape: b.type.shape }, [a]),
  (a, _, __, detail) => make('Tile', { repeats: a.type.shape.map((_size, axis) => 1 + ((detail >> axis) & 1)) }, [a]),
  (a, _, __, detail) =>
    reduce(reductions[detail % 4], a, rank(a) === 0 ? [] : [axisOf(a, detail >> 2)], (detail >> 4) % 2 === 0),
  (a, b, c, detail) => make('Concat', { axis: axisOf(a, detail) }, [a, b, c]),
  (a, b, _, detail) => make('Concat', { axis: axisOf(a, detail) }, [a, b]),
  (a, _, __, detail) => someSlice(a, detail),
  (a, _, __, detail) => someSlice(a, detail),
  (a, _, __, detail) => {
    const cut = someSlice(a, 5 * detail + 1);
    return make('Concat', { axis: axisOf(a, detail) }, [cut, someSlice(a, 5 * (detail >> 2) + 1)]);
  },
  (a, b, _, detail) => matmul(a, b, detail % 2 === 1, (detail >> 1) % 2 === 1),
  (a, b) => matmul(a, b, true),
  (a, b) => binary('Add', matmul(a, b, true), matmul(b, a, true)),
  (a, b, c) => binary('Add', binary('Add', matmul(a, b, true), matmul(c, b, true)), matmul(a, b, true)),
  (a, b) => binary('Add', reduce('Sum', a, [0]), reduce('Sum', b, [0])),
  (a, b, c) => scored(a, b, firstColumn(c), reduce('Sum', c, [0])),
  (a, b, c) => scored(a, b, c, reduce('Sum', c, [0])),
];

const builders = [...elementwiseBuilders, ...structureBuilders];

/** Shapes that often fit one another. */
const sources = [[3, 3], [3, 3], [2, 3], [3], [1, 3], [2, 3, 3], [1, 2, 3], [2, 1, 3, 2], []];

/** Larger ones are not grown further. */
const LARGEST = 200;

/** A graph of about `size` operations; its last nodes are the outputs. */
export function randomGraphs(size: number): fc.Arbitrary<Graph> {
  return fc.array(instruction, { minLength: size, maxLength: size }).map((instructions) => {
    const nodes = sources.map((shape, index) => input(`input:${index}`, { dtype: 'float32', shape }));
    for (const { choice, operands, detail } of instructions) {
      // The newest nodes are taken most often, so that the graph grows deep.
      const [a, b, c] = operands.map((operand) => nodes[nodes.length - 1 - (operand % Math.min(nodes.length, 12))]);
      const suited = rank(a) === 0 ? elementwiseBuilders : builders;
      const made = attempt(() => suited[choice % suited.length](a, b, c, detail));
      if (made !== undefined && elementCount(made.type.shape) <= LARGEST) nodes.push(made);
    }
    return { outputs: new Map(nodes.slice(-5).map((node, index) => [`output:${index}`, node])) };
  });
}

/** Undefined where the operands do not fit. */
function attempt(build: () => Node): Node | undefined {
  try {
    return build();
  } catch {
    return undefined;
  }
}
