/** @file Can ONNX Runtime compute in memory that threads share? */
import { encodeOnnxModel } from '../formats/onnx.ts';
import { ort } from '../formats/onnxRuntime.ts';
import { Arena, arenaBytes } from '../memory/arena.ts';

let found: Promise<boolean> | undefined;

/**
 * True where ONNX Runtime takes tensors over a SharedArrayBuffer. Node-API gives an addon the address of one since Node.js 24.9 and the
 * last versions of 22 (nodejs/node pull request 59071), and refuses before. Tried once.
 */
export function acceptsSharedTensors(): Promise<boolean> {
  return (found ??= tryOne());
}

async function tryOne(): Promise<boolean> {
  const value = (name: string) => ({ name, type: 'float32' as const, shape: [1] });
  const model = encodeOnnxModel({
    inputs: [value('x')],
    outputs: [value('y')],
    initializers: [],
    nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
  });
  try {
    const arena = new Arena(2 * arenaBytes(1), true);
    const [x, y] = [arena.float32(1).fill(1), arena.float32(1)];
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4, intraOpNumThreads: 1 });
    await session.run({ x: new ort.Tensor('float32', x, [1]) }, { y: new ort.Tensor('float32', y, [1]) });
    await session.release();
    return y[0] === -1;
  } catch {
    return false;
  }
}
