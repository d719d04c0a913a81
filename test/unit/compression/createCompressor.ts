/** @file A compressor of weights that live in plain arrays. */
import { Compressor } from '../../../server/compression/compressor.ts';
import type { RunFacts } from '../../../server/compression/methods/unit.ts';
import { planCompression, type PlannedCompression } from '../../../server/compression/plan.ts';
import type { CompressibleWeight } from '../../../server/compression/targets/targets.ts';
import { placedCompressions } from '../../../server/protocol/experiment/compressions.ts';
import type { Compression } from '../../../server/protocol/experiment/schema.ts';

/** @param compression one, or several that are applied in their order */
export function createCompressor(
  compression: Compression | readonly Compression[],
  weights: readonly CompressibleWeight[],
  run: RunFacts,
): Compressor {
  return new Compressor(planCompression(planned(compression, run), weights, run), weights);
}

/** Compressions as an experiment has them. */
export function planned(
  compression: Compression | readonly Compression[],
  { custom }: Pick<RunFacts, 'custom'> = {},
): PlannedCompression[] {
  const experiment = { compression: Array.isArray(compression) ? [...compression] : (compression as Compression) };
  return placedCompressions(experiment).map((placed) => ({ ...placed, custom }));
}
