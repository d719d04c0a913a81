/** @file ONNX Runtime without its telemetry: the one module that loads onnxruntime-node. ESLint holds that. */
import { createRequire } from 'node:module';
import type * as OnnxRuntime from 'onnxruntime-node';

export type { InferenceSession, Tensor } from 'onnxruntime-node';

// The library reads this when it is loaded. Without it, ONNX Runtime 1.29 and newer keep an identifier of the machine in the
// user's home folder and upload events to Microsoft (onnxruntime pull request 27379). An `import` would be evaluated before
// this line, hence `require`.
process.env.ORT_DISABLE_TELEMETRY = '1';

export const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof OnnxRuntime;
