import { expect, test } from 'vitest';
import type { WeightDistortion } from '../../../../../server/protocol/run/runHistory.ts';
import { scaledContent } from '../../../../../webview/views/weights/scaledContent.ts';

test('the points of a step stand over the weights between the ends of their buckets', () => {
  const content = contentOf([at(10, [0.2, 0.8])]);
  expect(Array.from(content!.series[0].x)).toEqual([0, 0.5, 1]);
  expect(Array.from(content!.series[0].y)).toEqual([3, 4]);
  expect(content?.references).toEqual([
    { axis: 'x', value: 0.2, label: '0.2' },
    { axis: 'x', value: 0.8, label: '0.8' },
  ]);
  expect(content?.summary).toMatch(/2 levels$/);
  expect(content?.x).toMatchObject({ minimum: 0, maximum: 1 });
});

test('the axis has room for the points of all steps, which can leave the buckets', () => {
  const content = contentOf([at(10, [0.2, 0.8]), at(20, [-0.5, 1.25]), at(30, [0, 1])]);
  expect(content?.x).toMatchObject({ minimum: -0.5, maximum: 1.25 });
});

test('a weight whose buckets share no levels has no such chart', () => {
  expect(contentOf([at(10)])).toBeUndefined();
});

const contentOf = (recorded: readonly WeightDistortion[]) => scaledContent(recorded[0], 2, recorded);

function at(step: number, levels?: readonly number[]): WeightDistortion {
  return {
    step,
    index: 0,
    setting: { bits: 1 },
    minimum: -1,
    maximum: 1,
    before: Uint32Array.of(1, 2),
    after: Uint32Array.of(2, 1),
    zerosBefore: 0,
    zerosAfter: 0,
    nearZerosBefore: 0,
    nearZerosAfter: 0,
    relativeError: 0.1,
    ...(levels && { scaledLevels: { levels, counts: Uint32Array.of(3, 4) } }),
  };
}
