/**
 * @file Branches of a graph whose conditions are known when it is read, as those of shapes are: the node `If` is replaced by the nodes of
 * its branch.
 */
import { FormatError } from '../../formats/formatError.ts';
import { orderedGraph, type ReadOnnxGraph, type ReadOnnxModel, type ReadOnnxNode } from '../../formats/onnxReader.ts';
import { knownOutput } from './graphShapes.ts';
import { withSizes, type InputSizes } from './inputSizes.ts';
import { modelGraphOf, neededBy, refuseMissing } from './modelGraph.ts';

/** True for a node that takes one of two branches. */
function isBranching({ op, domain, graphs }: ReadOnnxNode): boolean {
  return (
    op === 'If' && domain === '' && graphs.get('then_branch') !== undefined && graphs.get('else_branch') !== undefined
  );
}

/**
 * @param fileOf the bytes of a file with external data
 * @returns the model without branches
 * @throws FormatError for a condition that depends on samples or weights, and for operators that are not known
 */
export async function takeBranches(
  model: ReadOnnxModel,
  fileOf: (location: string) => Uint8Array,
  sizes: InputSizes,
): Promise<ReadOnnxModel> {
  let current = model;
  for (;;) {
    const node = current.nodes.find(isBranching);
    if (!node) return current;
    refuseMissing(current.nodes.filter((other) => !isBranching(other)));
    const condition = await conditionOf(current, node, fileOf, sizes);
    current = withBranch(current, node, condition ? 'then_branch' : 'else_branch');
  }
}

async function conditionOf(
  model: ReadOnnxModel,
  node: ReadOnnxNode,
  fileOf: (location: string) => Uint8Array,
  sizes: InputSizes,
): Promise<boolean> {
  const [name] = node.inputs;
  const outputs = [{ name, type: 'bool', shape: [] }] as const;
  const { nodes } = neededBy(outputs, model.nodes);
  const { graph } = modelGraphOf({ ...model, outputs, nodes }, fileOf);
  const condition = await knownOutput(withSizes(graph, sizes));
  if (condition !== undefined) return condition !== 0;
  throw new FormatError(
    `the condition of the node ${node.name} (If) depends on samples, on weights or on the size of the batch: only branches that are ` +
      'known when the file is read are taken',
    {
      remedy:
        'Export the model without the branch: write the computation of both with torch.where, or export with the sizes that it will have.',
    },
  );
}

/** The model with the nodes of a branch in the place of the node that has it. */
function withBranch(model: ReadOnnxModel, node: ReadOnnxNode, name: string): ReadOnnxModel {
  const branch = node.graphs.get(name);
  if (branch?.outputs.length !== node.outputs.length)
    throw new FormatError(`the ${name} of the node ${node.name} (If) has not as many outputs as the node`);
  const others = model.nodes.filter((other) => other !== node);
  const taken = new Set([...model.inputs, ...model.initializers].map((value) => value.name));
  for (const output of [...others, node].flatMap(({ outputs }) => outputs)) taken.add(output);
  // Branches of several nodes may use the same names.
  const own = [...branch.initializers.map((value) => value.name), ...branch.nodes.flatMap(({ outputs }) => outputs)];
  const names = new Map(own.filter((one) => taken.has(one)).map((one) => [one, `${node.name}/${one}`]));
  const renamed = (one: string) => names.get(one) ?? one;
  const identities = branch.outputs.map((output, i): ReadOnnxNode => ({
    op: 'Identity',
    name: node.outputs.length === 1 ? node.name : `${node.name}/${i}`,
    domain: '',
    inputs: [renamed(output.name)],
    outputs: [node.outputs[i]],
    attributes: {},
    graphs: new Map(),
  }));
  return orderedGraph({
    ...model,
    initializers: [
      ...model.initializers,
      ...branch.initializers.map((value) => ({ ...value, name: renamed(value.name) })),
    ],
    nodes: [...others, ...branch.nodes.map((one) => withNames(one, renamed)), ...identities],
  });
}

/** A node, and the graphs in it, with other names of values. */
function withNames(node: ReadOnnxNode, renamed: (name: string) => string): ReadOnnxNode {
  const graphs = Array.from(node.graphs, ([key, graph]): [string, ReadOnnxGraph | undefined] => [
    key,
    graph && {
      inputs: graph.inputs,
      initializers: graph.initializers,
      outputs: graph.outputs.map((output) => ({ ...output, name: renamed(output.name) })),
      nodes: graph.nodes.map((one) => withNames(one, renamed)),
    },
  ]);
  return { ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed), graphs: new Map(graphs) };
}
