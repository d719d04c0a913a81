import { expect, test } from 'vitest';
import { binary, input, unary } from '../../../../server/compiler/build.ts';
import { checkGraph } from '../../../../server/compiler/check.ts';
import { topologicalOrder, type Graph, type Node } from '../../../../server/compiler/ir.ts';
import { joinScalesAndShifts } from '../../../../server/compiler/passes/scaleShift.ts';
import { expectSameValues } from './expectSameValues.ts';

const tensor = (name: string, shape: readonly number[]) => input(name, { dtype: 'float32', shape });
const images = tensor('x', [3, 4, 16, 8]);
const [scale, shift] = [tensor('scale', [1, 4, 1, 1]), tensor('shift', [1, 4, 1, 1])];
const graphOf = (...nodes: Node[]): Graph => ({ outputs: new Map(nodes.map((node, i) => [`y${i}`, node])) });
const scaled = (x: Node, a: Node, b: Node) => binary('Add', binary('Mul', x, a), b);
const joined = (graph: Graph) => topologicalOrder(graph).filter(({ op }) => op === 'ScaleShift').length;

const taken: Readonly<Record<string, Node>> = {
  'of images': scaled(images, scale, shift),
  'whose operands are in the other order': binary('Add', shift, binary('Mul', scale, images)),
  'below a rectifier': unary('Relu', scaled(images, scale, shift)),
  'below a rectifier and a sum': unary('Relu', binary('Add', scaled(images, scale, shift), tensor('z', [3, 4, 16, 8]))),
  'of numbers without an axis of the batch': scaled(images, tensor('a', [4, 1, 1]), tensor('b', [4, 1, 1])),
  'of sequences': scaled(tensor('x', [2, 4, 200]), tensor('a', [1, 4, 1]), tensor('b', [4, 1])),
  'of volumes': scaled(tensor('x', [2, 4, 4, 8, 8]), tensor('a', [1, 4, 1, 1, 1]), tensor('b', [1, 4, 1, 1, 1])),
};

test.each(Object.entries(taken))('a scale and a shift %s are one operation', async (_, node) => {
  const graph = graphOf(node);
  const after = joinScalesAndShifts(graph);
  checkGraph(after, 'scale-shift', graph);
  expect(joined(after)).toBe(1);
  await expectSameValues(after, graph);
});

test('a normalization and its gradient are two of them', () => {
  const gradient = binary(
    'Add',
    binary('Mul', tensor('dy', [3, 4, 16, 8]), scale),
    scaled(images, tensor('k', [1, 4, 1, 1]), shift),
  );
  expect(joined(joinScalesAndShifts(graphOf(scaled(images, scale, shift), gradient)))).toBe(2);
});

const product = binary('Mul', images, scale);
const left: Readonly<Record<string, Graph>> = {
  'of small images': graphOf(scaled(tensor('x', [3, 4, 8, 8]), scale, shift)),
  'whose product another operation needs': graphOf(binary('Add', product, shift), unary('Relu', product)),
  'whose product is a result': graphOf(binary('Add', product, shift), product),
  'with a number for each position': graphOf(scaled(images, scale, tensor('b', [1, 1, 16, 8]))),
  'with a number for each column': graphOf(scaled(tensor('x', [3, 4, 16, 8]), tensor('a', [8]), tensor('b', [8]))),
  'of rows': graphOf(scaled(tensor('x', [200, 4]), tensor('a', [4]), tensor('b', [4]))),
  'of more axes than a volume has': graphOf(
    scaled(tensor('x', [2, 4, 4, 4, 4, 4]), tensor('a', [4, 1, 1, 1, 1]), tensor('b', [4, 1, 1, 1, 1])),
  ),
  'of integers': graphOf(
    scaled(
      input('i', { dtype: 'int32', shape: [3, 4, 16, 8] }),
      input('j', { dtype: 'int32', shape: [1, 4, 1, 1] }),
      input('k', { dtype: 'int32', shape: [1, 4, 1, 1] }),
    ),
  ),
};

test.each(Object.entries(left))('a scale and a shift %s stay', (_, graph) => {
  expect(joined(joinScalesAndShifts(graph))).toBe(0);
});
