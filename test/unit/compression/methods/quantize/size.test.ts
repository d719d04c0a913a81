import { expect, test } from 'vitest';
import { binaryCodeSize } from '../../../../../server/compression/methods/quantize/size.ts';
import { matrixViewOf } from '../../../../../server/compression/targets/matrixView.ts';

test('binary codes take k bits a weight and 32 k bits a row', () => {
  const view = matrixViewOf([300, 1200], 'recurrent_kernel');
  expect(binaryCodeSize(view, 3, 'row').bits).toBe(3 * 300 * 1200 + 32 * 3 * 1200);
  expect(binaryCodeSize(view, 3, 'matrix').bits).toBe(3 * 300 * 1200 + 32 * 3);
});
