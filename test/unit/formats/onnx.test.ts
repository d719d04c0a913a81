import { expect, test } from 'vitest';
import { encodeOnnxModel } from '../../../server/formats/onnx.ts';
import { ort } from '../../../server/formats/onnxRuntime.ts';

test('a written model runs in ONNX Runtime, with attributes and initializers of every type used', async () => {
  const model = encodeOnnxModel({
    inputs: [{ name: 'x', type: 'float32', shape: [2, 3] }],
    outputs: [{ name: 'y', type: 'float32', shape: [6] }],
    initializers: [
      { name: 'w', type: 'float32', shape: [3, 3], data: Float32Array.of(1, 0, 0, 0, 2, 0, 0, 0, 3) },
      { name: 'flat', type: 'int64', shape: [1], data: BigInt64Array.of(-1n) },
    ],
    nodes: [
      { op: 'Gemm', inputs: ['x', 'w'], outputs: ['p'], attributes: { alpha: { float: 0.5 }, transB: { int: 1 } } },
      { op: 'Transpose', inputs: ['p'], outputs: ['t'], attributes: { perm: { ints: [1, 0] } } },
      { op: 'Reshape', inputs: ['t', 'flat'], outputs: ['y'] },
    ],
  });
  const session = await ort.InferenceSession.create(model);
  const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]) });
  expect([...(y.data as Float32Array)]).toEqual([0.5, 2, 2, 5, 4.5, 9]);
});
