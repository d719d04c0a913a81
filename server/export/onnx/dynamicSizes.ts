/**
 * @file Makes axes of a graph dynamic: that of the batch, and that of time. A traced graph has the sizes of its inputs in its shapes.
 * The same model traced for several sizes gives the same graph but for these numbers, and each of them is linear in each size:
 * `a + b * batch + c * sequence + d * batch * sequence`. The graph then computes them from the shapes of its inputs.
 */
import type { OnnxGraph, OnnxNode, OnnxValue } from '../../formats/onnx.ts';

/** Places of the axes that can be dynamic, in the shapes of inputs; the names stand in the file. */
const AXES = { batch: 0, sequence: 1 } as const;

export type DynamicAxis = keyof typeof AXES;

/** A graph traced for a size of each dynamic axis. */
export interface SizedGraph {
  readonly sizes: Readonly<Partial<Record<DynamicAxis, number>>>;
  readonly graph: OnnxGraph;
}

type Initializer = OnnxGraph['initializers'][number];

/** Numbers of a graph as a sum of products of sizes, each with a factor for each number; the product of no sizes is 1. */
type Growing = readonly { readonly product: readonly DynamicAxis[]; readonly factors: readonly number[] }[];

/**
 * Sizes to trace a graph for, so that {@link withDynamicSizes} can be made of it: two of each axis in all combinations determine
 * the numbers, the last confirms them.
 * @param sizes three of each axis
 */
export function sizesToTrace(sizes: ReadonlyMap<DynamicAxis, readonly number[]>): SizedGraph['sizes'][] {
  let combinations: SizedGraph['sizes'][] = [{}];
  for (const [axis, [first, second]] of sizes)
    combinations = combinations.flatMap((others) => [first, second].map((size) => ({ ...others, [axis]: size })));
  return [...combinations, Object.fromEntries([...sizes].map(([axis, [, , third]]) => [axis, third]))];
}

/**
 * One graph for all sizes of the axes.
 * @param traced the graph for {@link sizesToTrace}
 * @returns undefined where the graphs differ in more than numbers that grow with the sizes
 */
export function withDynamicSizes(axes: readonly DynamicAxis[], traced: readonly SizedGraph[]): OnnxGraph | undefined {
  const [{ graph }, ...others] = traced;
  if (!others.every(({ graph: other }) => hasSameStructure(graph, other))) return undefined;
  const inputs = valuesOfAnySize(axes, traced, 'inputs');
  const outputs = valuesOfAnySize(axes, traced, 'outputs');
  if (inputs === undefined || outputs === undefined) return undefined;

  const sizes = new SizeNodes(inputs);
  const initializers: Initializer[] = [];
  for (const [index, initializer] of graph.initializers.entries()) {
    const same = traced.map((sized) => sized.graph.initializers[index]);
    if (same.every((other) => isSameTensor(initializer, other))) {
      initializers.push(initializer);
      continue;
    }
    const growing = growingOf(axes, traced, (sized) => integersOf(sized.graph.initializers[index]));
    if (growing === undefined) return undefined;
    const { name } = initializer;
    const inferred = inferredShape(name, growing, graph.nodes);
    if (inferred) initializers.push(integers(name, inferred));
    else if (sizes.canCompute(growing)) initializers.push(...sizes.compute(name, growing));
    else return undefined;
  }
  return { inputs, outputs, initializers, nodes: [...sizes.nodes, ...graph.nodes] };
}

/** Nodes that compute numbers from the shapes of inputs. */
class SizeNodes {
  readonly nodes: OnnxNode[] = [];
  readonly #inputs: readonly OnnxValue[];
  readonly #made = new Set<string>();

  constructor(inputs: readonly OnnxValue[]) {
    this.#inputs = inputs;
  }

