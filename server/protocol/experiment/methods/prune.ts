/** @file Facts of `prune`: the least weights become zero. */
import { formatCount } from '../../formatQuantity.ts';
import type { MethodFacts } from './facts.ts';
import { numbersOf, scopeProblems } from './pruningScope.ts';

export const prune: MethodFacts = {
  title: 'The smallest weights become zero',
  choice: {
    label: 'Prune',
    detail: 'Most weights become zero, the smallest first: 1 in 10 to 1 in 100 stay.',
    comment: 'Prunes by DeepTwist: every few steps the smallest weights become zero; no mask holds them there.',
  },
  parameters: {
    rate: {
      unit: 'fraction',
      texts: { full: 'pruning rate {0}', short: 'rate {0}' },
      comment: 'A rate of 0.9 leaves 1 weight of 10.',
      setsZeros: true,
      smallerModel: 'greater values',
      fixedBy: 'pattern',
      range: () => ({ lowest: 0, highest: 0.999, step: 0.001 }),
      first: () => 0.9,
      proposed: () => [0.5, 0.8, 0.9, 0.95, 0.98, 0.99],
      forRatio: (ratio) => Number((1 - 1 / ratio).toFixed(4)),
      leaves: ({ weights, weightsKept }) => `${formatCount(weightsKept)} of ${formatCount(weights)} kept`,
    },
  },
  required: {},
  leaves: 'zeros',
  follows: ['factors', 'low rank', 'zero units'],
  // Pruning little by little wants frequent distortions.
  distortEvery: { text: 100, others: 10 },
  rises: 'rate',
  spectrumAtEachObservation: false,
  hasLevels: false,
  chooses: { settings: ['scope', 'criterion'], parameters: ['rate', 'pattern', 'block'] },
  keptParameters: ['pattern', 'block'],
  combinationProblems: scopeProblems,
  hasThreshold: (layer) => numbersOf(layer) === undefined,
  changeable: ['rates'],
};
