/** @file The room that an optimizer takes in an arena that all parameters of a test share. */
import { optimizerArenaBytes } from '../../../server/optimizers/optimizer.ts';
import type { OptimizerConfig } from '../../../server/protocol/experiment/schema.ts';

/** @param lengths numbers of elements of the parameters */
export function stateBytesOf(config: OptimizerConfig, lengths: readonly number[]): number {
  return lengths.reduce((bytes, length) => bytes + optimizerArenaBytes(config, length), 0);
}
