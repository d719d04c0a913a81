import { expect, test } from 'vitest';
import { input, reduce } from '../../../../server/compiler/build.ts';
import { checkGraph } from '../../../../server/compiler/check.ts';
import { topologicalOrder, type Graph, type Node } from '../../../../server/compiler/ir.ts';
import { sumColumnsByProducts } from '../../../../server/compiler/passes/columnSums.ts';
import { expectSameValues } from './expectSameValues.ts';

const tensor = (shape: readonly number[]) => input('x', { dtype: 'float32', shape });
const graphOf = (node: Node): Graph => ({ outputs: new Map([['y', node]]) });
const products = (graph: Graph) => topologicalOrder(graph).filter(({ op }) => op === 'MatMul').length;

const taken: Readonly<Record<string, Node>> = {
  'of a matrix': reduce('Sum', tensor([300, 20]), [0]),
  'over time steps and samples': reduce('Sum', tensor([16, 20, 40]), [1, 0]),
  'that keeps its axes': reduce('Sum', tensor([16, 20, 40]), [0, 1], true),
  'of matrices': reduce('Sum', tensor([300, 4, 5]), [0]),
};

test.each(Object.entries(taken))('a sum %s is a product with ones', async (_, node) => {
  const graph = graphOf(node);
  const after = sumColumnsByProducts(graph);
  checkGraph(after, 'column-sums', graph);
  expect(products(after)).toBe(1);
  await expectSameValues(after, graph);
});

const left: Readonly<Record<string, Node>> = {
  'of few rows': reduce('Sum', tensor([50, 300]), [0]),
  'of few columns': reduce('Sum', tensor([3000, 4]), [0]),
  'of all numbers': reduce('Sum', tensor([300, 20]), [0, 1]),
  'of rows': reduce('Sum', tensor([300, 300]), [1]),
  'over other axes than the first': reduce('Sum', tensor([300, 20, 30]), [0, 2]),
  'of integers': reduce('Sum', input('i', { dtype: 'int32', shape: [300, 20] }), [0]),
};

test.each(Object.entries(left))('a sum %s stays', (_, node) => {
  expect(products(sumColumnsByProducts(graphOf(node)))).toBe(0);
});
