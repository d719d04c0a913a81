/** @file The samples of a data set as the inputs of an ONNX file. */
import { expect, test } from 'vitest';
import { OnnxFile } from '../../../../server/export/onnx/onnxFile.ts';
import { node, writeGraph } from '../../models/onnx/onnxFiles.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';

test.each([
  ['float32', 'float32', Float32Array],
  ['int32', 'int32', Int32Array],
  ['int64', 'int32', Int32Array],
  ['float32', 'int32', Int32Array],
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
