import { expect, test } from 'vitest';
import { binary, input, reduce } from '../../../../server/compiler/build.ts';
import { checkGraph } from '../../../../server/compiler/check.ts';
import { topologicalOrder, type Graph, type Node } from '../../../../server/compiler/ir.ts';
import { takeDotProducts } from '../../../../server/compiler/passes/dotProducts.ts';
import { expectSameValues } from './expectSameValues.ts';

const images = (name: string, shape: readonly number[]) => input(name, { dtype: 'float32', shape });
const large = [3, 2, 32, 16];
const [a, b] = [images('a', large), images('b', large)];
const graphOf = (...nodes: Node[]): Graph => ({ outputs: new Map(nodes.map((node, i) => [`y${i}`, node])) });
const products = (graph: Graph) => topologicalOrder(graph).filter(({ op }) => op === 'MatMul').length;

const taken: Readonly<Record<string, Node>> = {
  'a sum': reduce('Sum', binary('Mul', a, b), [0, 2, 3]),
  'a sum that keeps its axes, named in another order': reduce('Sum', binary('Mul', a, b), [3, 0, 2], true),
  'a mean of squares': reduce('Mean', binary('Mul', a, a), [0, 2, 3], true),
  'a sum over sequences': reduce('Sum', binary('Mul', images('a', [3, 2, 600]), images('b', [3, 2, 600])), [0, 2]),
};

test.each(Object.entries(taken))('%s is a dot product', async (_, node) => {
  const graph = graphOf(node);
  const after = takeDotProducts(graph);
  checkGraph(after, 'dot-products', graph);
  expect(products(after)).toBe(1);
  await expectSameValues(after, graph);
});

const twice = binary('Mul', a, b);
const left: Readonly<Record<string, Graph>> = {
  'of small images': graphOf(
    reduce('Sum', binary('Mul', images('a', [3, 2, 8, 8]), images('b', [3, 2, 8, 8])), [0, 2, 3]),
  ),
  'over the channels, too': graphOf(reduce('Sum', binary('Mul', a, b), [0, 1, 2, 3])),
  'over one axis': graphOf(reduce('Sum', binary('Mul', a, b), [3])),
  'with a number for each channel': graphOf(reduce('Sum', binary('Mul', a, images('c', [1, 2, 1, 1])), [0, 2, 3])),
  'of products that another operation needs': graphOf(reduce('Sum', twice, [0, 2, 3]), binary('Add', twice, a)),
  'of sums': graphOf(reduce('Sum', binary('Add', a, b), [0, 2, 3])),
};

test.each(Object.entries(left))('a sum %s stays', (_, graph) => {
  expect(products(takeDotProducts(graph))).toBe(0);
});
