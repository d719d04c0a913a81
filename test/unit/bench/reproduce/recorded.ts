/** @file A small case with records of its runs, which nothing trained. */
import { digestOf, type RunRecord } from '../../../bench/reproduce/runRecords.ts';
import { commandOf, type Case, type Training } from '../../../bench/reproduce/study.ts';

/** Settings that the rivals of the small case are tried with. */
export const settings = [['training.optimizer.learningRate=1'], ['training.optimizer.learningRate=2']];

export const smallCase = (more: Partial<Case> = {}): Case => ({
  name: 'small',
  file: 'examples/mnist/lenet-300-100-prune.deeptwist.jsonc',
  overrides: ['data.validation=5000'],
  rivals: [
    { name: 'ours', overrides: [] },
    { name: 'theirs', overrides: ['compression.policy=gradual-mask'] },
  ],
  tries: settings,
  published: [],
  ...more,
});

export function recordOf(training: Training, figures: Partial<RunRecord>): RunRecord {
  return {
    run: commandOf(training),
    experiment: digestOf(training),
    metric: 'accuracy',
    weightRatio: 10,
    seconds: 1,
    machine: 'a machine',
    date: '2026-11-29',
    ...figures,
  };
}

/** Looks trainings up among these records. */
export function among(records: readonly RunRecord[]) {
  return (training: Training) => records.find(({ run }) => run === commandOf(training));
}
