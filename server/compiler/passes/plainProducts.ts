/** @file Writes transpositions of stacked matrices out: ONNX Runtime alone has one operator of such a product, the standard has two. */
import { plainMatmul, rewrite } from '../build.ts';
import { topologicalOrder, type Graph } from '../ir.ts';

export function writeTranspositionsOut(graph: Graph): Graph {
  return rewrite(graph, topologicalOrder(graph), (node) => {
    if (node.op !== 'MatMul') return node;
    const { transposeA, transposeB } = node.params;
    const [a, b] = node.inputs;
    const isMatrices = a.type.shape.length === 2 && b.type.shape.length === 2;
    if (isMatrices || !(transposeA || transposeB)) return node;
    return plainMatmul(a, b, transposeA, transposeB);
  });
}
