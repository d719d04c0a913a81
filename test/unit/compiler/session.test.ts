import { expect, test } from 'vitest';
import { binary, input, make } from '../../../server/compiler/build.ts';
import type { Node } from '../../../server/compiler/ir.ts';
import { lowerGraph } from '../../../server/compiler/lower/lowerGraph.ts';
import { BoundSession } from '../../../server/compiler/session.ts';

const sessionOf = (y: Node) =>
  BoundSession.create(lowerGraph({ outputs: new Map([['y', y]]) }), new Map(), { threads: 1, spinning: false });

test('a run writes its outputs into the buffers of the session, and copies none of them', async () => {
  const length = 1 << 20;
  const x = input('x', { dtype: 'float32', shape: [length] });
  const session = await sessionOf(binary('Add', x, x));
  session.buffers.get('x')?.fill(3);
  await session.run();
  const before = process.memoryUsage().arrayBuffers;
  const runs = 20;
  for (let i = 0; i < runs; i++) await session.run();
  // Copies would be garbage, of which some may have been collected, but not all at each run.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * length);
  expect(session.buffers.get('y')?.every((value) => value === 6)).toBe(true);
  await session.release();
});

test('a run that fails says why', async () => {
  const table = input('table', { dtype: 'float32', shape: [2, 3] });
  const indices = input('indices', { dtype: 'int32', shape: [1] });
  const lowered = lowerGraph({ outputs: new Map([['y', make('Gather', { axis: 0 }, [table, indices])]]) });
  // Without the operator that keeps indices inside of the table.
  const nodes = lowered.nodes.filter(({ op }) => op !== 'Clip');
  const unchecked = nodes.map((node) => (node.op === 'Gather' ? { ...node, inputs: ['table', 'indices'] } : node));
  const session = await BoundSession.create({ ...lowered, nodes: unchecked }, new Map(), {
    threads: 1,
    spinning: false,
  });
  session.buffers.get('indices')?.fill(7);
  await expect(session.run()).rejects.toThrow(/indices element out of data bounds, idx=7/);
  await session.release();
});
