import { expect, test } from 'vitest';
import {
  byteRatioOf,
  equivalentSetting,
  sizedMethods,
} from '../../../../server/language/features/equivalentSetting.ts';
import { layerSetting } from '../../../../server/language/readCompression.ts';
import type { Method } from '../../../../server/protocol/experiment/schema.ts';
import { dense } from '../lenet.ts';

const weights = dense('fc1', 784, 300).slice(0, 1);

/** Every value that can be written, in no special order. */
const values: Partial<Record<Method, readonly Record<string, number>[]>> = {
  prune: Array.from({ length: 1000 }, (_, i) => ({ rate: i / 1000 })),
  quantize: [1, 2, 3, 4, 5, 6, 7, 8].map((bits) => ({ bits })),
  'low-rank': Array.from({ length: 300 }, (_, i) => ({ rank: i + 1 })),
};

test('the methods whose sizes are known are those that the sizes below are compared for', () => {
  expect(sizedMethods).toEqual(Object.keys(values));
});

test.each(sizedMethods.flatMap((method) => [1.5, 5.5, 8.6, 15, 40].map((ratio) => [method, ratio] as const)))(
  'the setting of %s for a ratio of %d is the nearest of all',
  (method, ratio) => {
    const ratios = (values[method] ?? []).map((parameters) => byteRatioOf(weights, layerSetting(method, parameters)));
    const distance = (other: number) => Math.abs(Math.log(other / ratio));
    const found = equivalentSetting(method, weights, ratio)?.ratio ?? NaN;
    expect(distance(found)).toBeCloseTo(Math.min(...ratios.map(distance)), 12);
  },
);
