/** @file An exported file, for tests of the page. */
import type { RecordedExport } from '../../../server/protocol/run/exportedFile.ts';

export function exportedFile(changes: Partial<RecordedExport> = {}): RecordedExport {
  return {
    format: 'onnx',
    path: '/project/mnist.onnx',
    time: 1_700_000_000_000,
    bytes: 28_200,
    denseBytes: 1_066_440,
    gzipBytes: 23_300,
    weights: [
      { name: 'fc1/kernel', form: 'sparse', bytes: 17_300 },
      { name: 'fc1/bias', form: 'dense', bytes: 1200 },
    ],
    engine: 'ONNX Runtime',
    metric: 'accuracy',
    value: 0.9809,
    runValue: 0.9809,
    largestDifference: 5.7e-6,
    allowedDifference: 1e-4,
    isThere: true,
    ...changes,
  };
}
