/** @file Facts of `quantize`: codes of a few bits, whatever their levels are. */
import { formatBytes, formatRatio } from '../../formatQuantity.ts';
import { WOULD_TAKE } from '../../run/wouldTake.ts';
import type { MethodFacts } from './facts.ts';

export const quantize: MethodFacts = {
  title: 'Weights become codes of a few bits',
  choice: {
    label: 'Quantize',
    detail: 'Each weight becomes a code of 1 to 8 bits: binary, uniform, fitted and others.',
    comment:
      'Quantizes each weight to a few bits by DeepTwist, as binary codes: w ~ a_1 b_1 + a_2 b_2 + … with b in {-1, +1}.',
  },
  parameters: {
    bits: {
      unit: 'count',
      texts: { full: '{0} bits', short: '{0} bits', one: '1 bit' },
      comment: 'Bits per weight.',
      setsZeros: false,
      smallerModel: 'smaller values',
      range: () => ({ lowest: 1, highest: 8, step: 1 }),
      first: () => 2,
      proposed: () => [1, 2, 3, 4],
      leaves: ({ bytes, bytesKept, byteRatio }) =>
        `${formatBytes(bytes)}, ${WOULD_TAKE} ${formatBytes(bytesKept)}, ${formatRatio(byteRatio)} smaller`,
    },
  },
  required: {},
  leaves: 'codes',
  follows: ['zeros', 'factors', 'low rank', 'zero units'],
  // Weights need time to recover from each distortion.
  distortEvery: { text: 100, others: 100 },
  spectrumAtEachObservation: false,
  hasLevels: true,
  changeable: ['bits', 'levels', 'algorithms'],
};
