/** @file What a file holds of every compressed weight: as many bytes as the accounting says, and exactly the numbers. */
import { describe, expect, test } from 'vitest';
import { decodePacked, encodePacked } from '../../../server/formats/packed/packedFile.ts';
import { decodeSafetensors } from '../../../server/formats/safetensors.ts';
import type { CompressibleWeight } from '../../../server/compression/targets/targets.ts';
import { compressionsOf } from '../../../server/protocol/experiment/compressions.ts';
import { parseExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import type { Compression } from '../../../server/protocol/experiment/schema.ts';
import { createCompressor } from './createCompressor.ts';
import { normals } from './random.ts';

const STEPS = 20;

function weight(name: string, shape: number[], layerClass: string, inputLayer?: string): CompressibleWeight {
  const [layer, own] = name.split('/');
  const length = shape.reduce((a, b) => a * b);
  const values = normals(length, name.length);
  const gradient = new Float32Array(length);
  return {
    name,
    layer,
    weight: own,
    layerClass,
    shape,
    values,
    gradient,
    ...(inputLayer !== undefined && { inputLayer }),
  };
}

const model = () => [
  weight('conv/kernel', [3, 3, 2, 5], 'Conv2D'),
  weight('up/kernel', [2, 3, 5, 4], 'Conv2DTranspose'),
  weight('depth/depthwise_kernel', [3, 3, 4, 2], 'DepthwiseConv2D'),
  weight('words/embeddings', [30, 7], 'Embedding'),
  weight('lstm/kernel', [7, 24], 'LSTM'),
  weight('lstm/recurrent_kernel', [6, 24], 'LSTM'),
  weight('softmax/kernel', [6, 30], 'Dense', 'lstm'),
  { ...weight('zero/kernel', [6, 9], 'Dense'), values: new Float32Array(54) },
  // A single weight is left after more zeros than the largest code of a gap.
  { ...weight('rare/kernel', [500, 400], 'Dense'), values: new Float32Array(200_000).fill(3, 199_999) },
  weight('softmax/bias', [30], 'Dense'),
];

function compression(settings: object): Compression {
  const text = JSON.stringify({
    model: './model.ts',
    data: { type: 'mnist', path: './data' },
    training: { optimizer: { type: 'sgd', learningRate: 1 }, batchSize: 1, steps: STEPS },
    compression: { distortEvery: 1, ...settings },
  });
  return compressionsOf(parseExperiment(text, { file: 'e.deeptwist.jsonc' }))[0];
}

/** Numbers that are not the same to the bit. */
function differences(some: Float32Array, others: Float32Array): number {
  expect(some).toHaveLength(others.length);
  return some.reduce((count, number, i) => count + (Object.is(number, others[i]) ? 0 : 1), 0);
}

async function expectAccounted(settings: object): Promise<void> {
  const weights = model();
  const compressor = createCompressor(compression(settings), weights, { steps: STEPS, seed: 1 });
  await compressor.beforeStep(STEPS);
  await compressor.pull();
  await compressor.push();
  await compressor.distort(STEPS);
  const file = encodePacked(compressor.packed());
  const rebuilt = decodePacked(file);
  const { tensors } = decodeSafetensors(file);
  const sizes = compressor.sizes(weights).filter(({ name }) => tensors.has(name));
  expect(sizes.map(({ name }) => name)).toEqual(compressor.targets.map((target) => target.weight.name));
  for (const { name, bytesKept } of sizes) {
    expect([name, tensors.get(name)!.data.byteLength]).toEqual([name, bytesKept]);
    const { values } = weights.find((candidate) => candidate.name === name)!;
    expect([name, differences(rebuilt.get(name)!.rebuild(), values)]).toEqual([name, 0]);
  }
}

test.each(['deeptwist', 'gradual-mask', 'one-shot', 'straight-through'])('prune under %s', async (policy) => {
  for (const rate of [0, 0.3, 0.6, 0.9, 0.99])
    await expectAccounted({ method: 'prune', policy, layers: { '*': { rate } } });
});

describe.each(['row', 'matrix'])('quantize with a set of scales for each %s', (scales) => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('%i bits', async (bits) => {
    await expectAccounted({ method: 'quantize', layers: { '[!r]*': { bits, scales } } });
    await expectAccounted({ method: 'quantize', policy: 'straight-through', layers: { lstm: { bits, scales } } });
  });
});

/** Every kind of levels, with buckets that are cut off at the end of a weight, rows that do not lie together, and all at once. */
const levels: readonly object[] = [
  ...[1, 2, 5, 8].flatMap((bits) =>
    [7, 256, 'row', 'tensor'].flatMap((bucket) => [
      { levels: 'uniform', bits, bucket },
      { levels: 'uniform', bits, bucket, symmetric: true, rounding: 'stochastic' },
      { levels: 'points', bits, bucket, start: 'quantiles' },
    ]),
  ),
  { levels: 'points', bits: 2, points: 3, bucket: 'none' },
  { levels: 'points', bits: 6, bucket: 'none', start: 'random' },
  { levels: 'fixed-point', bits: 2 },
  { levels: 'fixed-point', bits: 8, fractionBits: 3, rounding: 'stochastic' },
  { levels: 'power-of-two', bits: 2 },
  { levels: 'power-of-two', bits: 5 },
];

test.each(levels)('quantize to %j', async (parameters) => {
  for (const policy of ['deeptwist', 'one-shot', 'straight-through'])
    await expectAccounted({ method: 'quantize', policy, layers: { '[!r]*': parameters } });
});

test.each([7, 'row', 'none'])('trained points in buckets: %s', async (bucket) => {
  const layers = { '[!r]*': { levels: 'points', bits: 3, bucket } };
  await expectAccounted({ method: 'quantize', policy: 'points', layers });
});

describe.each(['deeptwist', 'one-shot', 'straight-through', 'factors'])('low-rank under %s', (policy) => {
  test.each([1, 2, 4])('rank %i, which is fewer numbers for some weights', async (rank) => {
    const layers = { '{conv,up,depth,words,lstm,zero}': { rank } };
    await expectAccounted({ method: 'low-rank', policy, layers });
  });

  test('a shared projection', async () => {
    const layers = { '{lstm,softmax}': { rank: 3, sharedProjection: true } };
    await expectAccounted({ method: 'low-rank', policy, layers });
  });
});
