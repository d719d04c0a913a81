/** @file A compressor of weights that live in plain arrays. */
import { Compressor } from '../../../server/compression/compressor.ts';
import type { RunFacts } from '../../../server/compression/methods/unit.ts';
import { planCompression } from '../../../server/compression/plan.ts';
import type { CompressibleWeight } from '../../../server/compression/targets/targets.ts';
import type { Compression } from '../../../server/protocol/experiment/schema.ts';

export function createCompressor(
  compression: Compression,
  weights: readonly CompressibleWeight[],
  run: RunFacts,
): Compressor {
  return new Compressor(planCompression(compression, weights, run), weights);
}
