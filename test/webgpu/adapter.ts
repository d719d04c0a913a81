/** @file Tells whether a process finds a graphics processor, or the software in the place of one. */
import { input, unary } from '../../server/compiler/build.ts';
import { checkWebGpu, DeviceError } from '../../server/compiler/device.ts';
import { lowerGraph } from '../../server/compiler/lower/lowerGraph.ts';
import { BoundSession } from '../../server/compiler/session.ts';

/** @returns why there is none; undefined where there is one */
export async function missingAdapter(): Promise<string | undefined> {
  const graph = { outputs: new Map([['y', unary('Neg', input('x', { dtype: 'float32', shape: [1] }))]]) };
  try {
    checkWebGpu();
    const options = { device: 'webgpu', threads: 1, spinning: false } as const;
    const session = await BoundSession.create(lowerGraph(graph, options), new Map(), options);
    await session.release();
    return undefined;
  } catch (error) {
    if (error instanceof DeviceError) return error.message;
    throw error;
  }
}
