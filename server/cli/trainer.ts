/** @file What the CLI asks of `server/training/`, which it loads when a command trains. */
import type * as training from '../training/index.ts';

export type Trainer = Pick<
  typeof training,
  'runExperiment' | 'resumeRun' | 'evaluateRun' | 'describeExperiment' | 'describeModelFile'
>;
export type { TrainingOutcome } from '../training/index.ts';
export type { TrainingObserver } from '../training/trainInFolder.ts';
