import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeOnnxModel } from '../../../server/formats/onnx.ts';
import { onnxTensorOf, readOnnxModel } from '../../../server/formats/onnxReader.ts';
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

/** By ONNX's own library: test/unit/inspect/fixtures/make_fixtures.py. */
const allTypes = new URL('../inspect/fixtures/all-types.onnx', import.meta.url);

test('initializers of every type have the same numbers as bytes and as the integers that ONNX stores them in', () => {
  const numbers = new Map(
    readOnnxModel(readFileSync(allTypes)).initializers.map((tensor) => [tensor.name, onnxTensorOf(tensor).data]),
  );
  expect([...numbers.keys()].filter((name) => name.startsWith('raw.'))).toHaveLength(17);
  for (const [name, data] of numbers)
    if (name.startsWith('raw.')) expect(numbers.get(name.replace('raw', 'typed')), name).toEqual(data);
  expect([...(numbers.get('raw.int4') ?? [])]).toEqual([-8, -7, -6, -1, -8, -5, -3, -4]);
  expect([...(numbers.get('sparse') ?? [])]).toEqual([0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -6]);
});
