/** @file Patterns that do not fit into the matrix of a weight. */
import { nOfM } from '../../../protocol/experiment/pruningPattern.ts';
import type { PruningParameters } from '../../../protocol/experiment/schema/compression.ts';
import type { MatrixView } from '../../targets/matrixView.ts';

export interface PatternProblem {
  /** The setting of the layer that is wrong. */
  readonly setting: 'pattern' | 'block';
  readonly reason: string;
  readonly remedy: string;
}

/** What makes the pattern larger than the matrix; undefined where it is not. @param name of the weight */
export function patternProblem(
  name: string,
  { rows, columns }: MatrixView,
  { pattern, block }: PruningParameters,
): PatternProblem | undefined {
  const numbers = nOfM(pattern);
  if (numbers && numbers.of > columns)
    return {
      setting: 'pattern',
      reason: `a row of ${name} has ${columns} weights: expected groups of at most ${columns}, got ${numbers.of}`,
      remedy: 'Choose smaller groups, or leave the layer out.',
    };
  if (block && (block[0] > rows || block[1] > columns))
    return {
      setting: 'block',
      reason: `${name} is a [${rows}, ${columns}] matrix: expected a block within it, got [${block.join(', ')}]`,
      remedy: 'Choose a smaller block: a row of the matrix is an output.',
    };
  return undefined;
}
