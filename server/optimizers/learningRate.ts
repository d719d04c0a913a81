/** @file The schedules of the learning rate: pure functions of the step, the epoch and the validation metrics so far. */
import type { LearningRateSchedule } from '../protocol/experiment/schema.ts';

type PlateauSchedule = Extract<LearningRateSchedule, { type: 'plateau' }>;

/** What the 'plateau' schedule remembers; plain JSON, saved in checkpoints. */
export interface PlateauState {
  /** Best finite validation metric so far, null before the first. */
  readonly best: number | null;
  /** Evaluations since the best one, or since the last decay. */
  readonly withoutImprovement: number;
  /** How often the learning rate was multiplied by the factor. */
  readonly decays: number;
}

export const initialPlateauState: PlateauState = { best: null, withoutImprovement: 0, decays: 0 };

/** How far a run has trained. */
export interface TrainingPosition {
  /** Training steps done. */
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  /** Used by the 'plateau' schedule. */
  readonly plateau?: PlateauState;
}

/**
 * Learning rate of the next step.
 *
 * 'after-epoch' with Zaremba's values (medium LSTM: epoch 6, factor 1/1.2) is `initial` in the first six epochs,
 * `initial / 1.2` in the seventh, `initial / 1.2^2` in the eighth.
 */
export function learningRateAt(
  schedule: LearningRateSchedule,
  initial: number,
  { step, epoch, plateau = initialPlateauState }: TrainingPosition,
): number {
  switch (schedule.type) {
    case 'constant':
      return initial;
    case 'step':
      return initial * schedule.factor ** Math.floor(step / schedule.every);
    case 'exponential':
      return initial * schedule.factor ** (step / schedule.steps);
    case 'after-epoch':
      return initial * schedule.factor ** Math.max(0, epoch + 1 - schedule.epoch);
    case 'plateau':
      return Math.max(initial * schedule.factor ** plateau.decays, Math.min(schedule.minimum, initial));
  }
}

/**
 * The state after one more evaluation. More than `patience` evaluations in a row without improvement cause a decay.
 *
 * @param direction whether a smaller metric (loss, perplexity) or a greater one (accuracy) is better
 * @param metric one that is not finite is no improvement
 */
export function observeMetric(
  schedule: PlateauSchedule,
  state: PlateauState,
  metric: number,
  direction: 'min' | 'max',
): PlateauState {
  const improved =
    Number.isFinite(metric) &&
    (state.best === null || (direction === 'min' ? metric < state.best : metric > state.best));
  if (improved) return { best: metric, withoutImprovement: 0, decays: state.decays };
  if (state.withoutImprovement < schedule.patience)
    return { ...state, withoutImprovement: state.withoutImprovement + 1 };
  return { ...state, withoutImprovement: 0, decays: state.decays + 1 };
}
