/** @file The samples of a data set as the inputs of an ONNX file. */
import { expect, test } from 'vitest';
import type { OnnxType } from '../../../../server/formats/onnx.ts';
import { OnnxFile } from '../../../../server/export/onnx/onnxFile.ts';
import { node, writeGraph } from '../../models/onnx/onnxFiles.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';

test.each([
  ['float32', 'float32', Float32Array],
  ['int32', 'int32', Int32Array],
  ['int64', 'int32', Int32Array],
  ['float32', 'int32', Int32Array],
  ['int32', 'float32', Float32Array],
  ['int64', 'float32', Float32Array],
  ['float64', 'float32', Float32Array],
] as const)(
  'images with channels last become those with channels first: %s of %s',
  async (inputType, dtype, Numbers) => {
    const float = { to: { int: 1 } };
    const file = { nodes: [node('Cast', ['x'], 'y', float)], input: ['batch', 3, 1, 2], inputType, outputRank: 4 };
    const path = writeGraph(await temporaryFolder(), 'net.onnx', file);
    const samples = {
      inputs: [{ shape: [1, 2, 3], dtype }],
      inputNames: ['x'],
      outputNames: ['y'],
      hasNamesOfFile: true,
    };
    const opened = await OnnxFile.open(path, samples);
    const [{ values, shape }] = await opened.predict(2, [Numbers.from([1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6])]);
    expect(shape).toEqual([2, 3, 1, 2]);
    expect([...values]).toEqual([1, 4, 2, 5, 3, 6, -1, -4, -2, -5, -3, -6]);
    await opened.release();
  },
);

async function castFile(inputType: OnnxType, outputType: 'float32' | 'int64' = 'float32') {
  const nodes = [node('Cast', ['x'], 'y', { to: { int: { float32: 1, int64: 7 }[outputType] } })];
  const path = writeGraph(await temporaryFolder(), 'net.onnx', { nodes, inputType, outputType });
  const inputs = [{ shape: [4], dtype: 'float32' as const }];
  return OnnxFile.open(path, { inputs, inputNames: ['x'], outputNames: ['y'], hasNamesOfFile: true });
}

test.each([
  ['uint8', [0, 255, 7.5, 1], [0, 255, 7, 1]],
  ['int32', [0.5, -1.5, 7, 300], [0, -1, 7, 300]],
  ['int64', [0.5, -1.5, 7, 300], [0, -1, 7, 300]],
  ['bool', [0, 0.5, -1, 2], [0, 1, 1, 1]],
] as const)('numbers become %s as they do in training', async (inputType, given, expected) => {
  const opened = await castFile(inputType);
  const [{ values }] = await opened.predict(1, [Float32Array.from(given)]);
  expect([...values]).toEqual(expected);
  await opened.release();
});

test('outputs of 64 bits are read as floats', async () => {
  const opened = await castFile('float32', 'int64');
  const [{ values }] = await opened.predict(1, [Float32Array.of(1, -2.5, 3, 0)]);
  expect(values).toEqual(Float32Array.of(1, -2, 3, 0));
  await opened.release();
});

test.each([
  ['uint8', 300],
  ['uint8', -1],
  ['int32', 2 ** 31],
  ['int64', 2 ** 31],
] as const)('a number that is lost on its way to %s is told: %d', async (inputType, number) => {
  const opened = await castFile(inputType);
  const error = await userErrorOf(() => opened.predict(1, [Float32Array.of(1, 2, number, 3)]));
  expect(error.message).toBe(
    `A sample has the number ${number}, which the input x of the type ${inputType} cannot take.`,
  );
  await opened.release();
});
