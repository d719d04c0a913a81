/** @file A compressor of weights that live in plain arrays. */
import type * as z from 'zod';
import { Compressor } from '../../../server/compression/compressor.ts';
import type { RunFacts } from '../../../server/compression/methods/unit.ts';
import { planCompression, type PlannedCompression } from '../../../server/compression/plan.ts';
import type { CompressibleWeight } from '../../../server/compression/targets/targets.ts';
import { placedCompressions } from '../../../server/protocol/experiment/compressions.ts';
import { oneCompression } from '../../../server/protocol/experiment/schema/compression.ts';

/** A compression as a file has it: settings that are left out have their defaults. */
export type WrittenCompression = z.input<typeof oneCompression>;

/** @param compression one, or several that are applied in their order */
export function createCompressor(
  compression: WrittenCompression | readonly WrittenCompression[],
  weights: readonly CompressibleWeight[],
  run: RunFacts,
): Compressor {
  return new Compressor(planCompression(planned(compression, run), weights, run), weights);
}

/** Compressions as an experiment has them. */
export function planned(
  compression: WrittenCompression | readonly WrittenCompression[],
  { custom }: Pick<RunFacts, 'custom'> = {},
): PlannedCompression[] {
  const parsed = [compression].flat().map((written) => oneCompression.parse(written));
  return placedCompressions({ compression: Array.isArray(compression) ? parsed : parsed[0] }).map((placed) => ({
    ...placed,
    custom,
  }));
}
