/**
 * @file Makes the batch axis of a graph dynamic. A traced graph has the size of its batch in its shapes. The same model traced for
 * several sizes gives the same graph but for these numbers, and each of them is `constant + factor * size`: the graph then computes
 * them from the shape of its input.
 */
import type { OnnxGraph, OnnxNode, OnnxValue } from '../../formats/onnx.ts';

/** A graph traced for a size of its batch. */
export interface SizedGraph {
  readonly size: number;
  readonly graph: OnnxGraph;
}

/** Name of the batch axis in the shapes of inputs and outputs. */
const BATCH = 'batch';

/** Names that no traced graph uses, of the size of the batch as a vector of one number. */
const BATCH_SIZE = 'batch:size';

type Initializer = OnnxGraph['initializers'][number];

/** Numbers of a graph as functions of the size of the batch. */
interface Affine {
  readonly constants: readonly number[];
  readonly factors: readonly number[];
}

/**
 * One graph for batches of every size.
 * @param traced the graph for three sizes; two determine the numbers, the third confirms them
 * @returns undefined where the graphs differ in more than numbers that grow with the batch
 */
export function withDynamicBatch(traced: readonly SizedGraph[]): OnnxGraph | undefined {
  const [{ graph }, ...others] = traced;
  if (!others.every(({ graph: other }) => hasSameStructure(graph, other))) return undefined;
  const inputs = valuesOfAnySize(traced, 'inputs');
  const outputs = valuesOfAnySize(traced, 'outputs');
  if (inputs === undefined || outputs === undefined) return undefined;
  const source = inputs.find(({ shape }) => shape[0] === BATCH)?.name;

  const nodes: OnnxNode[] = [];
  const initializers: Initializer[] = [];
  for (const [index, initializer] of graph.initializers.entries()) {
    const others = traced.map((sized) => sized.graph.initializers[index]);
    if (others.every((other) => isSameTensor(initializer, other))) {
      initializers.push(initializer);
      continue;
    }
    const affine = affineOf(traced, (sized) => integersOf(sized.graph.initializers[index]));
    if (affine === undefined || source === undefined) return undefined;
    const { name } = initializer;
    const inferred = inferredShape(name, affine, graph.nodes);
    if (inferred) {
      initializers.push(integers(name, inferred));
      continue;
    }
    if (nodes.length === 0)
      nodes.push({
        op: 'Shape',
        inputs: [source],
        outputs: [BATCH_SIZE],
        attributes: { start: { int: 0 }, end: { int: 1 } },
      });
    initializers.push(integers(`${name}:factors`, affine.factors), integers(`${name}:constants`, affine.constants));
    nodes.push(
      { op: 'Mul', inputs: [BATCH_SIZE, `${name}:factors`], outputs: [`${name}:growing`] },
      { op: 'Add', inputs: [`${name}:growing`, `${name}:constants`], outputs: [name] },
    );
  }
  return { inputs, outputs, initializers, nodes: [...nodes, ...graph.nodes] };
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

/** @returns undefined where the numbers are no integers, or no linear functions of the size */
function affineOf<S extends { readonly size: number }>(
  traced: readonly S[],
  numbersOf: (sized: S) => readonly number[] | undefined,
): Affine | undefined {
  const known = traced.flatMap((sized) => {
    const numbers = numbersOf(sized);
    return numbers === undefined ? [] : [{ size: sized.size, numbers }];
  });
  const [first, second] = known;
  if (known.length < traced.length || known.some(({ numbers }) => numbers.length !== first.numbers.length))
    return undefined;
  const factors = first.numbers.map((value, i) => (second.numbers[i] - value) / (second.size - first.size));
  const constants = first.numbers.map((value, i) => value - factors[i] * first.size);
  const fits = known.every(({ size, numbers }) =>
    numbers.every((value, i) => Number.isInteger(factors[i]) && value === constants[i] + factors[i] * size),
  );
  return fits ? { constants, factors } : undefined;
}

/** The shape with -1 for the number that the operator infers, where it is of `Reshape` alone and one number of it varies. */
function inferredShape(
  name: string,
  { constants, factors }: Affine,
  nodes: readonly OnnxNode[],
): readonly number[] | undefined {
  const users = nodes.filter(({ inputs }) => inputs.includes(name));
  const isOfReshape = users.every(({ op, inputs }) => op === 'Reshape' && inputs[1] === name);
  const isOne = factors.filter((factor) => factor !== 0).length === 1;
  const hasEmpty = constants.some((constant, i) => factors[i] === 0 && constant === 0);
  return isOfReshape && isOne && !hasEmpty
    ? constants.map((constant, i) => (factors[i] === 0 ? constant : -1))
    : undefined;
}

/** Inputs or outputs with {@link BATCH}, or a multiple of it, for the sizes that vary. */
function valuesOfAnySize(traced: readonly SizedGraph[], ports: 'inputs' | 'outputs'): OnnxValue[] | undefined {
  const [{ graph }] = traced;
  const values: OnnxValue[] = [];
  for (const [index, value] of graph[ports].entries()) {
    const affine = affineOf(traced, (sized) =>
      sized.graph[ports][index].shape.flatMap((size) => (typeof size === 'number' ? size : [])),
    );
    if (affine === undefined) return undefined;
    const shape = affine.constants.map((constant, axis) => {
      const factor = affine.factors[axis];
      if (factor === 0) return constant;
      if (constant === 0) return factor === 1 ? BATCH : `${factor}*${BATCH}`;
      return `${constant}+${factor}*${BATCH}`;
    });
    values.push({ ...value, shape });
  }
  return values;
}
