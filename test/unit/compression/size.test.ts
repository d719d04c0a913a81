import { expect, test } from 'vitest';
import { layerSize, modelSize } from '../../../server/compression/size.ts';

test('the ratio of weights leaves biases out, and the ratio of bytes counts them', () => {
  const rows = [
    layerSize('fc/kernel', [10, 10], { weightsKept: 10, bits: 399 }),
    layerSize('fc/bias', [10], { weightsKept: 10, bits: 320 }),
  ];
  expect(rows[0]).toEqual({
    name: 'fc/kernel',
    shape: [10, 10],
    weights: 100,
    weightsKept: 10,
    bytes: 400,
    bytesKept: 50,
  });
  expect(modelSize(rows)).toEqual({
    weights: 100,
    weightsKept: 10,
    weightRatio: 10,
    bytes: 440,
    bytesKept: 90,
    byteRatio: 440 / 90,
  });
});
