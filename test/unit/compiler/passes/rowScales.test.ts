import { describe, expect, it } from 'vitest';
import { binary, input, matmul, parameter, reduce } from '../../../../server/compiler/build.ts';
import { elementCount, topologicalOrder, type Graph, type Node } from '../../../../server/compiler/ir.ts';
import { moveRowScales } from '../../../../server/compiler/passes/rowScales.ts';
import { expectClose } from '../expectClose.ts';
import { evaluateGraph } from './evaluateGraph.ts';

const ROWS = 3;
const CLASSES = 50;
const UNITS = 2;

const matrix = input('errors', { dtype: 'float32', shape: [ROWS, CLASSES] });
const features = input('features', { dtype: 'float32', shape: [ROWS, UNITS] });
const weights = parameter('w', [UNITS, CLASSES]);

/** The gradients of a softmax layer's input, weights and bias, of errors that are scaled. */
function gradients(scaled: Node): Graph {
  return {
    outputs: new Map([
      ['input', matmul(scaled, weights, false, true)],
      ['weights', matmul(features, scaled, true, false)],
      ['bias', reduce('Sum', scaled, [0])],
    ]),
  };
}

const largestProduct = (graph: Graph) =>
  Math.max(...topologicalOrder(graph).map(({ op, type }) => (op === 'Mul' ? elementCount(type.shape) : 0)));

describe('Scales of rows', () => {
  it.each([
    ['one for each row', [ROWS, 1]],
    ['one for all', []],
  ])('are applied to what is small: %s', async (_, shape) => {
    const graph = gradients(binary('Mul', matrix, input('scale', { dtype: 'float32', shape })));
    const moved = moveRowScales(graph);
    expect(largestProduct(moved)).toBe(ROWS * UNITS);
    const [before, after] = [await evaluateGraph(graph), await evaluateGraph(moved)];
    for (const [name, values] of before) expectClose(name, after.get(name) as Float32Array, values as Float32Array);
  });

  it('stay where something else needs the scaled matrix', () => {
    const scaled = binary('Mul', matrix, input('scale', { dtype: 'float32', shape: [ROWS, 1] }));
    const graph = gradients(scaled);
    const all = { outputs: new Map([...graph.outputs, ['errors', scaled]]) };
    expect(moveRowScales(all)).toBe(all);
  });
});
