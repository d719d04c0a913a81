import { expect, test } from 'vitest';
import { createCompressor } from './createCompressor.ts';
import { predictSizes, type LayerSetting } from '../../../server/compression/predictSize.ts';
import type { Compression } from '../../../server/protocol/experiment/schema.ts';
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

function predicted({ method, layers }: Compression) {
  const targets = matchTargets(layers as Record<string, unknown>, model);
  return predictSizes(model, (w) => {
    const target = targets.find(({ weight: { name } }) => name === w.name);
    return target ? [{ method, parameters: target.parameters } as LayerSetting] : [];
  });
}

const codes = { algorithm: 'greedy', scales: 'row', iterations: 2 } as const;
const common = { policy: 'deeptwist', distortEvery: 10 } as const;

test.each<Compression>([
  {
    ...common,
    method: 'quantize',
    layers: { '*': { ...codes, bits: 3 }, conv: { ...codes, bits: 1, scales: 'matrix' } },
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

test('of pruned weights, the numbers that are kept are predicted exactly', async () => {
  const compression: Compression = { ...common, method: 'prune', layers: { '*': { rate: 0.83 } } };
  const compressor = createCompressor(compression, model, { steps: 100, seed: 1 });
  await compressor.distort(100);
  const kept = (sizes: readonly { weightsKept: number }[]) => sizes.map(({ weightsKept }) => weightsKept);
  expect(kept(predicted(compression))).toEqual(kept(compressor.sizes(model)));
});
