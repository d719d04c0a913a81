import { expect, test } from 'vitest';
import { trialsOf } from '../../../server/sensitivity/settings.ts';
import { compressions, weight } from '../compression/methods/weights.ts';

test.each([
  [
    'points whose iterations are as many as those of binary codes',
    { levels: 'points', iterations: 2, start: 'quantiles' },
    {},
  ],
  ['uniform levels in buckets', { levels: 'uniform', bucket: 64 }, {}],
  ['what the method takes anyhow', { levels: 'points', start: 'uniform' }, { start: undefined }],
  ['binary codes as they are', { levels: 'binary', iterations: 2 }, { levels: undefined, iterations: undefined }],
])('the suggestion has the settings of the layer that were measured: %s', (_, settings, leftOut) => {
  const weights = [weight('fc1/kernel', [100, 50])];
  const compression = compressions({ method: 'quantize', distortEvery: 1, layers: { fc1: { bits: 3, ...settings } } });
  const [{ written, compression: measured }] = trialsOf({ compression }, weights, {
    methods: ['quantize'],
    values: [4],
  });
  expect(written).toEqual({ bits: 4, ...settings, ...leftOut });
  const [again] = compressions({ method: 'quantize', distortEvery: 1, layers: { 'fc1/kernel': written } });
  expect(again.layers).toEqual(measured.layers);
});
