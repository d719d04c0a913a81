import { describe, expect, it } from 'vitest';
import { binary, input, matmul, parameter } from '../../../../server/compiler/build.ts';
import type { Node } from '../../../../server/compiler/ir.ts';
import { reassociate } from '../../../../server/compiler/passes/reassociate.ts';
import { printGraph } from '../../../../server/compiler/print.ts';

const square = (name: string): Node => input(name, { dtype: 'float32', shape: [2, 2] });

/** The operations on what the pass makes of a node, without the inputs. */
function reassociated(outputs: Record<string, Node>): string[] {
  return printGraph(reassociate({ outputs: new Map(Object.entries(outputs)) }))
    .split('\n')
    .filter((line) => !/Input|Parameter/.test(line));
}

describe('Reassociation', () => {
  const product = matmul(square('x'), parameter('w', [2, 2]));

  it('multiplies by what a matrix product gives last', () => {
    const y = binary('Mul', binary('Mul', product, square('a')), square('b'));
    expect(reassociated({ y })).toEqual([
      '%2: float32[2, 2] = Mul(%0, %1)',
      '%5: float32[2, 2] = MatMul(%3, %4) {transposeA: false, transposeB: false}',
      '%6: float32[2, 2] = Mul(%2, %5)',
      'y = %6',
    ]);
  });

  it('leaves a product alone that something else needs, too', () => {
    const inner = binary('Mul', product, square('a'));
    const graph = { outputs: new Map(Object.entries({ inner, y: binary('Mul', inner, square('b')) })) };
    expect(reassociate(graph)).toBe(graph);
  });
});
