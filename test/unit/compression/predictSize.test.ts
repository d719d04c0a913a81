import { expect, test } from 'vitest';
import { createCompressor, type WrittenCompression } from './createCompressor.ts';
import { predictSizes, type LayerSetting } from '../../../server/compression/predictSize.ts';
import { oneCompression } from '../../../server/protocol/experiment/schema/compression.ts';
import { matchTargets, type CompressibleWeight } from '../../../server/compression/targets/targets.ts';

function weight(name: string, shape: number[]): CompressibleWeight {
  const [layer, own] = name.split('/');
  return { name, layer, weight: own, shape, values: new Float32Array(shape.reduce((a, b) => a * b)).fill(1) };
}

const model = [
  weight('embedding/embeddings', [50, 6]),
  weight('lstm/kernel', [6, 20]),
  weight('lstm/recurrent_kernel', [5, 20]),
  weight('lstm/bias', [20]),
  weight('conv/kernel', [3, 3, 4, 8]),
  { ...weight('softmax/kernel', [5, 50]), inputLayer: 'lstm' },
  weight('softmax/bias', [50]),
];

function predicted(compression: WrittenCompression) {
  const { method, layers } = oneCompression.parse(compression);
  const targets = matchTargets(layers as Record<string, unknown>, model);
  return predictSizes(model, (w) => {
    const target = targets.find(({ weight: { name } }) => name === w.name);
    return target ? [{ method, parameters: target.parameters } as LayerSetting] : [];
  });
}

const codes = { levels: 'binary', algorithm: 'greedy', scales: 'row', iterations: 2 } as const;
const common = { policy: 'deeptwist', distortEvery: 10 } as const;

test.each<WrittenCompression>([
  {
    ...common,
    method: 'quantize',
    layers: { '*': { ...codes, bits: 3 }, conv: { ...codes, bits: 1, scales: 'matrix' } },
  },
  {
    ...common,
    method: 'quantize',
    layers: {
      '*': { levels: 'uniform', bits: 3, bucket: 32, symmetric: false, rounding: 'nearest' },
      lstm: { levels: 'points', bits: 3, points: 5, bucket: 'row', start: 'uniform', iterations: 3 },
      'lstm/kernel': { levels: 'points', bits: 2, bucket: 'none', start: 'uniform', iterations: 3 },
      conv: { levels: 'fixed-point', bits: 4, rounding: 'nearest' },
      softmax: { levels: 'power-of-two', bits: 4 },
    },
  },
  { ...common, method: 'low-rank', layers: { '*': { rank: 2, sharedProjection: true } } },
  {
    ...common,
    method: 'low-rank',
    layers: {
      lstm: { rank: 5, sharedProjection: false },
      'lstm/recurrent_kernel': { rank: 5, sharedProjection: true },
      softmax: { rank: 5, sharedProjection: true },
    },
  },
  { ...common, method: 'low-rank', layers: { '*': { rank: 3, sharedProjection: false } } },
  { ...common, method: 'custom', module: './double.js', layers: { softmax: {} } },
])('what is predicted is what a run counts: %j', (compression) => {
  const compressor = createCompressor(compression, model, { steps: 100, seed: 1 });
  expect(predicted(compression)).toEqual(compressor.sizes(model));
});

test.each<{ rate?: number; pattern?: string; block?: [number, number] }>([
  { rate: 0.83 },
  { pattern: '2:4' },
  { pattern: '1:3' },
  { pattern: 'unit', rate: 0.5 },
  { pattern: 'block', block: [2, 1], rate: 0.6 },
])('of pruned weights, the numbers that are kept are predicted exactly: %j', async (parameters) => {
  const compression: WrittenCompression = { ...common, method: 'prune', layers: { '*': parameters } };
  const trained = model.map((one) => ({ ...one, values: one.values.map((_, i) => 1 + (i % 7)) }));
  const compressor = createCompressor(compression, trained, { steps: 100, seed: 1 });
  await compressor.distort(100);
  const kept = (sizes: readonly { weightsKept: number }[]) => sizes.map(({ weightsKept }) => weightsKept);
  expect(kept(predicted(compression))).toEqual(kept(compressor.sizes(trained)));
});

test('codes of levels take no more than predicted, and less where some are rare', async () => {
  const values = Float32Array.from({ length: 5000 }, (_, i) => (i % 50 === 0 ? Math.sin(i) : 0.01 * Math.sin(i)));
  const fc = { name: 'fc/kernel', layer: 'fc', weight: 'kernel', shape: [100, 50], values };
  const compression: WrittenCompression = {
    ...common,
    method: 'quantize',
    layers: { fc: { levels: 'uniform', bits: 4, bucket: 'tensor', symmetric: false, rounding: 'nearest' } },
  };
  const compressor = createCompressor(compression, [fc], { steps: 100, seed: 1 });
  const [before] = compressor.sizes([fc]);
  expect(before.bytesKept).toBe((4 * 5000 + 2 * 32) / 8);
  await compressor.distort(100);
  expect(compressor.sizes([fc])[0].bytesKept).toBeLessThan(before.bytesKept / 2);
});
