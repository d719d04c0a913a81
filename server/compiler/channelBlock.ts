/** @file How many channels ONNX Runtime's blocked convolutions take together, which depends on the processor. */
import { ort } from '../formats/onnxRuntime.ts';
import { encodeOnnxModel } from '../formats/onnx.ts';
import { BLOCKED_DOMAIN } from './lower/blockedConvolution.ts';

/** More channels than any block has. */
const CHANNELS = 64;

let found: Promise<number> | undefined;

/** Channels of a block: 16 with AVX-512, 8 with AVX2; 1 where there are no such convolutions. Measured once. */
export function channelBlock(): Promise<number> {
  return (found ??= measure());
}

/**
 * Blocks are not told by any call: of an image of two pixels, the second pixel of the first channel comes behind the first pixels of
 * a block's channels.
 */
async function measure(): Promise<number> {
  const value = (name: string) => ({ name, type: 'float32' as const, shape: [1, CHANNELS, 1, 2] });
  const model = encodeOnnxModel({
    inputs: [value('x')],
    outputs: [value('y')],
    initializers: [],
    nodes: [{ op: 'ReorderInput', inputs: ['x'], outputs: ['y'], domain: BLOCKED_DOMAIN }],
  });
  try {
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4, intraOpNumThreads: 1 });
    const pixels = Float32Array.from({ length: 2 * CHANNELS }, (_, i) => i);
    const { y } = await session.run({ x: new ort.Tensor('float32', pixels, [1, CHANNELS, 1, 2]) });
    await session.release();
    return (y.data as Float32Array).indexOf(1);
  } catch {
    return 1;
  }
}