  /** False where no input has an axis of the size alone. */
  canCompute(growing: Growing): boolean {
    return growing.every(({ product }) => product.every((axis) => this.#source(axis) !== undefined));
  }

  /** Writes nodes that compute the tensor. @returns the constants that they take */
  compute(name: string, growing: Growing): Initializer[] {
    const terms = growing.filter(({ factors }) => factors.some((factor) => factor !== 0));
    const constants: Initializer[] = [];
    let sum: string | undefined;
    terms.forEach(({ product, factors }, i) => {
      const factorsName = [name, ...product, 'factors'].join(':');
      constants.push(integers(factorsName, factors));
      let term = factorsName;
      const isLast = i === terms.length - 1;
      if (product.length > 0) {
        term = isLast && sum === undefined ? name : [name, ...product].join(':');
        this.nodes.push({ op: 'Mul', inputs: [this.#product(product), factorsName], outputs: [term] });
      }
      if (sum !== undefined) {
        const total = isLast ? name : `${term}:sum`;
        this.nodes.push({ op: 'Add', inputs: [sum, term], outputs: [total] });
        term = total;
      }
      sum = term;
    });
    return constants;
  }

  #source(axis: DynamicAxis): string | undefined {
    return this.#inputs.find(({ shape }) => shape[AXES[axis]] === axis)?.name;
  }

  /** Name of a vector of one number, the product of sizes; no traced graph uses such names. */
  #product(axes: readonly DynamicAxis[]): string {
    const name = `${axes.join('*')}:size`;
    if (this.#made.has(name)) return name;
    this.#made.add(name);
    const [axis, ...rest] = axes;
    if (rest.length > 0)
      this.nodes.push({ op: 'Mul', inputs: [this.#product([axis]), this.#product(rest)], outputs: [name] });
    else
      this.nodes.push({
        op: 'Shape',
        inputs: [this.#source(axis)!],
        outputs: [name],
        attributes: { start: { int: AXES[axis] }, end: { int: AXES[axis] + 1 } },
      });
    return name;
  }
}

function hasSameStructure(a: OnnxGraph, b: OnnxGraph): boolean {
  return structureOf(a) === structureOf(b);
}

/** Everything but the sizes of tensors and the values of constants. */
function structureOf({ inputs, outputs, initializers, nodes }: OnnxGraph): string {
  const ports = [...inputs, ...outputs].map(({ name, type, shape }) => [name, type, shape.length]);
  return JSON.stringify([
    ports,
    initializers.map(({ name, type, shape }) => [name, type, shape.length]),
    nodes.map(({ op, domain, inputs: operands, outputs: results, attributes }) => [
      op,
      domain,
      operands,
      results,
      attributes,
    ]),
  ]);
}

function isSameTensor(a: Initializer, b: Initializer): boolean {
  const bytes = ({ data }: Initializer) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return a.shape.join() === b.shape.join() && bytes(a).equals(bytes(b));
}

function integersOf({ data, shape }: Initializer): number[] | undefined {
  return data instanceof BigInt64Array && shape.length === 1 ? Array.from(data, Number) : undefined;
}

function integers(name: string, values: readonly number[]): Initializer {
  return { name, type: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) };
}

/** @returns undefined where the numbers are no integers, or not linear in each size */
function growingOf(
  axes: readonly DynamicAxis[],
  traced: readonly SizedGraph[],
  numbersOf: (sized: SizedGraph) => readonly number[] | undefined,
): Growing | undefined {
  const known = traced.flatMap(({ sizes }, i) => {
    const numbers = numbersOf(traced[i]);
    return numbers === undefined ? [] : [{ sizes, numbers }];
  });
  const [first] = known;
  if (known.length < traced.length || known.some(({ numbers }) => numbers.length !== first.numbers.length))
    return undefined;
  const growing = interpolated(axes, known.slice(0, -1));
  const value = (sizes: SizedGraph['sizes'], i: number) =>
    growing.reduce((sum, { product, factors }) => sum + product.reduce((x, axis) => x * sizes[axis]!, factors[i]), 0);
  const fits = known.every(({ sizes, numbers }) => numbers.every((number, i) => number === value(sizes, i)));
  return fits && growing.every(({ factors }) => factors.every(Number.isInteger)) ? growing : undefined;
}

/** What is linear in each size and has these numbers at two sizes of each axis, in all combinations. */
function interpolated(
  [axis, ...others]: readonly DynamicAxis[],
  known: readonly { readonly sizes: SizedGraph['sizes']; readonly numbers: readonly number[] }[],
): Growing {
  if (axis === undefined) return [{ product: [], factors: known[0].numbers }];
  const [low, high] = new Set(known.map(({ sizes }) => sizes[axis]!));
  const at = (size: number) =>
    interpolated(
      others,
      known.filter(({ sizes }) => sizes[axis] === size),
    );
  const upper = at(high);
  return at(low).flatMap(({ product, factors }, i) => {
    const slopes = factors.map((factor, n) => (upper[i].factors[n] - factor) / (high - low));
    return [
      { product, factors: factors.map((factor, n) => factor - slopes[n] * low) },
      { product: [axis, ...product], factors: slopes },
    ];
  });
}

/** The shape with -1 for the number that the operator infers, where it is of `Reshape` alone and one number of it varies. */
function inferredShape(name: string, growing: Growing, nodes: readonly OnnxNode[]): readonly number[] | undefined {
  const users = nodes.filter(({ inputs }) => inputs.includes(name));
  const isOfReshape = users.every(({ op, inputs }) => op === 'Reshape' && inputs[1] === name);
  const shape = growing[0].factors.map((_, i) => {
    const terms = growing.filter(({ factors }) => factors[i] !== 0);
    return terms.every(({ product }) => product.length === 0) ? (terms[0]?.factors[i] ?? 0) : -1;
  });
  const isOne = shape.filter((size) => size === -1).length === 1;
  return isOfReshape && isOne && !shape.includes(0) ? shape : undefined;
}

/** Inputs or outputs with the names of axes, or sums and products of them, for the sizes that vary. */
function valuesOfAnySize(
  axes: readonly DynamicAxis[],
  traced: readonly SizedGraph[],
  ports: 'inputs' | 'outputs',
): OnnxValue[] | undefined {
  const values: OnnxValue[] = [];
  for (const [index, value] of traced[0].graph[ports].entries()) {
    const growing = growingOf(axes, traced, ({ graph }) => graph[ports][index].shape.map(Number));
    if (growing === undefined) return undefined;
    const shape = value.shape.map((size, axis) => {
      const terms = growing.filter(({ factors }) => factors[axis] !== 0);
      if (terms.every(({ product }) => product.length === 0)) return size;
      return terms
        .map(({ product, factors }) =>
          [factors[axis], ...product].slice(factors[axis] === 1 && product.length > 0 ? 1 : 0),
        )
        .map((term) => term.join('*'))
        .join('+');
    });
    values.push({ ...value, shape });
  }
  return values;
}
