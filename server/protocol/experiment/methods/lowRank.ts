/** @file Facts of `low-rank`: truncated singular value decompositions. */
import { formatRatio } from '../../formatQuantity.ts';
import type { MatrixSides, MethodFacts } from './facts.ts';

const FIRST_RANK = 16;
/** How much smaller matrices of the proposed ranks are. */
const PROPOSED_RATIOS = [2, 4, 8, 16, 32];

export const lowRank: MethodFacts = {
  title: 'Matrices become products of two thin ones',
  choice: {
    label: 'Low Rank',
    detail: 'Each matrix becomes the product of two thin ones: smaller and faster anywhere.',
    comment:
      "Approximates weights by low rank with DeepTwist: W becomes U_r S_r V_r', its best approximation of rank r.",
  },
  parameters: {
    rank: {
      unit: 'count',
      texts: { full: 'rank {0}', short: 'rank {0}' },
      comment: 'An m x n matrix of rank r needs r (m + n) numbers instead of m n.',
      setsZeros: false,
      smallerModel: 'smaller values',
      range: (shortestSide) => ({ lowest: 1, highest: shortestSide, step: 1 }),
      first: (shortestSide = Infinity) => Math.max(1, Math.min(FIRST_RANK, Math.floor(shortestSide / 2))),
      proposed(matrices) {
        const ranks = PROPOSED_RATIOS.map((ratio) => roundDown(rankFor(ratio, matrices)));
        return [...new Set(ranks)].filter((rank) => rank >= 1).sort((a, b) => b - a);
      },
      forRatio: (ratio, matrices) => (matrices.length === 0 ? undefined : Math.max(1, rankFor(ratio, matrices))),
      // A rank that makes a matrix no smaller leaves it as it is.
      leaves: ({ weights, weightsKept, weightRatio }) =>
        weightsKept === weights ? 'no smaller' : `${formatRatio(weightRatio)} smaller`,
    },
  },
  required: {},
  leaves: 'factors',
  follows: [],
  // Weights need time to recover from each distortion.
  distortEvery: { text: 100, others: 100 },
  spectrumAtEachObservation: true,
  hasLevels: false,
  keptParameters: ['sharedProjection'],
  changeable: ['ranks'],
};

/** The rank at which matrices are `ratio` times as small together: `sum m n = ratio r sum (m + n)`; at most their shortest side. */
function rankFor(ratio: number, matrices: readonly MatrixSides[]): number {
  const full = matrices.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const sides = matrices.reduce((sum, { rows, columns }) => sum + rows + columns, 0);
  const shortest = Math.min(...matrices.map(({ rows, columns }) => Math.min(rows, columns)));
  return Math.min(Math.floor(full / (ratio * sides)), shortest);
}

/** To two digits in steps of 1, 2, 4, 5, … as people choose ranks. */
function roundDown(rank: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(rank, 1))) - 1);
  return Math.floor(rank / unit) * unit;
}
