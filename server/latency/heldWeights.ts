/** @file What ONNX Runtime holds of the weights of a file. */
import { join } from 'node:path';
import { ort } from '../formats/onnxRuntime.ts';
import { openModelFile } from '../inspect/modelFile.ts';

/**
 * ONNX Runtime computes constants once, when it loads a file: the weights that it then holds are those of the graph that is left, which
 * it writes where it is asked to.
 * @param folder an existing one for that graph
 * @returns bytes; undefined where the graph cannot be written, which for one of more than 2 GB is so
 */
export async function heldWeights(path: string, folder: string): Promise<number | undefined> {
  const optimizedModelFilePath = join(folder, 'optimized.onnx');
  try {
    const session = await ort.InferenceSession.create(path, { optimizedModelFilePath, logSeverityLevel: 4 });
    await session.release();
    const { tensors, close } = await openModelFile(optimizedModelFilePath);
    await close();
    return tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  } catch {
    return undefined;
  }
}
