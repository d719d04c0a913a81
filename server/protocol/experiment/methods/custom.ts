/** @file Facts of `custom`: a distortion of the user's own. */
import type { MethodFacts } from './facts.ts';

export const custom: MethodFacts = {
  title: 'A distortion of your own',
  parameters: {},
  required: { module: './distort.ts' },
  leaves: 'unknown',
  follows: [],
  distortEvery: { text: 100, others: 100 },
  spectrumAtEachObservation: false,
  hasLevels: false,
  changeable: [],
};
