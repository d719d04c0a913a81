/** @file All studies, in the order of the papers. */
import { distortionStep } from './distortionStep.ts';
import { highestRatio } from './highestRatio.ts';
import { mnistPruning } from './mnistPruning.ts';
import { FIFTH, FULL } from './pennTreebank.ts';
import { pennTreebankPruning } from './pennTreebankPruning.ts';
import { pennTreebankQuantization } from './pennTreebankQuantization.ts';
import { pennTreebankRanks } from './pennTreebankRanks.ts';
import type { Study } from './study.ts';
import { variationalDropout } from './variationalDropout.ts';

export const studies: readonly Study[] = [
  mnistPruning,
  distortionStep,
  highestRatio,
  variationalDropout,
  ...[FULL, FIFTH].flatMap((scale) => [
    pennTreebankPruning(scale),
    pennTreebankQuantization(scale),
    pennTreebankRanks(scale),
  ]),
];
