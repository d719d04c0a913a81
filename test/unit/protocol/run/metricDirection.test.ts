import { expect, test } from 'vitest';
import { directionWarning, isGreaterBetter } from '../../../../server/protocol/run/metricDirection.ts';

test.each([
  ...[
    'accuracy',
    'precision',
    'f1',
    'R2',
    'top5Accuracy',
    'top2',
    'hits@10',
    'mIoU',
    'mAP',
    'macro F1',
    'log likelihood',
    'dice_score',
    'AUC',
  ],
  // Words in which others are written.
  ...['error_type accuracy', 'glossiness accuracy', 'habits accuracy', 'lossless accuracy', 'categoricalaccuracy'],
])('a greater %s is better', (metric) => {
  expect([isGreaterBetter(metric), directionWarning(metric)]).toEqual([true, undefined]);
});

test.each([
  ...[
    'perplexity',
    'loss',
    'kind loss',
    'mse',
    'RMSE',
    'rms',
    'meanSquaredError',
    'meansquarederror',
    'mean_absolute_error',
  ],
  ...['wer', 'CER', 'bpc', 'nll', 'negative log likelihood', 'brier', 'fid', 'hinge', 'ece', 'categoricalCrossentropy'],
  ...['accuracy loss', 'binary_crossentropy'],
])('a smaller %s is better', (metric) => {
  expect([isGreaterBetter(metric), directionWarning(metric)]).toEqual([false, undefined]);
});

test('a name that says nothing is taken for one of which more is better, with a warning', () => {
  expect(isGreaterBetter('quality')).toBe(true);
  expect(directionWarning('quality')).toBe(
    "The name of the metric 'quality' does not say if more of it is better: a greater value is taken to be. " +
      "Name it in the model's module 'quality score', or 'quality error' where a smaller one is better.",
  );
});
