/** @file Runs an ONNX model as another program would: by its bytes and the names in it. */
import { encodeOnnxModel, type OnnxGraph } from '../../../../server/formats/onnx.ts';
import { ort, type Tensor } from '../../../../server/formats/onnxRuntime.ts';

/** The outputs by name. */
export async function runOnnx(graph: OnnxGraph, feeds: Record<string, Tensor> = {}): Promise<Record<string, Tensor>> {
  const session = await ort.InferenceSession.create(encodeOnnxModel(graph), { logSeverityLevel: 3 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}
