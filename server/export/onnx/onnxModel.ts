/** @file The ONNX graph of a model that has its weights in itself, in their small form. */
import { portName } from '../../compiler/ports.ts';
import type { OnnxGraph, OnnxNode } from '../../formats/onnx.ts';
import { isLowRank, type PackedWeight } from '../../formats/packed/packedFile.ts';
import type { WrittenWeight } from '../format.ts';
import { unusedName } from '../portNames.ts';
import { WeightDecoder, type WeightDecoderOptions } from './weightDecoder.ts';

/** What replaces the weights among a graph's inputs, and the names of the others. */
export interface OnnxModel {
  readonly graph: OnnxGraph;
  readonly weights: readonly WrittenWeight[];
}

/**
 * @param graph whose inputs the weights are
 * @param weights of the model by name, in their small form; those that the graph does not take are left out
 * @param names of inputs and outputs, by port
 */
export function withWeights(
  graph: OnnxGraph,
  weights: ReadonlyMap<string, PackedWeight>,
  names: ReadonlyMap<string, string>,
  options: WeightDecoderOptions = {},
): OnnxModel {
  const decoder = new WeightDecoder(options);
  const taken = new Set(graph.inputs.map(({ name }) => name));
  const written: { name: string; form: WrittenWeight['form'] }[] = [];
  let { nodes } = graph;
  for (const [name, weight] of weights) {
    const port = portName.parameter(name);
    if (!taken.has(port)) continue;
    written.push({ name, form: weight.form });
    if (!isLowRank(weight) || !nodes.some((node) => isProductWith(node, port, weight))) {
      decoder.add(name, weight);
      continue;
    }
    const factors = decoder.addFactors(name, weight);
    nodes = nodes.flatMap((node) => (isProductWith(node, port, weight) ? twoProducts(node, factors) : node));
    const isTakenElsewhere = nodes.some(({ inputs }) => inputs.includes(port));
    if (isTakenElsewhere) decoder.addProduct(name, weight, factors);
  }
  return {
    graph: withDecodedWeights({ ...graph, nodes }, decoder, names),
    weights: written.map(({ name, form }) => ({ name, form, bytes: decoder.bytesOf(name) })),
  };
}

/** A graph with the weights that a decoder has in the place of its inputs for weights, and other values under their names outside. */
function withDecodedWeights(graph: OnnxGraph, decoder: WeightDecoder, names: ReadonlyMap<string, string>): OnnxGraph {
  const renamed = new Map([...apartFrom(graph, [...names.values(), ...valuesWithin(decoder)]), ...names]);
  const nameOf = (name: string) => renamed.get(name) ?? withoutPrefix(name);
  const inputs = graph.inputs.filter(({ name }) => !name.startsWith(portName.parameter('')));
  return {
    inputs: inputs.map((value) => ({ ...value, name: nameOf(value.name) })),
    outputs: graph.outputs.map((value) => ({ ...value, name: nameOf(value.name) })),
    initializers: [
      ...decoder.initializers,
      ...graph.initializers.map((tensor) => ({ ...tensor, name: nameOf(tensor.name) })),
    ],
    sparseInitializers: decoder.sparseInitializers,
    // Names of nodes are for messages while a model is trained.
    nodes: [
      ...decoder.nodes,
      ...graph.nodes.map(({ name: _, ...node }) => ({
        ...node,
        inputs: node.inputs.map(nameOf),
        outputs: node.outputs.map(nameOf),
      })),
    ],
  };
}

type Values = Pick<OnnxGraph, 'nodes' | 'initializers' | 'sparseInitializers'>;

/** Names of what is in a graph or computed in it. */
function valuesWithin({ nodes, initializers, sparseInitializers = [] }: Values): string[] {
  return [...initializers, ...sparseInitializers]
    .map(({ name }) => name)
    .concat(nodes.flatMap(({ outputs }) => outputs));
}

/** Other names for the values within a graph that have one of `others`. */
function apartFrom(graph: OnnxGraph, others: readonly string[]): Map<string, string> {
  const taken = new Set(others);
  const within = valuesWithin(graph);
  const used = new Set([...others, ...within]);
  const names = new Map<string, string>();
  for (const name of within) {
    if (!taken.has(name)) continue;
    const other = unusedName(name, used);
    names.set(name, other);
    used.add(other);
  }
  return names;
}

/**
 * Multiplications that two products with the factors must save for a step of a recurrent layer to be faster by itself than in the
 * operator, which has no operators of ONNX Runtime to start within a step (npm run bench -- recurrent-export).
 */
const LEAST_SAVED = 250_000;

/** Names of the recurrent kernels with which a layer is faster step by step, by two products with their factors, than as an operator. */
export function kernelsForSteps(weights: ReadonlyMap<string, PackedWeight>): Set<string> {
  const names = new Set<string>();
  for (const [name, weight] of weights) {
    if (!isLowRank(weight)) continue;
    const { outer, rows, inner } = weight.view;
    const columns = outer * inner;
    if (rows * columns - weight.rank * (rows + columns) > LEAST_SAVED) names.add(name);
  }
  return names;
}

/** A weight has its own name in the file. */
function withoutPrefix(name: string): string {
  const prefix = portName.parameter('');
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** True for a product with the matrix on its right, which two products with its factors can replace. */
function isProductWith({ op, inputs, attributes }: OnnxNode, port: string, { shape }: PackedWeight): boolean {
  const isProduct = op === 'MatMul' ? inputs.length === 2 : op === 'Gemm' && isPlain(attributes);
  return isProduct && shape.length === 2 && inputs[1] === port && inputs[0] !== port && inputs[2] !== port;
}

/** True for a product that nothing scales. */
function isPlain({ alpha, beta }: NonNullable<OnnxNode['attributes']> = {}): boolean {
  return [alpha, beta].every((factor) => factor === undefined || ('float' in factor && factor.float === 1));
}

/** `(x left) right`, or `(x right') left'` for a product with the transposed weight; a bias is added to the second. */
function twoProducts(node: OnnxNode, { left, right }: { left: string; right: string }): OnnxNode[] {
  const { transA, transB } = node.attributes ?? {};
  const isTransposed = transB !== undefined && 'int' in transB && transB.int === 1;
  const [first, second] = isTransposed ? [right, left] : [left, right];
  const between = `${node.outputs[0]}:projected`;
  return [
    { ...node, inputs: [node.inputs[0], first], outputs: [between] },
    {
      ...node,
      inputs: [between, second, ...node.inputs.slice(2)],
      ...(transA && { attributes: { ...node.attributes, transA: { int: 0 } } }),
    },
  ];
}
