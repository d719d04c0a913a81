/** @file The values of a graph's outputs, computed by ONNX Runtime without any pass. */
import { lowerGraph } from '../../../../server/compiler/lower/lowerGraph.ts';
import type { Graph } from '../../../../server/compiler/ir.ts';
import { BoundSession, type Buffer } from '../../../../server/compiler/session.ts';
import { Random } from '../../../../server/formats/random.ts';

/** The outputs for inputs that follow from their names: floats random in [-1, 1), integers below `classes`. */
export async function evaluateGraph(graph: Graph, classes = 3, channelBlock = 1): Promise<Map<string, Buffer>> {
  const lowered = lowerGraph(graph, { channelBlock });
  const session = await BoundSession.create(lowered, new Map(), { threads: 1, spinning: false });
  for (const { name } of lowered.inputs) {
    const random = new Random([...name].reduce((seed, letter) => seed * 31 + letter.charCodeAt(0), 7) % 2 ** 32);
    const buffer = session.buffers.get(name) as Buffer;
    const next = buffer instanceof Float32Array ? () => 2 * random.uniform() - 1 : () => random.below(classes);
    for (let i = 0; i < buffer.length; i++) buffer[i] = next();
  }
  await session.run();
  const values = new Map(lowered.outputs.map(({ name }) => [name, session.buffers.get(name) as Buffer]));
  await session.release();
  return values;
}
