/**
 * @file Large square matrix products in ONNX Runtime, in a session as the product's: the speed that a training step cannot
 * exceed. A step is one product. Arguments: number of rows and columns, threads.
 */
import { input, matmul } from '../../../server/compiler/build.ts';
import { lowerGraph } from '../../../server/compiler/lower/lowerGraph.ts';
import { BoundSession } from '../../../server/compiler/session.ts';
import { serveSteps } from './serveSteps.ts';

const [side, threads] = process.argv.slice(2).map(Number);
const matrix = (name: string) => input(name, { dtype: 'float32', shape: [side, side] });
const outputs = new Map([['product', matmul(matrix('a'), matrix('b'))]]);
const session = await BoundSession.create(lowerGraph({ outputs }), new Map(), { threads, spinning: threads > 1 });
for (const name of ['a', 'b']) session.buffers.get(name)?.set(Float32Array.from({ length: side ** 2 }, Math.random));
await serveSteps({ side, threads }, async () => void (await session.run()));
