/** @file Operations that are written otherwise for the graphics processor, computed on the processor in both ways. */
import { expect, test } from 'vitest';
import { binary, input, make, matmul } from '../../../server/compiler/build.ts';
import type { DType, Node, Shape } from '../../../server/compiler/ir.ts';
import { lowerGraph } from '../../../server/compiler/lower/lowerGraph.ts';
import { BoundSession, type Buffer } from '../../../server/compiler/session.ts';
import { expectClose } from './expectClose.ts';

const of = (dtype: DType, name: string, shape: Shape) => input(name, { dtype, shape });
const numbers = [-2.5, -1, -0, 0, 1e-30, 0.5, 3, 100];

const cases: Record<string, Node> = {
  'absolute values of integers': make('Abs', {}, [of('int32', 'a', [8])]),
  'negative integers': make('Neg', {}, [of('int32', 'a', [8])]),
  'signs of integers': make('Sign', {}, [of('int32', 'a', [8])]),
  signs: make('Sign', {}, [of('float32', 'a', [8])]),
  'steps of a rectifier': make('Step', {}, [of('float32', 'a', [8])]),
  or: binary('Or', of('bool', 'a', [8]), of('bool', 'b', [8])),
  'logarithms of a softmax': make('LogSoftmax', {}, [of('float32', 'a', [2, 4])]),
  'products of many matrices, the second transposed': matmul(
    of('float32', 'a', [2, 2, 2]),
    of('float32', 'b', [2, 2, 2]),
    false,
    true,
  ),
  'products of many matrices, the first transposed': matmul(
    of('float32', 'a', [2, 2, 2]),
    of('float32', 'b', [2, 2, 2]),
    true,
    false,
  ),
  'products of many matrices and one that is transposed': matmul(
    of('float32', 'a', [2, 2, 2]),
    of('float32', 'b', [4, 2]),
    false,
    true,
  ),
  'products of one matrix that is transposed and many': matmul(
    of('float32', 'a', [2, 4]),
    of('float32', 'b', [2, 2, 2]),
    true,
    false,
  ),
};

async function computed(node: Node, device: 'cpu' | 'webgpu'): Promise<{ values: Buffer; operators: string[] }> {
  const graph = lowerGraph({ outputs: new Map([['result', node]]) }, { device });
  const session = await BoundSession.create(graph, new Map(), { threads: 1, spinning: false });
  for (const { name } of graph.inputs) {
    const buffer = session.buffers.get(name)!;
    const values = name === 'a' ? numbers : numbers.toReversed();
    buffer.set(buffer instanceof Uint8Array ? values.map((value) => Number(value > 0)) : values);
  }
  await session.run();
  await session.release();
  return { values: session.buffers.get('result')!, operators: graph.nodes.map(({ op }) => op) };
}

test.each(Object.entries(cases))('%s are the same', async (_, node) => {
  const expected = await computed(node, 'cpu');
  const actual = await computed(node, 'webgpu');
  expect(actual.operators).not.toEqual(expected.operators);
  expectClose('result', actual.values, expected.values, 1e-6);
});
